"""Spine: what each rule left out of a day."""

import polars as pl

from transforms.excluded_events import STAFF

_KEY = ["event_date", "rule"]


def excluded_days(excluded_events: pl.LazyFrame, stitches: pl.LazyFrame) -> pl.LazyFrame:
    """One row per day and rule; events that are stitched to staff count as staff's.

    A user who did some of a day's events by name and others without counts once.
    """
    named = excluded_events.select(
        *_KEY, user_id=pl.coalesce("user_id", "anonymous_id"), events=pl.lit(1, pl.Int64)
    )
    stitched = stitches.filter("is_staff").select(
        "event_date", "user_id", "events", rule=pl.lit(STAFF)
    )
    return (
        pl.concat([named, stitched.select(*_KEY, "user_id", "events")])
        .group_by(_KEY)
        .agg(pl.col("events").sum(), users=pl.col("user_id").n_unique().cast(pl.Int64))
    )
