"""Whose plan it is on a day: the one that bears the person's MRR at the day's end."""

from collections.abc import Sequence

import polars as pl

from transforms.recurring import NO_PLAN
from transforms.segmentation import SEPARATOR, event_dimensions

PLAN = "plan"


def plans_on(days: pl.LazyFrame, plan_months: pl.LazyFrame) -> pl.LazyFrame:
    """``plan`` of each ``user_id`` and ``day``, from the person's first subscription on."""
    bit = pl.lit(2, pl.Int64).pow((pl.col("day").dt.day() - 1).cast(pl.UInt32))
    return (
        days.select("user_id", "day")
        .unique()
        .with_columns(month=pl.col("day").dt.month_start())
        .join(plan_months.select("month", "user_id", PLAN, "plan_days"), on=["month", "user_id"])
        .filter((pl.col("plan_days") & bit) != 0)
        .select("user_id", "day", PLAN)
    )


def with_plans(
    session_days: pl.LazyFrame, plan_months: pl.LazyFrame, dimensions: Sequence[str]
) -> tuple[pl.LazyFrame, list[str]]:
    """Sessions whose ``segments`` end with the plan of their day, and the dimensions in them.

    The plan is ``none`` where the person has none, and empty in months before the first
    subscription of all, which have no such segments.
    """
    names = event_dimensions(dimensions)
    if PLAN not in dimensions:
        return session_days, names
    months = plan_months.select("month", has_plans=pl.lit(True)).unique()
    borne = plans_on(session_days.select("user_id", day="date"), plan_months)
    known = (
        session_days.with_columns(day="date", month=pl.col("date").dt.month_start())
        .join(months, on="month", how="left")
        .join(borne, on=["user_id", "day"], how="left")
    )
    plan = pl.coalesce(PLAN, pl.lit(NO_PLAN)).str.replace_all(SEPARATOR, " ", literal=True)
    segment = pl.when("has_plans").then(plan).otherwise(pl.lit(""))
    values = [pl.col("segments"), segment] if names else [segment]
    segments = pl.concat_str(values, separator=SEPARATOR)
    added = ["day", "month", "has_plans", PLAN]
    return known.with_columns(segments.alias("segments")).drop(added), [*names, PLAN]
