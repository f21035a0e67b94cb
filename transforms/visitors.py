"""Spine: when each person had a session for the first time, overall and in each segment."""

from collections.abc import Sequence

import polars as pl

from schemas.base import ALL
from transforms.plans import with_plans
from transforms.segmentation import split

_KEY = ["dimension", "segment", "user_id"]


def visitors(
    session_days: pl.LazyFrame,
    plan_months: pl.LazyFrame,
    visitors: pl.LazyFrame,
    *,
    dimensions: Sequence[str],
) -> pl.LazyFrame:
    """People whose first session starts in the months handed in, per dimension and segment.

    ``visitors`` are this table's own rows of all earlier months. Groups by person: a month's
    visitors must fit into memory.
    """
    known, names = with_plans(session_days, plan_months, dimensions)
    first_date = pl.col("first_date").min()
    combinations = (
        known.select("segments", "user_id", first_date="date")
        .group_by("segments", "user_id")
        .agg(first_date)
        .cache()
    )
    parts = split(combinations, names).filter(pl.col("segment") != "")
    seen = [
        combinations.join(parts.filter(pl.col("dimension") == dimension), on="segments")
        .group_by(_KEY)
        .agg(first_date)
        for dimension in (ALL, *names)
    ]
    new = pl.concat(seen).join(visitors, on=_KEY, how="anti")
    return new.select(
        pl.col("first_date").dt.month_start().alias("first_month"), *_KEY, "first_date"
    )
