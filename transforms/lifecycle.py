"""New, retained, resurrected and dormant users by day, week and month."""

from collections.abc import Sequence
from datetime import date
from itertools import pairwise

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
    until,
)
from transforms.calendar import (
    DAY,
    GRAINS,
    MONTH,
    WEEK,
    days_to_week_start,
    dense_periods,
    period_end,
    period_start,
    plus_days,
    week_of_month,
)
from transforms.plans import one_by_one

_SEGMENT = ["dimension", "segment"]
_BEFORE = 7
# Above the days: was the person active at all in this month, and in the one before.
_ACTIVE_THIS_MONTH = 1 << 51
_ACTIVE_LAST_MONTH = 1 << 50


def lifecycle(
    user_months: pl.LazyFrame,
    users: pl.LazyFrame,
    segments: pl.LazyFrame,
    *,
    dimensions: Sequence[str],
    week_start: str,
    data_through: date,
) -> pl.LazyFrame:
    """Every day, week and month of every segment, from its first to the running one.

    New, retained and so on are judged within the segment's own history. A week is filed under the
    month in which it starts: ``user_months`` goes one month back and one further, ``users`` one
    further.
    """
    known = until(user_months, ["active_days"], data_through).rename({"active_days": "bits"})
    wide = pl.concat(
        _active(rows, week_start, data_through) for rows in one_by_one(known, dimensions)
    )
    active = _by_grain(wide, week_start)
    seen = users.filter(pl.col("first_date") <= data_through)
    return pl.concat(
        _states(active[grain], seen, segments, grain, week_start, data_through) for grain in GRAINS
    )


def _active(known: pl.LazyFrame, week_start: str, data_through: date) -> pl.LazyFrame:
    """People active in each period, in the one before, and in both, from one pass over them."""
    people = aligned(
        known,
        [*_SEGMENT, "user_id"],
        before=_BEFORE,
        after=6,
        own_flag=_ACTIVE_THIS_MONTH,
        previous_flag=_ACTIVE_LAST_MONTH,
    ).filter(pl.col("month") <= data_through)
    bits = pl.col("bits")
    weeks = shift_right(bits, days_to_week_start(pl.col("month"), week_start))
    days = [1 << (_BEFORE + day - 1) for day in range(DAYS_OF_MONTH.stop)]
    week_masks = [WEEK_BITS << 7 * week for week in range(len(WEEKS_OF_MONTH) + 1)]
    months = [_ACTIVE_LAST_MONTH, _ACTIVE_THIS_MONTH]
    return (
        people.with_columns(weeks=weeks)
        .group_by("month", *_SEGMENT)
        .agg(
            *_in_turn(bits, days, DAY),
            *_in_turn(pl.col("weeks"), week_masks, WEEK),
            *_in_turn(bits, months, MONTH),
        )
    )


def _by_grain(wide: pl.LazyFrame, week_start: str) -> dict[str, pl.LazyFrame]:
    """The same with a row for each period."""
    of_days = _long(wide, DAY, DAYS_OF_MONTH).filter(
        pl.col("slot") <= pl.col("month").dt.days_in_month()
    )
    return {
        DAY: of_days.with_columns(period_start=plus_days(pl.col("month"), pl.col("slot") - 1)),
        WEEK: week_of_month(_long(wide, WEEK, WEEKS_OF_MONTH), week_start),
        MONTH: _long(wide, MONTH, range(1)).with_columns(period_start="month"),
    }


def _in_turn(bits: pl.Expr, masks: Sequence[int], name: str) -> list[pl.Expr]:
    """How many were active in each of consecutive periods, and in each and the one before."""
    active = [any_of(bits, mask) for mask in masks]
    both = [this & before for before, this in pairwise(active)]
    return people_with(active, f"{name}_active") + people_with(both, f"{name}_retained")


def _long(wide: pl.LazyFrame, name: str, slots: range) -> pl.LazyFrame:
    active = numbered(f"{name}_active", len(slots) + 1)
    retained = numbered(f"{name}_retained", len(slots))
    chosen = wide.select("month", *_SEGMENT, *active, *retained)
    with_former = chosen.with_columns(
        pl.col(column).alias(f"{column}_before") for column in active[:-1]
    )
    return spread(
        with_former,
        slots,
        active_users=active[1:],
        former_users=[f"{column}_before" for column in active[:-1]],
        retained_users=retained,
    )


def _states(
    active: pl.LazyFrame,
    seen: pl.LazyFrame,
    segments: pl.LazyFrame,
    grain: str,
    week_start: str,
    data_through: date,
) -> pl.LazyFrame:
    key = ["period_start", *_SEGMENT]
    start = period_start(pl.col("first_date"), grain, week_start)
    new = seen.group_by(start.alias("period_start"), *_SEGMENT).agg(
        new_users=pl.len().cast(pl.Int64)
    )
    counts = ["active_users", "former_users", "retained_users", "new_users"]
    return (
        dense_periods(segments, grain, week_start=week_start, data_through=data_through)
        .join(active, on=key, how="left")
        .join(new, on=key, how="left")
        .with_columns(pl.col(counts).fill_null(0))
        .select(
            pl.lit(grain).alias("grain"),
            *key,
            "new_users",
            "retained_users",
            resurrected_users=pl.col("active_users")
            - pl.col("retained_users")
            - pl.col("new_users"),
            dormant_users=pl.col("former_users") - pl.col("retained_users"),
            active_users="active_users",
            is_complete=period_end(pl.col("period_start"), grain) <= data_through,
        )
    )
