"""Maximum likelihood for models of a few positive parameters. What is likely stands in the models.

The same rows in the same order give the same parameters: fixed starts, no chance, sums by numpy
over arrays whose order the caller has fixed, and a last step by Newton that ends far below the
digits that are kept.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Likelihood = Callable[[Floats], tuple[float, Floats]]

# Beyond these a parameter stands for zero or infinity: the likelihood hardly changes any more.
LOWEST, HIGHEST = 1e-3, 1e4
_STEEPEST = 1e-7
_DIGITS = 9


@dataclass(frozen=True)
class Fit:
    """The most likely parameters, by name, and how the search for them ended.

    ``converged``: the likelihood has a maximum there, within the range that is searched. Where
    it lies at the range's end, ``message`` says of which parameter.
    """

    parameters: Mapping[str, float]
    log_likelihood: float
    converged: bool
    message: str


def maximise(likelihood: Likelihood, starts: Mapping[str, float]) -> Fit:
    """The parameters, each from 1/1,000 to 10,000, where ``likelihood`` is greatest.

    ``likelihood`` takes the parameters and gives the mean log-likelihood and its gradient. The
    parameters are searched on a logarithmic scale. The log-likelihood that is given is the mean
    one, of the parameters as they are kept.
    """
    # A quarter of a second to import, and needed only when a model is stale.
    from scipy.optimize import minimize

    lower, upper = np.log(LOWEST), np.log(HIGHEST)

    def descent(logs: Floats) -> tuple[float, Floats]:
        values = np.exp(logs)
        height, gradient = likelihood(values)
        return -height, -gradient * values

    found = minimize(
        descent,
        np.log(np.array(list(starts.values()), dtype=np.float64)),
        jac=True,
        method="L-BFGS-B",
        bounds=[(lower, upper)] * len(starts),
        options={"maxiter": 2000, "maxfun": 4000, "ftol": 1e-15, "gtol": 1e-9},
    )
    logs, slope = _polished(descent, np.asarray(found.x), lower, upper)
    kept = {
        name: shortened(value) for name, value in zip(starts, np.exp(logs).tolist(), strict=True)
    }
    height, _ = likelihood(np.array(list(kept.values())))
    return Fit(kept, height, *_verdict(list(starts), logs, slope, lower, upper))


def shortened(value: float) -> float:
    """The number as it is kept: to nine significant digits, which the search settles for good."""
    return float(f"{value:.{_DIGITS}g}")


def _polished(
    descent: Likelihood, logs: Floats, lower: float, upper: float
) -> tuple[Floats, Floats]:
    """Newton's steps on the parameters that are not at an end, for as long as they help."""
    height, slope = descent(logs)
    for _ in range(20):
        free = _free(logs, lower, upper)
        if not free.any() or np.max(np.abs(slope[free])) < 1e-14:
            break
        step = np.zeros_like(logs)
        try:
            step[free] = np.linalg.solve(_curvature(descent, logs, free), slope[free])
        except np.linalg.LinAlgError:
            break
        there = np.clip(logs - step, lower, upper)
        new_height, new_slope = descent(there)
        flatter = np.max(np.abs(new_slope[free])) < np.max(np.abs(slope[free]))
        if not (flatter and new_height <= height + 1e-9):
            break
        logs, height, slope = there, new_height, new_slope
    return logs, slope


def _curvature(descent: Likelihood, logs: Floats, free: npt.NDArray[np.bool_]) -> Floats:
    """Second derivatives, from differences of the gradient."""
    width = 1e-4
    rows = []
    for place in np.flatnonzero(free):
        aside = np.zeros_like(logs)
        aside[place] = width
        rise = descent(logs + aside)[1] - descent(logs - aside)[1]
        rows.append(rise[free] / (2 * width))
    square = np.array(rows)
    return np.asarray((square + square.T) / 2, dtype=np.float64)


def _free(logs: Floats, lower: float, upper: float) -> npt.NDArray[np.bool_]:
    return np.asarray((logs > lower + 1e-3) & (logs < upper - 1e-3))


def _verdict(
    names: list[str], logs: Floats, slope: Floats, lower: float, upper: float
) -> tuple[bool, str]:
    free = _free(logs, lower, upper)
    if not np.isfinite(slope).all() or np.any(np.abs(slope[free]) > _STEEPEST):
        return False, "no maximum of the likelihood was found"
    ends = [
        f"{name} {'towards zero' if value < 0 else 'without end'}"
        for name, value, inside in zip(names, logs.tolist(), free.tolist(), strict=True)
        if not inside
    ]
    if ends:
        return True, f"the likelihood still rises at the edge of the range: {', '.join(ends)}"
    return True, ""
