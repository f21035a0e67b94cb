"""Spine: the days of a month on which a person was active, as bits."""

from collections.abc import Sequence

import polars as pl

from transforms.plans import PLAN
from transforms.recurring import NO_PLAN
from transforms.segmentation import by_dimension, event_dimensions, of_everybody

_ROW = ["month", "dimension", "segment", "user_id"]
_PERSON_MONTH = ["month", "user_id"]
_BITS = ["active_days", "first_days", "key_feature_days"]


def user_months(
    user_days: pl.LazyFrame, plan_months: pl.LazyFrame, *, dimensions: Sequence[str]
) -> pl.LazyFrame:
    """One row per month, dimension, segment and person, with the month's days as bits.

    Bit 0 is the first day of the month. ``first_days`` are the days whose first active event fell
    into the segment, ``key_feature_days`` those on which a key feature was used in it. A day's
    ``plan`` is that of its end; from the month of the first subscription on, every active day has
    one, and before it none has. Groups by person: a month's active people must fit into memory.
    """
    names = event_dimensions(dimensions)
    combinations = _bits_by_combination(user_days).cache()
    # One dimension at a time: a group-by over all of them at once takes half as long again.
    tables = [
        part.group_by(_ROW).agg(pl.col(_BITS).bitwise_or())
        for part in (of_everybody(combinations), *by_dimension(combinations, names))
    ]
    if PLAN in dimensions:
        tables[0] = tables[0].cache()
        tables.append(_bits_by_plan(tables[0], plan_months))
    return pl.concat(tables)


def _bits_by_plan(everybody: pl.LazyFrame, plan_months: pl.LazyFrame) -> pl.LazyFrame:
    """The bits per month, person and plan, where there are subscriptions by then."""
    known = everybody.join(plan_months.select("month").unique(), on="month", how="semi")
    paying = plan_months.filter(pl.col("plan") != NO_PLAN)
    of_plans = known.join(paying, on=_PERSON_MONTH).select(
        *_PERSON_MONTH, "plan", *(pl.col(name) & pl.col("plan_days") for name in _BITS)
    )
    covered = paying.group_by(_PERSON_MONTH).agg(pl.col("plan_days").sum().alias("covered"))
    taken = pl.col("covered").fill_null(0)
    of_none = known.join(covered, on=_PERSON_MONTH, how="left").select(
        *_PERSON_MONTH,
        pl.lit(NO_PLAN).alias("plan"),
        *(pl.col(name) - (pl.col(name) & taken) for name in _BITS),
    )
    return (
        pl.concat([of_plans, of_none])
        .filter(pl.col("active_days") != 0)
        .select(
            "month",
            pl.lit(PLAN).alias("dimension"),
            pl.col("plan").alias("segment"),
            "user_id",
            *_BITS,
        )
    )


def _bits_by_combination(user_days: pl.LazyFrame) -> pl.LazyFrame:
    """The bits per month, person and combination, of which a day has one row: sums are ORs."""
    bit = pl.lit(2, pl.Int64).pow(pl.col("event_date").dt.day() - 1)
    return (
        user_days.select(
            "user_id",
            "segments",
            pl.col("event_date").dt.month_start().alias("month"),
            active_days=bit,
            first_days=pl.when("is_first").then(bit).otherwise(0),
            key_feature_days=pl.when(pl.col("key_feature_events") > 0).then(bit).otherwise(0),
        )
        .group_by("month", "user_id", "segments")
        .agg(pl.col(_BITS).sum())
    )
