"""From rows of equal customers to a fitted model and what it foretold: the rows of ``clv_models``.

Everything here works on collected rows in a fixed order.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from transforms import bg_nbd, gamma_gamma, shifted_beta_geometric
from transforms.likelihood import Fit, Floats

DAYS_A_WEEK = 7.0
# A rule of thumb of regression: what is rarer cannot bear a parameter.
TELLING_PER_PARAMETER = 10
_DECIMALS = 6


@dataclass(frozen=True)
class Judged:
    """A model, what it was fitted to, and what it foretold."""

    model: str
    holdout_measure: str
    customers: int
    telling_customers: int
    fit: Fit | None = None
    note: str | None = None
    predicted: float | None = None
    actual: float | None = None

    def row(self) -> dict[str, Any]:
        """Columns of ``clv_models``."""
        fit = self.fit
        is_known = fit is not None and fit.converged
        note = self.note or (fit.message if fit else "") or None
        return {
            "model": self.model,
            "customers": self.customers,
            "telling_customers": self.telling_customers,
            **(fit.parameters if fit and is_known else {}),
            "log_likelihood": round(fit.log_likelihood, _DECIMALS) if fit and is_known else None,
            "converged": is_known,
            "note": note,
            "holdout_measure": self.holdout_measure,
            "holdout_predicted": _rounded(self.predicted),
            "holdout_actual": _rounded(self.actual),
        }


def numbers(rows: pl.DataFrame, name: str) -> Floats:
    """A column as an array of floats."""
    return rows[name].cast(pl.Float64).to_numpy()


def values(fit: Fit) -> Floats:
    """The parameters of a fit, in the order of its model."""
    return np.array(list(fit.parameters.values()))


def buying(rows: pl.DataFrame, held_out: int) -> Judged:
    """BG/NBD on rows of frequency, recency_days, tenure_days, customers and later days."""
    repeaters = rows.filter(pl.col("frequency") > 0)
    judged = _counted("bg_nbd", "repeat_days", rows, repeaters, "bought on a second day")
    if judged.note:
        return judged
    frequency, recency, age = (
        numbers(rows, "frequency"),
        numbers(rows, "recency_days") / DAYS_A_WEEK,
        numbers(rows, "tenure_days") / DAYS_A_WEEK,
    )
    customers = numbers(rows, "customers")
    fit = bg_nbd.fit(bg_nbd.Histories(frequency, recency, age, customers))
    if not fit.converged or not held_out:
        return replace(judged, fit=fit)
    alive = bg_nbd.alive_probability(values(fit), frequency, recency, age)
    weeks = held_out / DAYS_A_WEEK
    ahead = bg_nbd.expected_if_alive(values(fit), frequency, age, weeks)
    predicted = float((customers * alive * ahead).sum())
    return replace(judged, fit=fit, predicted=predicted, actual=float(rows["later"].sum()))


def spending(rows: pl.DataFrame) -> Judged:
    """Gamma-Gamma on rows of valued days, their amount, customers, and the later days of value."""
    repeaters = rows.filter(pl.col("valued_days") > 0)
    judged = _counted(
        "gamma_gamma", "mean_amount", repeaters, repeaters, "bought again for more than nothing"
    )
    if judged.note:
        return judged
    days = numbers(repeaters, "valued_days")
    mean = numbers(repeaters, "valued_amount") / days
    fit = gamma_gamma.fit(gamma_gamma.Spending(days, mean, numbers(repeaters, "customers")))
    later = numbers(rows, "later_valued_days")
    if not fit.converged or not later.sum():
        return replace(judged, fit=fit)
    days, amount = numbers(rows, "valued_days"), numbers(rows, "valued_amount")
    each = gamma_gamma.expected_amount(values(fit), days, amount)
    # Where a customer's mean is without bounds, so is that of all.
    predicted = float((np.where(later > 0, each, 0.0) * later).sum() / later.sum())
    actual = float(rows["later_valued_amount"].cast(pl.Decimal(38, 4)).sum()) / float(later.sum())
    return replace(judged, fit=fit, predicted=predicted, actual=actual)


def staying(rows: pl.DataFrame) -> Judged:
    """Shifted beta-geometric on rows of is_lost, renewals passed, months ahead, and who stayed."""
    lost, kept = rows.filter("is_lost"), rows.filter(~pl.col("is_lost"))
    judged = _counted("sbg", "paying_customers", rows, lost, "were lost")
    if judged.note:
        return judged
    is_lost = rows["is_lost"].to_numpy()
    customers = numbers(rows, "customers")
    fit = shifted_beta_geometric.fit(
        shifted_beta_geometric.Tenures(
            period=numbers(rows, "passed") + is_lost,
            lost=np.where(is_lost, customers, 0.0),
            kept=np.where(is_lost, 0.0, customers),
        )
    )
    ahead = int(rows["ahead"][0])
    if not fit.converged or not ahead:
        return replace(judged, fit=fit)
    stay = shifted_beta_geometric.survival_from(values(fit), numbers(kept, "passed"), ahead)
    predicted = float((numbers(kept, "customers") * stay).sum())
    return replace(judged, fit=fit, predicted=predicted, actual=float(kept["later"].sum()))


def _counted(
    model: str, measure: str, rows: pl.DataFrame, telling: pl.DataFrame, what: str
) -> Judged:
    """The customers of a model, with a note where they are too few to tell anything."""
    customers, tell = int(rows["customers"].sum()), int(telling["customers"].sum())
    least = TELLING_PER_PARAMETER * len(_NAMES[model])
    note = None
    if tell < least:
        note = f"too little history: {tell} customers {what} up to the cut-off, {least} are needed"
    return Judged(model, measure, customers, tell, note=note)


def _rounded(value: float | None) -> float | None:
    return round(value, _DECIMALS) if value is not None and np.isfinite(value) else None


_NAMES = {
    "bg_nbd": bg_nbd.NAMES,
    "gamma_gamma": gamma_gamma.NAMES,
    "sbg": shifted_beta_geometric.NAMES,
}
