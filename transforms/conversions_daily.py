"""Goals that sessions reach, by day."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from schemas.base import dtypes
from schemas.conversions_daily import ConversionsDaily
from transforms.calendar import DAY
from transforms.conversion_counts import conversion_counts


def conversions_daily(
    sessions_daily: pl.LazyFrame,
    session_goals: pl.LazyFrame,
    plan_months: pl.LazyFrame,
    *,
    goals: Sequence[Mapping[str, Any]],
    dimensions: Sequence[str],
    data_through: date,
) -> pl.LazyFrame:
    """Every goal on every day and segment of ``sessions_daily``, which ends at the horizon."""
    counts = conversion_counts(
        sessions_daily.rename({"date": "period_start"}),
        session_goals,
        plan_months,
        DAY,
        goals=goals,
        dimensions=dimensions,
        week_start="monday",
        data_through=data_through,
    )
    days = counts.rename({"period_start": "date"})
    return days.with_columns(is_complete=pl.col("date") <= data_through).select(
        list(dtypes(ConversionsDaily))
    )
