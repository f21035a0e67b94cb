"""Whose plan it is on a day: the one that bears the person's MRR at the day's end."""

from collections.abc import Iterator, Sequence

import polars as pl

from schemas.base import ALL
from transforms.bits import DAYS_OF_MONTH
from transforms.recurring import NO_PLAN
from transforms.segmentation import by_dimension, event_dimensions, of_everybody

PLAN = "plan"
_PERSON_MONTH = ["month", "user_id"]
_ALL_DAYS = (1 << DAYS_OF_MONTH.stop - 1) - 1


def one_by_one(rows: pl.LazyFrame, dimensions: Sequence[str]) -> Iterator[pl.LazyFrame]:
    """The rows of everybody, then of one dimension of the setting ``dimensions`` at a time.

    What groups by person needs memory for one of them only, and files that are stored by dimension
    are read once in all.
    """
    plan = [PLAN] if PLAN in dimensions else []
    for name in (ALL, *event_dimensions(dimensions), *plan):
        yield rows.filter(pl.col("dimension") == name)


def plans_on(days: pl.LazyFrame, plan_months: pl.LazyFrame) -> pl.LazyFrame:
    """``plan`` of each ``user_id`` and ``day``, from the person's first subscription on."""
    return (
        days.select("user_id", "day")
        .unique()
        .with_columns(month=pl.col("day").dt.month_start())
        .join(plan_months.select(*_PERSON_MONTH, PLAN, "plan_days"), on=_PERSON_MONTH)
        .filter((pl.col("plan_days") & _bit(pl.col("day"))) != 0)
        .select("user_id", "day", PLAN)
    )


def in_each_dimension(
    rows: pl.LazyFrame,
    plan_months: pl.LazyFrame,
    dimensions: Sequence[str],
    *,
    grouped: pl.LazyFrame | None = None,
    day: str = "date",
) -> Iterator[pl.LazyFrame]:
    """The rows, which have ``segments``, with ``dimension`` and ``segment``, by one at a time.

    ``grouped`` stands for the rows where they can be put together without their ``day``. The plan
    is that of the day, and so is always given to the rows themselves.
    """
    several_days = rows if grouped is None else grouped
    yield of_everybody(several_days)
    yield from by_dimension(several_days, event_dimensions(dimensions))
    if PLAN in dimensions:
        yield _by_plan(rows, plan_months, day=day)


def _by_plan(rows: pl.LazyFrame, plan_months: pl.LazyFrame, *, day: str = "date") -> pl.LazyFrame:
    """The rows with the plan that their ``user_id`` has on their day as ``segment``.

    The plan is ``none`` where the person has none. Days in months before the first subscription of
    all have no plan, and their rows are left out.
    """
    of_day = ((pl.col("plan_days") & _bit(pl.col(day))) != 0).fill_null(True)
    return (
        rows.with_columns(month=pl.col(day).dt.month_start())
        .join(plan_months.select("month"), on="month", how="semi")
        .join(_whole_months(plan_months), on=_PERSON_MONTH, how="left")
        # Of the plans of a person's month one holds on the day; most people have none at all.
        .filter(of_day)
        .with_columns(dimension=pl.lit(PLAN), segment=pl.col(PLAN).fill_null(NO_PLAN))
        .drop("month", PLAN, "plan_days")
    )


def _whole_months(plan_months: pl.LazyFrame) -> pl.LazyFrame:
    """The plans by person and month, with the days before the first subscription under none."""
    covered = plan_months.group_by(_PERSON_MONTH).agg(pl.col("plan_days").sum())
    before = covered.with_columns(plan_days=_ALL_DAYS - pl.col("plan_days"), plan=pl.lit(NO_PLAN))
    columns = [*_PERSON_MONTH, "plan_days", PLAN]
    return pl.concat([plan_months.select(columns), before.select(columns)])


def _bit(day: pl.Expr) -> pl.Expr:
    return pl.lit(2, pl.Int64).pow((day.dt.day() - 1).cast(pl.UInt32))
