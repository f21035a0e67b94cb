"""What is counted of the sessions of a day, week or month, in all and per segment."""

from collections.abc import Sequence
from datetime import date

import polars as pl

from transforms.calendar import dense_periods, period_start
from transforms.division import ratio
from transforms.plans import in_each_dimension
from transforms.sessionizing import in_seconds

_KEY = ["period_start", "dimension", "segment"]
_SUMS = ["sessions", "page_views", "page_view_sessions", "bounced_sessions", "unengaged_sessions"]
_COUNTS = [*_SUMS, "visitors", "new_visitors"]


def session_counts(
    session_days: pl.LazyFrame,
    plan_months: pl.LazyFrame,
    visitors: pl.LazyFrame,
    visitor_segments: pl.LazyFrame,
    grain: str,
    *,
    dimensions: Sequence[str],
    week_start: str,
    data_through: date,
) -> pl.LazyFrame:
    """Every period of every segment from its first session on, with all counts and ratios.

    Durations are summed as whole microseconds, so that no order of the rows shows.
    """

    def period(day: str) -> pl.Expr:
        return period_start(pl.col(day), grain, week_start).alias("period_start")

    until = session_days.filter(pl.col("date") <= data_through)
    dated = until.with_columns(period("date"))
    counts = pl.concat(map(_counted, in_each_dimension(dated, plan_months, dimensions)))
    new = visitors.filter(pl.col("first_date") <= data_through).group_by(
        period("first_date"), "dimension", "segment"
    )
    return (
        dense_periods(visitor_segments, grain, week_start=week_start, data_through=data_through)
        .select(_KEY)
        .join(counts, on=_KEY, how="left")
        .join(new.agg(new_visitors=pl.len().cast(pl.Int64)), on=_KEY, how="left")
        .with_columns(pl.col(*_COUNTS, "time_spent").fill_null(0))
        .with_columns(time_spent_seconds=in_seconds(pl.col("time_spent")))
        .with_columns(
            returning_visitors=pl.col("visitors") - pl.col("new_visitors"),
            new_visitor_share=ratio("new_visitors", "visitors"),
            pages_per_session=ratio("page_views", "sessions"),
            mean_session_seconds=ratio("time_spent_seconds", "sessions"),
            bounce_rate=ratio("bounced_sessions", "page_view_sessions"),
            unengaged_rate=ratio("unengaged_sessions", "sessions"),
        )
    )


def _counted(sessions: pl.LazyFrame) -> pl.LazyFrame:
    spent = (pl.col("ended_ts") - pl.col("started_ts")).dt.total_microseconds()
    return sessions.group_by(_KEY).agg(
        pl.len().cast(pl.Int64).alias("sessions"),
        pl.col("page_views").sum(),
        (pl.col("page_views") > 0).sum().cast(pl.Int64).alias("page_view_sessions"),
        pl.col("is_single_page").sum().cast(pl.Int64).alias("bounced_sessions"),
        (~pl.col("is_engaged")).sum().cast(pl.Int64).alias("unengaged_sessions"),
        spent.sum().alias("time_spent"),
        visitors=pl.col("user_id").n_unique().cast(pl.Int64),
        median_session_seconds=pl.col("duration_seconds").median(),
    )
