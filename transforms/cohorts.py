"""Who belongs to which retention cohort, and when people return. No table is made here.

The definition ``activity`` takes people in with their first active day and lets any activity count
as a return; the others come from the setting ``retentions``. A cohort's segment is the one of the
first start event in the cohort's period; returns count whatever their segment.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from schemas.base import ALL
from transforms.bits import (
    DAYS_OF_MONTH,
    WEEK_BITS,
    WEEKS_OF_MONTH,
    aligned,
    shift_right,
    spread,
    until,
)
from transforms.calendar import (
    DAY,
    GRAINS,
    MONTH,
    days_to_week_start,
    period_start,
    plus_days,
    week_of_month,
)

ACTIVITY = "activity"
PERSON = ["definition", "user_id"]
COHORT = ["definition", "cohort_start", "dimension", "segment"]


def last_indices(retention_periods: tuple[int, int, int]) -> dict[str, int]:
    """The last period index of each grain."""
    return dict(zip(GRAINS, retention_periods, strict=True))


def months_before(retention_periods: tuple[int, int, int]) -> int:
    """How many months before a period's the earliest cohort lies that can still return in it."""
    days, weeks, months = retention_periods
    return max(months, -(-max(days, 7 * weeks + 6) // 28))


def entries(
    users: pl.LazyFrame,
    definition_users: pl.LazyFrame,
    definition_months: pl.LazyFrame,
    *,
    retentions: Sequence[Mapping[str, Any]],
    week_start: str,
    data_through: date,
) -> dict[str, pl.LazyFrame]:
    """By grain, everybody's entries into cohorts.

    Columns: definition, cohort_start, dimension, segment, user_id.
    """
    once = _once(users, definition_users, _named(retentions, "first_time"), data_through)
    recurring = _named(retentions, "recurring")
    starts = until(definition_months, ["start_days"], data_through).filter(
        pl.col("definition").is_in(recurring), pl.col("start_days") != 0
    )
    entered = {}
    for grain in GRAINS:
        cohort_start = period_start(pl.col("first_date"), grain, week_start)
        first = once.with_columns(cohort_start=cohort_start).select(*COHORT, "user_id")
        again = [_recurring(starts, grain, week_start)] if recurring else []
        entered[grain] = pl.concat([first, *again])
    return entered


def _once(
    users: pl.LazyFrame,
    definition_users: pl.LazyFrame,
    first_time: Sequence[str],
    data_through: date,
) -> pl.LazyFrame:
    """The entries of those who enter a definition once."""
    rows = ["definition", "dimension", "segment", "user_id", "first_date"]
    parts = [users.filter("is_entry").with_columns(definition=pl.lit(ACTIVITY)).select(rows)]
    if first_time:
        chosen = pl.col("definition").is_in(first_time)
        parts.append(definition_users.filter(chosen).select(rows))
    return pl.concat(parts).filter(pl.col("first_date") <= data_through)


def _named(retentions: Sequence[Mapping[str, Any]], entry: str) -> list[str]:
    return [definition["name"] for definition in retentions if definition["entry"] == entry]


def _recurring(starts: pl.LazyFrame, grain: str, week_start: str) -> pl.LazyFrame:
    """One entry per period with a start event, in the segment of the first of them."""
    row = ["definition", "dimension", "segment", "user_id"]
    own = by_period(starts.select("month", *row, bits="start_days"), row, grain, week_start)
    firsts = own.filter(pl.col("dimension") == ALL).select(
        "period_start", *PERSON, first=pl.col("bits") & -pl.col("bits")
    )
    return (
        own.join(firsts, on=["period_start", *PERSON])
        .filter((pl.col("bits") & pl.col("first")) != 0)
        .select(pl.col("period_start").alias("cohort_start"), *row)
        .select(*COHORT, "user_id")
    )


def by_period(months: pl.LazyFrame, by: Sequence[str], grain: str, week_start: str) -> pl.LazyFrame:
    """Months of bits cut into the periods that start in them: period_start, ``by``, bits.

    Only periods with a bit. Within a period, a lower bit is an earlier day.
    """
    bits = pl.col("bits")
    if grain == MONTH:
        return months.select(pl.col("month").alias("period_start"), *by, "bits")
    if grain == DAY:
        masks, whole = [1 << (day - 1) for day in DAYS_OF_MONTH], months
    else:
        masks = [WEEK_BITS << 7 * week for week in WEEKS_OF_MONTH]
        first = days_to_week_start(pl.col("month"), week_start)
        whole = aligned(months, by, after=6).with_columns(bits=shift_right(bits, first))
    names = [f"slot{number}" for number in range(len(masks))]
    wide = whole.select(
        "month", *by, *((bits & mask).alias(name) for mask, name in zip(masks, names, strict=True))
    )
    long = spread(wide, range(len(masks)), bits=names).filter(bits != 0)
    if grain == DAY:
        dated = long.with_columns(period_start=plus_days(pl.col("month"), pl.col("slot")))
    else:
        dated = week_of_month(long, week_start)
    return dated.select("period_start", *by, "bits")


def returns(
    user_months: pl.LazyFrame, definition_months: pl.LazyFrame, *, data_through: date
) -> pl.LazyFrame:
    """The days on which people return, in any segment: month, definition, user_id, bits."""
    columns = ["month", *PERSON]
    everybody = pl.col("dimension") == ALL
    activity = until(user_months, ["active_days"], data_through).filter(everybody)
    named = until(definition_months, ["return_days"], data_through).filter(everybody)
    both = [
        activity.with_columns(definition=pl.lit(ACTIVITY)).select(*columns, bits="active_days"),
        named.select(*columns, bits="return_days"),
    ]
    return pl.concat(both).filter(pl.col("bits") != 0)
