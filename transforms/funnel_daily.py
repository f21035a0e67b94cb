"""Funnels by day of entry."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from schemas.base import dtypes
from schemas.funnel_daily import FunnelDaily
from transforms.calendar import DAY, every_period, first_instant, plus_days
from transforms.division import ratio
from transforms.funnels import funnel_steps
from transforms.sessionizing import in_seconds

_FUNNEL_DAY = ["entry_date", "funnel"]


def funnel_daily(
    funnel_entries: pl.LazyFrame,
    funnel_daily: pl.LazyFrame,
    *,
    funnels: Sequence[Mapping[str, Any]],
    timezone: str,
    data_through: date,
) -> pl.LazyFrame:
    """Every day of every funnel and step, from its first entry to ``data_through``.

    ``funnel_daily`` are this table's own rows of the month before: a funnel that is in them had
    its first entry by then.
    """
    known = funnel_entries.filter(pl.col("reached_date") <= data_through)
    took = pl.col("microseconds_from_previous").quantile(0.5, "linear")
    counts = known.group_by(*_FUNNEL_DAY, "step").agg(
        entered_users=pl.len().cast(pl.Int64), median_seconds_from_previous=in_seconds(took)
    )
    entered = pl.col("entered_users")
    previous = entered.shift(1).over(_FUNNEL_DAY, order_by="step")
    return (
        _cells(known, funnel_daily, funnels, data_through)
        .join(counts, on=[*_FUNNEL_DAY, "step"], how="left")
        .with_columns(entered.fill_null(0))
        .with_columns(
            previous_users=previous,
            first_users=entered.first().over(_FUNNEL_DAY, order_by="step"),
        )
        .with_columns(
            dropped_users=pl.col("previous_users") - entered,
            step_rate=ratio("entered_users", "previous_users"),
            overall_rate=ratio("entered_users", "first_users"),
            is_complete=_has_passed(timezone, data_through),
        )
        .select(list(dtypes(FunnelDaily)))
    )


def _cells(
    known: pl.LazyFrame,
    month_before: pl.LazyFrame,
    funnels: Sequence[Mapping[str, Any]],
    data_through: date,
) -> pl.LazyFrame:
    """Every day and step of each funnel that has been entered, with its window."""
    seen = pl.concat([month_before.select(_FUNNEL_DAY), known.select(_FUNNEL_DAY)])
    firsts = seen.group_by("funnel").agg(first_date=pl.col("entry_date").min())
    days = every_period(firsts, DAY, week_start="monday", data_through=data_through)
    steps = funnel_steps(funnels).drop("event_names")
    return days.rename({"period_start": "entry_date"}).join(steps, on="funnel")


def _has_passed(timezone: str, data_through: date) -> pl.Expr:
    """Whether the window of an entry at a day's last instant ends before the horizon does."""
    day_ends = first_instant(plus_days(pl.col("entry_date"), 1), timezone)
    horizon = first_instant(plus_days(pl.lit(data_through), 1), timezone)
    return day_ends + pl.duration(hours="window_hours") <= horizon
