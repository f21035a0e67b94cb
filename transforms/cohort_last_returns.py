"""In which period the people of each retention cohort returned for the last time."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from schemas.base import ALL
from transforms.bits import highest, lowest_bits
from transforms.calendar import (
    GRAINS,
    nth_period,
    period_end,
    period_start,
    periods_between,
    plus_days,
)
from transforms.cohorts import COHORT, PERSON, entries, last_indices, returns

_END = "last_period_end"


def cohort_last_returns(
    users: pl.LazyFrame,
    user_months: pl.LazyFrame,
    definition_users: pl.LazyFrame,
    definition_months: pl.LazyFrame,
    *,
    retentions: Sequence[Mapping[str, Any]],
    week_start: str,
    retention_periods: tuple[int, int, int],
    data_through: date,
) -> pl.LazyFrame:
    """People per definition, grain, cohort and segment by the index of their last return.

    Only cohorts whose last index's period has ended, filed under the month in which it ends;
    index 0 holds those who never returned. All inputs go back as far as a cohort runs (see
    :func:`transforms.cohorts.months_before`).
    """
    back = returns(user_months, definition_months, data_through=data_through)
    last = last_indices(retention_periods)
    entered = entries(
        users,
        definition_users,
        definition_months,
        retentions=retentions,
        week_start=week_start,
        data_through=data_through,
    )
    parts = [
        _by_last_index(
            entered[grain]
            .with_columns(_end(grain, last[grain]))
            .filter(pl.col(_END) <= data_through),
            back,
            grain,
            week_start,
        )
        for grain in GRAINS
    ]
    return pl.concat(parts)


def _end(grain: str, last_index: int) -> pl.Expr:
    last_start = nth_period(pl.col("cohort_start"), pl.lit(last_index), grain)
    return period_end(last_start, grain).alias(_END)


def _by_last_index(
    entered: pl.LazyFrame, back: pl.LazyFrame, grain: str, week_start: str
) -> pl.LazyFrame:
    # The end, which follows from the cohort's start, is a key of every step so that a filter on it
    # reaches the inputs.
    entry = [*PERSON, "cohort_start", _END]
    last_period = period_start(pl.col("last_return"), grain, week_start)
    index = periods_between(pl.col("cohort_start"), last_period, grain)
    return (
        entered.join(_last_returns(entered, back, entry), on=entry, how="left")
        .with_columns(last_return_index=index.fill_null(0))
        .group_by(*COHORT, _END, "last_return_index")
        .agg(users=pl.len().cast(pl.Int64))
        .select(
            "definition",
            pl.lit(grain).alias("grain"),
            "cohort_start",
            _END,
            "dimension",
            "segment",
            "last_return_index",
            "users",
        )
    )


def _last_returns(entered: pl.LazyFrame, back: pl.LazyFrame, entry: list[str]) -> pl.LazyFrame:
    """The last day of return of each entry, up to the end of the cohort's run."""
    month, end, bits = pl.col("month"), pl.col(_END), pl.col("bits")
    known = pl.when(month == end.dt.month_start()).then(lowest_bits(bits, end.dt.day()))
    return (
        entered.filter(pl.col("dimension") == ALL)
        .select(entry)
        .join(back, on=PERSON)
        .filter(month <= end)
        .with_columns(bits=known.otherwise(bits))
        .filter(bits != 0)
        .with_columns(last_return=plus_days(month, highest(bits)))
        .filter(pl.col("last_return") >= pl.col("cohort_start"))
        .group_by(entry)
        .agg(pl.col("last_return").max())
    )
