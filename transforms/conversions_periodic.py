"""Goals that sessions reach, by calendar week and month."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from schemas.base import dtypes
from schemas.conversions_periodic import ConversionsPeriodic
from transforms.calendar import MONTH, WEEK
from transforms.conversion_counts import conversion_counts


def conversions_periodic(
    sessions_periodic: pl.LazyFrame,
    session_goals: pl.LazyFrame,
    plan_months: pl.LazyFrame,
    *,
    goals: Sequence[Mapping[str, Any]],
    dimensions: Sequence[str],
    week_start: str,
    data_through: date,
) -> pl.LazyFrame:
    """Every goal in every week, month and segment of ``sessions_periodic``.

    A week is filed under the month in which it starts and may end in the next: the sessions' goals
    and the plans go one month further.
    """
    parts = [
        conversion_counts(
            sessions_periodic.filter(pl.col("grain") == grain),
            session_goals,
            plan_months,
            grain,
            goals=goals,
            dimensions=dimensions,
            week_start=week_start,
            data_through=data_through,
        )
        for grain in (WEEK, MONTH)
    ]
    return pl.concat(parts).select(list(dtypes(ConversionsPeriodic)))
