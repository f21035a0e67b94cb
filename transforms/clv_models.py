"""The models behind lifetime value: their parameters, and how well they foretold."""

from collections.abc import Callable
from datetime import date, timedelta

import polars as pl

from schemas.base import dtypes
from schemas.clv_models import ClvModels
from transforms.calendar import MONTH, periods_between
from transforms.division import ratio
from transforms.model_rows import Judged, buying, spending, staying
from transforms.purchases import histories, later_days, with_later_days
from transforms.tenures import last_whole_month, renewals, tenures


def clv_models(
    orders: pl.LazyFrame,
    customer_months: pl.LazyFrame,
    *,
    clv_cutoff: date | None,
    clv_holdout_weeks: int,
    data_through: date,
) -> pl.LazyFrame:
    """Each model fitted to what was known at the cut-off, and held against what came after it.

    The cut-off is ``clv_cutoff``, else ``clv_holdout_weeks`` before ``data_through``. Groups all
    orders by customer and day; equal histories are one row of the fit.
    """
    cutoff = min(clv_cutoff or data_through - timedelta(weeks=clv_holdout_weeks), data_through)
    known = with_later_days(histories(orders, cutoff), later_days(orders, cutoff, data_through))
    held_out = (data_through - cutoff).days
    parts = [
        _judged(_times(known), lambda rows: buying(rows, held_out)),
        _judged(_amounts(known), spending),
        _judged(_stays(customer_months, cutoff, data_through), staying),
    ]
    error = ratio(pl.col("holdout_predicted") - pl.col("holdout_actual"), "holdout_actual")
    return (
        pl.concat(parts)
        .with_columns(
            as_of=pl.lit(data_through),
            cutoff_date=pl.lit(cutoff),
            holdout_days=pl.lit(held_out, pl.Int64),
            error_rate=error.round(6),
        )
        .select(*dtypes(ClvModels))
    )


def _times(known: pl.LazyFrame) -> pl.LazyFrame:
    key = ["frequency", "recency_days", "tenure_days"]
    customers = pl.len().cast(pl.Int64)
    return known.group_by(key).agg(customers=customers, later=pl.col("later_days").sum()).sort(key)


def _amounts(known: pl.LazyFrame) -> pl.LazyFrame:
    key = ["valued_days", "valued_amount"]
    later = pl.col("later_valued_days", "later_valued_amount").sum()
    return known.group_by(key).agg(pl.len().cast(pl.Int64).alias("customers"), later).sort(key)


def _stays(customer_months: pl.LazyFrame, cutoff: date, through: date) -> pl.LazyFrame:
    """Stretches by renewals: lost at the next one or kept, and how many of these later stayed."""
    last, latest = last_whole_month(cutoff), last_whole_month(through)
    ahead = periods_between(pl.lit(last), pl.lit(latest), MONTH)
    now = tenures(customer_months, latest).select(
        "customer_id", "first_month", still_pays=~pl.col("is_lost")
    )
    key = ["is_lost", "passed", "ahead"]
    return (
        tenures(customer_months, last)
        .join(now, on=["customer_id", "first_month"], how="left")
        .with_columns(passed=renewals("last_month"), ahead=ahead)
        .group_by(key)
        .agg(customers=pl.len().cast(pl.Int64), later=pl.col("still_pays").sum().cast(pl.Int64))
        .sort(key)
    )


def _judged(rows: pl.LazyFrame, judge: Callable[[pl.DataFrame], Judged]) -> pl.LazyFrame:
    schema = {
        name: dtype
        for name, dtype in dtypes(ClvModels).items()
        if name not in {"as_of", "cutoff_date", "holdout_days", "error_rate"}
    }

    def as_row(frame: pl.DataFrame) -> pl.DataFrame:
        return pl.DataFrame([judge(frame).row()], schema=schema)

    return rows.map_batches(as_row, schema=schema)
