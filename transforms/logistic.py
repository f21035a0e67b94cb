"""Logistic regression on collected rows, and how well its risks came true."""

from dataclasses import dataclass

import numpy as np

from transforms.likelihood import Floats

_BINS = 10


@dataclass(frozen=True)
class Line:
    """The height of a row of features, whose logistic function is the risk."""

    intercept: float
    coefficients: Floats


@dataclass(frozen=True)
class Marks:
    """How risks compare to what came: all null-safe numbers of ``churn_models``."""

    mean_risk: float
    brier_score: float
    base_brier_score: float
    auc: float | None
    calibration_error: float


def telling(rows: Floats) -> Floats:
    """Which columns of features differ between rows at all."""
    return np.asarray(rows.min(axis=0) < rows.max(axis=0))


def fit(rows: Floats, lost: Floats) -> Line:
    """The most likely line with scikit-learn's usual pull of the weights towards zero.

    The pull is on features brought to one spread, so that their units do not matter. The
    likelihood has one maximum and Newton's steps end at it: no start and no chance play a part,
    and one thread adds up. Features that are the same in all rows have no weight.
    """
    # A third of a second to import, and needed only when a model is stale.
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    kept = telling(rows)
    middle, spread = rows[:, kept].mean(axis=0), rows[:, kept].std(axis=0)
    with threadpool_limits(limits=1):
        found = LogisticRegression(solver="newton-cholesky", tol=1e-10, max_iter=200).fit(
            (rows[:, kept] - middle) / spread, lost
        )
    weights = np.zeros(rows.shape[1])
    weights[kept] = found.coef_[0] / spread
    return Line(float(found.intercept_[0] - (found.coef_[0] / spread * middle).sum()), weights)


def risks(line: Line, rows: Floats) -> Floats:
    """The risk of each row."""
    return np.asarray(1.0 / (1.0 + np.exp(-(line.intercept + rows @ line.coefficients))))


def marks(risk: Floats, lost: Floats, base_rate: float) -> Marks:
    """Brier scores of the risks and of ``base_rate`` for everybody, AUC, calibration error.

    The calibration error is the mean distance between the mean risk and the share lost of the
    tenths 0 to 0.1, 0.1 to 0.2, ... of risk, weighed by their customers.
    """
    bins = np.minimum((risk * _BINS).astype(np.int64), _BINS - 1)
    gaps = [abs(float((risk - lost)[bins == each].sum())) for each in range(_BINS)]
    return Marks(
        mean_risk=float(risk.mean()),
        brier_score=float(((risk - lost) ** 2).mean()),
        base_brier_score=float(((base_rate - lost) ** 2).mean()),
        auc=_auc(risk, lost),
        calibration_error=sum(gaps) / len(risk),
    )


def _auc(risk: Floats, lost: Floats) -> float | None:
    """How often who was lost had a higher risk than who was not, ties counting half."""
    n_lost = int(lost.sum())
    n_kept = len(lost) - n_lost
    if not n_lost or not n_kept:
        return None
    _, place, size = np.unique(risk, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(size) - (size - 1) / 2)[place]
    return float((ranks[lost > 0].sum() - n_lost * (n_lost + 1) / 2) / (n_lost * n_kept))
