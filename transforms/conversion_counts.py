"""What is counted of the goals reached in a day, week or month, in all and per segment."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from transforms.calendar import period_start
from transforms.division import ratio
from transforms.plans import in_each_dimension

_CELL = ["period_start", "dimension", "segment"]
_COUNTS = ["conversions", "converting_users", "converting_sessions"]


def conversion_counts(
    periods: pl.LazyFrame,
    session_goals: pl.LazyFrame,
    plan_months: pl.LazyFrame,
    grain: str,
    *,
    goals: Sequence[Mapping[str, Any]],
    dimensions: Sequence[str],
    week_start: str,
    data_through: date,
) -> pl.LazyFrame:
    """Each goal in each of ``periods``: period_start, dimension, segment, sessions, visitors."""
    names = sorted({goal["name"] for goal in goals})
    until = session_goals.filter(pl.col("date") <= data_through)
    start = period_start(pl.col("date"), grain, week_start)
    dated = until.with_columns(period_start=start)
    reached = pl.concat(
        part.group_by(*_CELL, "goal").agg(
            conversions=pl.col("conversions").sum(),
            converting_users=pl.col("user_id").n_unique().cast(pl.Int64),
            converting_sessions=pl.len().cast(pl.Int64),
        )
        for part in in_each_dimension(dated, plan_months, dimensions)
    )
    return (
        periods.join(pl.LazyFrame({"goal": names}, schema={"goal": pl.String}), how="cross")
        .join(reached, on=[*_CELL, "goal"], how="left")
        .with_columns(pl.col(_COUNTS).fill_null(0))
        .with_columns(
            user_conversion_rate=ratio("converting_users", "visitors"),
            session_conversion_rate=ratio("converting_sessions", "sessions"),
        )
    )
