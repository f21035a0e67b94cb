"""How many purchases or renewals lie ahead, for rows of parameters and equal histories.

Probabilities and expected orders are rounded to six decimals: what they are made of is known to
far fewer, and the last bits of a power or a hypergeometric function differ between machines.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl

from transforms import bg_nbd, shifted_beta_geometric
from transforms.likelihood import Floats

# A month is a twelfth of a year of 365.25 days.
WEEKS_A_MONTH = 365.25 / 12 / 7
DAYS_A_WEEK = 7
_DECIMALS = 6
_ALIVE = "alive_probability"
_AHEAD = ("expected_orders", "discounted_orders")


@dataclass(frozen=True)
class Horizon:
    """How many months lie ahead, and the yearly rate at which their value is discounted."""

    months: int
    discount_rate: float

    def weights(self) -> Floats:
        """What a payment at the end of each month is worth today."""
        months = np.arange(1, self.months + 1, dtype=np.float64)
        return np.asarray((1 + self.discount_rate) ** (-months / 12))

    def present(self, up_to: list[Floats]) -> Floats:
        """Discounted total of what ``up_to`` counts from today to the end of each month."""
        steps = [
            up_to[0],
            *(later - before for before, later in pairwise(up_to)),
        ]
        worth = np.zeros_like(up_to[0])
        for weight, step in zip(self.weights().tolist(), steps, strict=True):
            worth = worth + weight * step
        return worth


def purchases_ahead(rows: pl.LazyFrame, parameters: pl.LazyFrame, horizon: Horizon) -> pl.LazyFrame:
    """BG/NBD: adds alive_probability, expected_orders and discounted_orders to distinct histories.

    ``rows``: frequency, recency_days, tenure_days; ``parameters``: one row, null without a model.
    """

    def predict(frame: pl.DataFrame) -> pl.DataFrame:
        if frame.drop_nulls().is_empty():
            return _unknown(frame, _ALIVE, *_AHEAD)
        values = _parameters(frame, bg_nbd.NAMES)
        x, recency, age = (
            _floats(frame, "frequency"),
            _floats(frame, "recency_days") / DAYS_A_WEEK,
            _floats(frame, "tenure_days") / DAYS_A_WEEK,
        )
        alive = bg_nbd.alive_probability(values, x, recency, age)
        expected, present = _of_those_alive(values, x, age, horizon)
        return _with_columns(
            frame,
            alive_probability=alive,
            expected_orders=alive * expected,
            discounted_orders=alive * present,
        )

    return _predicted(rows, parameters, predict, _ALIVE)


def _of_those_alive(
    values: Floats, frequency: Floats, age: Floats, horizon: Horizon
) -> tuple[Floats, Floats]:
    """Purchases over the horizon and their discounted number, once for each frequency and age."""
    distinct, places = np.unique(np.stack([frequency, age]), axis=1, return_inverse=True)
    months = range(1, horizon.months + 1) if horizon.discount_rate else [horizon.months]
    up_to = [
        bg_nbd.expected_if_alive(values, distinct[0], distinct[1], month * WEEKS_A_MONTH)
        for month in months
    ]
    present = horizon.present(up_to) if horizon.discount_rate else up_to[-1]
    return up_to[-1][places.ravel()], present[places.ravel()]


def renewals_ahead(rows: pl.LazyFrame, parameters: pl.LazyFrame, horizon: Horizon) -> pl.LazyFrame:
    """Shifted beta-geometric: adds expected_orders and discounted_orders of one who still pays.

    ``rows``: frequency, the renewals passed; ``parameters``: one row, null without a model.
    """

    def predict(frame: pl.DataFrame) -> pl.DataFrame:
        if frame.drop_nulls().is_empty():
            return _unknown(frame, *_AHEAD)
        values = _parameters(frame, shifted_beta_geometric.NAMES)
        passed = _floats(frame, "frequency")
        up_to = [np.zeros_like(passed)]
        for month in range(1, horizon.months + 1):
            stays = shifted_beta_geometric.survival_from(values, passed, month)
            up_to.append(up_to[-1] + stays)
        return _with_columns(
            frame, expected_orders=up_to[-1], discounted_orders=horizon.present(up_to[1:])
        )

    return _predicted(rows, parameters, predict)


def _predicted(
    rows: pl.LazyFrame,
    parameters: pl.LazyFrame,
    predict: Callable[[pl.DataFrame], pl.DataFrame],
    *more: str,
) -> pl.LazyFrame:
    """The rows with what ``predict`` adds; the parameters stand in each row while it works."""
    known = rows.collect_schema()
    added = dict.fromkeys((*more, *_AHEAD), pl.Float64())
    # Within a row nothing depends on the others: their order is free.
    return rows.join(parameters, how="cross").map_batches(
        lambda frame: predict(frame).select(*known, *added), schema={**known, **added}
    )


def _parameters(frame: pl.DataFrame, names: tuple[str, ...]) -> Floats:
    return np.array([frame[name][0] for name in names], dtype=np.float64)


def _floats(frame: pl.DataFrame, name: str) -> Floats:
    return frame[name].cast(pl.Float64).to_numpy()


def _unknown(frame: pl.DataFrame, *names: str) -> pl.DataFrame:
    return frame.with_columns(pl.lit(None, pl.Float64).alias(name) for name in names)


def _with_columns(frame: pl.DataFrame, **columns: Floats) -> pl.DataFrame:
    added = frame.with_columns(
        pl.Series(name, values).fill_nan(None) for name, values in columns.items()
    )
    return added.with_columns(
        pl.col(name).round(_DECIMALS) for name in columns if name != "discounted_orders"
    )
