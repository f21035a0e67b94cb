"""Gamma-Gamma: what a customer spends per purchase.

Fader and Hardie, "The Gamma-Gamma Model of Monetary Value" (2013). Amounts vary about the
customer's own mean as a gamma of shape p, and the means over customers as an inverse gamma (q, v).
How much and how often are taken to be independent.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import digamma, gammaln

from transforms.likelihood import Fit, Floats, maximise, shortened

NAMES = ("p", "q", "v")


@dataclass(frozen=True)
class Spending:
    """Customers with one and the same spending in a row, rows in a fixed order.

    They bought ``purchases`` times, for ``mean`` (above zero) on the average; ``customers``: how
    many they are.
    """

    purchases: Floats
    mean: Floats
    customers: Floats


def fit(spending: Spending) -> Fit:
    """The most likely p, q and v."""
    total = float(spending.customers.sum())
    scale = float((spending.mean * spending.customers).sum()) / total
    scaled = replace(spending, mean=spending.mean / scale)

    def likelihood(parameters: Floats) -> tuple[float, Floats]:
        height, gradient = log_likelihood(parameters, scaled)
        return height / total, gradient / total

    found = maximise(likelihood, {"p": 2.0, "q": 3.0, "v": 1.0})
    kept = {**found.parameters, "v": shortened(found.parameters["v"] * scale)}
    height, _ = log_likelihood(np.array(list(kept.values())), spending)
    return replace(found, parameters=kept, log_likelihood=height)


def log_likelihood(parameters: Floats, spending: Spending) -> tuple[float, Floats]:
    """Log-likelihood of the means of all customers (equation 1a) and its gradient."""
    p, q, v = parameters
    x, z = spending.purchases, spending.mean
    shape = p * x
    distinct, places = np.unique(x, return_inverse=True)
    places = places.ravel()
    log_total = np.log(x * z + v)
    log_paid = np.log(x * z)
    common = gammaln(p * distinct + q) - gammaln(p * distinct) - gammaln(q) + q * np.log(v)
    by_q = digamma(p * distinct + q)
    by_p = distinct * (by_q - digamma(p * distinct))
    height = common[places] + shape * log_paid - np.log(z) - (shape + q) * log_total
    slopes = (
        by_p[places] + x * (log_paid - log_total),
        by_q[places] - digamma(q) + np.log(v) - log_total,
        q / v - (shape + q) / (x * z + v),
    )
    weight = spending.customers
    return float((weight * height).sum()), np.array([float((weight * s).sum()) for s in slopes])


def expected_amount(parameters: Floats, purchases: Floats, amount: Floats) -> Floats:
    """Expected mean amount of a customer who spent ``amount`` in all (equation 5).

    Without purchases it is the mean over all customers, ``p v / (q - 1)``. NaN where that is
    without bounds.
    """
    p, q, v = parameters
    below = p * purchases + q - 1
    bounded = np.where(below > 0, below, np.nan)
    return np.asarray(p * (v + amount) / bounded)
