"""How many people of each retention cohort returned in each later period."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from transforms.bits import (
    DAYS_OF_MONTH,
    WEEK_BITS,
    WEEKS_OF_MONTH,
    aligned,
    any_of,
    numbered,
    people_with,
    shift_right,
    spread,
)
from transforms.calendar import (
    DAY,
    GRAINS,
    MONTH,
    WEEK,
    days_to_week_start,
    nth_period,
    plus_days,
    week_of_month,
)
from transforms.cohorts import COHORT, PERSON, entries, last_indices, returns


def cohort_returns(
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
    """People per definition, grain, cohort, period of return and segment; no row without anybody.

    Filed by the month in which the period of return starts. ``users`` and ``definition_users`` go
    back as far as a cohort runs (see :func:`transforms.cohorts.months_before`), ``user_months``
    one month further. The cohort's own period is left out: it is the whole cohort by definition.
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
        _returned(
            entered[grain],
            back,
            grain,
            week_start,
            last[grain],
        )
        for grain in GRAINS
    ]
    return pl.concat(parts)


def _returned(
    entered: pl.LazyFrame, back: pl.LazyFrame, grain: str, week_start: str, last_index: int
) -> pl.LazyFrame:
    if grain == WEEK:
        back = aligned(back, PERSON, after=6)
    month, final = pl.col("month"), _last_period(grain, last_index)
    # Weeks and days of the month may still lie outside the cohort's run: sorted out below, on few
    # rows.
    people = entered.join(back, on=PERSON).filter(
        pl.col("cohort_start") < month.dt.offset_by("1mo"), final >= month
    )
    masks = _masks(grain)
    bits = pl.col("bits")
    if grain == WEEK:
        bits = shift_right(bits, days_to_week_start(month, week_start))
    wide = people.group_by("month", *COHORT).agg(
        people_with((any_of(bits, mask) for mask in masks), "users")
    )
    long = spread(wide, range(len(masks)), users=numbered("users", len(masks)))
    start = pl.col("period_start")
    return (
        _dated(long, grain, week_start)
        .filter(pl.col("users") > 0, start > pl.col("cohort_start"), start <= final)
        .select(
            "definition",
            pl.lit(grain).alias("grain"),
            "cohort_start",
            "period_start",
            "dimension",
            "segment",
            "users",
        )
    )


def _masks(grain: str) -> list[int]:
    if grain == DAY:
        return [1 << (day - 1) for day in DAYS_OF_MONTH]
    if grain == WEEK:
        return [WEEK_BITS << 7 * week for week in WEEKS_OF_MONTH]
    return [(1 << DAYS_OF_MONTH.stop) - 1]


def _last_period(grain: str, last_index: int) -> pl.Expr:
    return nth_period(pl.col("cohort_start"), pl.lit(last_index), grain)


def _dated(long: pl.LazyFrame, grain: str, week_start: str) -> pl.LazyFrame:
    if grain == WEEK:
        return week_of_month(long, week_start)
    if grain == MONTH:
        return long.with_columns(period_start="month")
    return long.with_columns(period_start=plus_days(pl.col("month"), pl.col("slot")))
