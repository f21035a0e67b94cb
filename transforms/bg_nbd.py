"""BG/NBD: how often customers buy who may stop without saying so.

Fader, Hardie and Lee, "Counting Your Customers the Easy Way" (Marketing Science 24(2), 2005).
While alive, a customer buys at a rate that varies over customers as a gamma (r, alpha); after each
purchase they stop with a probability that varies as a beta (a, b). Time is in weeks.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.special import digamma, gammaln, hyp2f1

from transforms.likelihood import Fit, Floats, maximise

NAMES = ("r", "alpha", "a", "b")
_ASIDE = 1e-5


@dataclass(frozen=True)
class Histories:
    """Customers with one and the same history in a row, rows in a fixed order.

    ``frequency``: days with a purchase after the first; ``recency``: weeks from the first to the
    last of them; ``age``: weeks from the first to the end; ``customers``: how many have it.
    """

    frequency: Floats
    recency: Floats
    age: Floats
    customers: Floats

    @cached_property
    def distinct(self) -> tuple[Floats, "np.ndarray[tuple[int], np.dtype[np.intp]]"]:
        """The distinct frequencies, few, and each row's place among them."""
        values, places = np.unique(self.frequency, return_inverse=True)
        return values, places.ravel()


def fit(histories: Histories) -> Fit:
    """The most likely r, alpha, a and b."""
    total = float(histories.customers.sum())

    def likelihood(parameters: Floats) -> tuple[float, Floats]:
        height, gradient = log_likelihood(parameters, histories)
        return height / total, gradient / total

    age = float((histories.age * histories.customers).sum()) / total
    found = maximise(likelihood, {"r": 0.5, "alpha": max(age / 4, 0.1), "a": 0.5, "b": 2.0})
    return replace(found, log_likelihood=found.log_likelihood * total)


def log_likelihood(parameters: Floats, histories: Histories) -> tuple[float, Floats]:
    """Log-likelihood of all customers (equation 6 of the paper's notes) and its gradient."""
    r, alpha, a, b = parameters
    x, weight = histories.frequency, histories.customers
    distinct, places = histories.distinct
    log_age, log_recency = np.log(alpha + histories.age), np.log(alpha + histories.recency)
    alive = -(r + x) * log_age
    gone = np.log(a) - np.log(b + np.maximum(x, 1) - 1) - (r + x) * log_recency
    gone = np.where(x > 0, gone, -np.inf)
    either = np.logaddexp(alive, gone)
    share = np.exp(gone - either)
    common = gammaln(r + distinct) - gammaln(r) + r * np.log(alpha)
    common += gammaln(a + b) + gammaln(b + distinct) - gammaln(b) - gammaln(a + b + distinct)
    by_b = digamma(a + b) - digamma(a + b + distinct)
    by_r = digamma(r + distinct) - digamma(r) + np.log(alpha)
    slopes = (
        by_r[places] - (1 - share) * log_age - share * log_recency,
        r / alpha - (r + x) * ((1 - share) * np.exp(-log_age) + share * np.exp(-log_recency)),
        by_b[places] + share / a,
        (by_b + digamma(b + distinct) - digamma(b))[places] - share / (b + np.maximum(x, 1) - 1),
    )
    height = float((weight * (common[places] + either)).sum())
    return height, np.array([float((weight * slope).sum()) for slope in slopes])


def alive_probability(
    parameters: Floats, frequency: Floats, recency: Floats, age: Floats
) -> Floats:
    """Probability of not having stopped; 1 without a repeat, since the model lets none stop then.

    Fader, Hardie and Lee, "Computing P(alive) Using the BG/NBD Model" (2008), equation 1.
    """
    r, alpha, a, b = parameters
    odds = np.log(a) - np.log(b + np.maximum(frequency, 1) - 1)
    odds = odds + (r + frequency) * (np.log(alpha + age) - np.log(alpha + recency))
    return np.asarray(np.where(frequency > 0, 1 / (1 + np.exp(np.minimum(odds, 700.0))), 1.0))


def expected_if_alive(parameters: Floats, frequency: Floats, age: Floats, weeks: float) -> Floats:
    """Expected purchases in the coming weeks of one who has not stopped.

    Equation 10 of the paper without its denominator: after Euler's transformation of 2F1, which
    holds where b and the frequency are large, else as it stands, which holds where a is. Neither
    was ever wrong where it came out finite. NaN where it cannot be had either way.
    """
    r, alpha, a, b = parameters
    # At a = 1 and a + b = 1 the formula has no value, and the same one from both sides.
    a = 1 + _ASIDE if abs(a - 1) < _ASIDE else a
    b = b + 2 * _ASIDE if abs(a + b - 1) < _ASIDE else b
    total = a + b + frequency - 1
    part = weeks / (alpha + age + weeks)
    with np.errstate(over="ignore", invalid="ignore"):
        rest = (1 - part) ** (a - 1) * hyp2f1(total - r - frequency, a - 1, total, part)
        odd = ~np.isfinite(rest)
        if odd.any():
            rest = np.where(odd, _as_it_stands(parameters, frequency, total, part), rest)
    expected = total / (a - 1) * (1 - rest)
    most = (r + frequency) / (alpha + age) * weeks
    return np.asarray(np.where(np.isfinite(expected), np.clip(expected, 0, most), np.nan))


def _as_it_stands(parameters: Floats, frequency: Floats, total: Floats, part: Floats) -> Floats:
    r, _, _, b = parameters
    shape = r + frequency
    return np.asarray((1 - part) ** shape * hyp2f1(shape, b + frequency, total, part))
