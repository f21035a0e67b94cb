"""Spine: when each person had a session for the first time, overall and in each segment."""

from collections.abc import Sequence

import polars as pl

from transforms.plans import in_each_dimension

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
    first_date = pl.col("date").min().alias("first_date")
    combinations = session_days.group_by("segments", "user_id").agg(pl.col("date").min()).cache()
    parts = in_each_dimension(session_days, plan_months, dimensions, grouped=combinations)
    seen = [part.group_by(_KEY).agg(first_date) for part in parts]
    new = pl.concat(seen).join(visitors, on=_KEY, how="anti")
    return new.select(
        pl.col("first_date").dt.month_start().alias("first_month"), *_KEY, "first_date"
    )
