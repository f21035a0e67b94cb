"""Retention: which part of a cohort came back, and when."""

from datetime import date

import polars as pl

from transforms.calendar import GRAINS, nth_period, period_end, periods_between
from transforms.cohorts import COHORT, last_indices
from transforms.division import ratio

_CELL = ["cohort", "period_index"]


def cohort_retention(
    cohort_sizes: pl.LazyFrame,
    cohort_returns: pl.LazyFrame,
    cohort_last_returns: pl.LazyFrame,
    *,
    retention_periods: tuple[int, int, int],
    data_through: date,
) -> pl.LazyFrame:
    """Every cohort by period index, from 0 to the last period that has begun.

    Index 0 is the whole cohort. ``rolling_users`` is null until the period of the last index has
    ended. Rates are over ``cohort_users``.
    """
    last = last_indices(retention_periods)
    parts = []
    for grain in GRAINS:
        sizes, returned, last_returned = (
            table.filter(pl.col("grain") == grain)
            for table in (cohort_sizes, cohort_returns, cohort_last_returns)
        )
        parts.append(_cells(sizes, returned, last_returned, grain, last[grain], data_through))
    return pl.concat(parts).select(
        "definition",
        "grain",
        "cohort_start",
        "period_index",
        "dimension",
        "segment",
        "cohort_users",
        "active_users",
        ratio("active_users", "cohort_users").alias("retention_rate"),
        "rolling_users",
        ratio("rolling_users", "cohort_users").alias("rolling_retention_rate"),
        "is_complete",
    )


def _cells(
    sizes: pl.LazyFrame,
    returned: pl.LazyFrame,
    last_returned: pl.LazyFrame,
    grain: str,
    last_index: int,
    data_through: date,
) -> pl.LazyFrame:
    # A number per cohort keeps the joins on cells, of which there are millions, to integers.
    cohorts = sizes.sort(COHORT).with_row_index("cohort")
    start, index = pl.col("cohort_start"), pl.col("period_index")
    begun = pl.min_horizontal(periods_between(start, pl.lit(data_through), grain), last_index)
    ended = period_end(nth_period(start, pl.lit(last_index), grain), grain) <= data_through
    numbered = cohorts.select(*COHORT, "cohort")
    active = returned.join(numbered, on=COHORT).select(
        "cohort",
        periods_between(start, pl.col("period_start"), grain).alias("period_index"),
        later_users="users",
    )
    gone = last_returned.join(numbered, on=COHORT).select(
        "cohort", pl.col("last_return_index").alias("period_index"), last_seen_users="users"
    )
    remaining = pl.col("last_seen_users").cum_sum(reverse=True)
    return (
        cohorts.filter(start <= data_through)
        .with_columns(period_index=pl.int_ranges(0, begun + 1), has_ended=ended)
        .explode("period_index")
        .join(active, on=_CELL, how="left")
        .join(gone, on=_CELL, how="left")
        .with_columns(pl.col("later_users", "last_seen_users").fill_null(0))
        .with_columns(remaining.over("cohort", order_by="period_index"))
        .with_columns(
            active_users=pl.when(index == 0).then("cohort_users").otherwise("later_users"),
            rolling_users=pl.when("has_ended").then("last_seen_users"),
            is_complete=period_end(nth_period(start, index, grain), grain) <= data_through,
        )
    )
