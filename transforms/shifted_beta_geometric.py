"""Shifted beta-geometric: how long customers under contract stay.

Fader and Hardie, "How to Project Customer Retention" (Journal of Interactive Marketing 21(1),
2007). At each renewal a customer leaves with a probability of their own, which varies over
customers as a beta (alpha, beta): those who stay are ever more the loyal ones, and so the retention
rate rises with tenure, ``r_t = (beta + t - 1) / (alpha + beta + t - 1)``.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import digamma, gammaln

from transforms.likelihood import Fit, Floats, maximise

NAMES = ("alpha", "beta")


@dataclass(frozen=True)
class Tenures:
    """``lost``: how many left at the ``period``-th renewal; ``kept``: were last seen to pass it.

    ``period`` 0 says nothing of anybody; nobody is lost at it.
    """

    period: Floats
    lost: Floats
    kept: Floats


def fit(tenures: Tenures) -> Fit:
    """The most likely alpha and beta."""
    total = float((tenures.lost + tenures.kept).sum())

    def likelihood(parameters: Floats) -> tuple[float, Floats]:
        height, gradient = log_likelihood(parameters, tenures)
        return height / total, gradient / total

    found = maximise(likelihood, {"alpha": 1.0, "beta": 1.0})
    return replace(found, log_likelihood=found.log_likelihood * total)


def log_likelihood(parameters: Floats, tenures: Tenures) -> tuple[float, Floats]:
    """``sum(lost ln P(T = t)) + sum(kept ln S(t))`` (equations 5 and 6) and its gradient."""
    alpha, beta = parameters
    t, lost, kept = tenures.period, tenures.lost, tenures.kept
    before = np.maximum(t - 1, 0)
    left = np.log(alpha) - np.log(alpha + beta + before) + log_survival(parameters, before)
    height = lost * left + kept * log_survival(parameters, t)
    by_alpha = 1 / alpha - 1 / (alpha + beta + before)
    whole = digamma(alpha + beta)
    lost_alpha = by_alpha + whole - digamma(alpha + beta + before)
    lost_beta = lost_alpha - 1 / alpha + digamma(beta + before) - digamma(beta)
    kept_alpha = whole - digamma(alpha + beta + t)
    kept_beta = kept_alpha + digamma(beta + t) - digamma(beta)
    slopes = (lost * lost_alpha + kept * kept_alpha, lost * lost_beta + kept * kept_beta)
    return float(height.sum()), np.array([float(slope.sum()) for slope in slopes])


def log_survival(parameters: Floats, period: Floats) -> Floats:
    """Logarithm of the share that passes t renewals: B(alpha, beta + t) / B(alpha, beta)."""
    alpha, beta = parameters
    rise = gammaln(beta + period) - gammaln(alpha + beta + period)
    return np.asarray(rise + gammaln(alpha + beta) - gammaln(beta))


def survival_from(parameters: Floats, passed: Floats, further: float) -> Floats:
    """Probability that one who passed some renewals passes ``further`` more."""
    later = log_survival(parameters, passed + further)
    return np.asarray(np.exp(later - log_survival(parameters, passed)))
