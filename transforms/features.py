"""Days of features broken down by segment. No table is made here."""

from collections.abc import Iterator, Sequence

import polars as pl

from schemas.base import ALL
from transforms.plans import PLAN, with_plans
from transforms.segmentation import split


def feature_rows(
    feature_days: pl.LazyFrame, plan_months: pl.LazyFrame, dimensions: Sequence[str]
) -> tuple[pl.LazyFrame, list[str]]:
    """Days of features whose ``segments`` end with the day's plan, and the dimensions in them."""
    dated = feature_days.with_columns(date="event_date")
    known, names = with_plans(dated, plan_months, dimensions)
    return known.drop("date"), names


def by_dimension(rows: pl.LazyFrame, names: Sequence[str]) -> Iterator[pl.LazyFrame]:
    """The rows with ``dimension`` and ``segment``: of everybody, then of one dimension at a time.

    One at a time, so that only one copy of the rows is held. In months before the first
    subscription of all there are no plans.
    """
    has_no_plan = (pl.col("dimension") == PLAN) & (pl.col("segment") == "")
    parts = split(rows, names).filter(~has_no_plan).cache()
    for dimension in (ALL, *names):
        yield rows.join(parts.filter(pl.col("dimension") == dimension), on="segments")
