"""Spine: when people reached a goal."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from transforms.people import with_person


def goal_days(
    events: pl.LazyFrame, stitches: pl.LazyFrame, *, goals: Sequence[Mapping[str, Any]]
) -> pl.LazyFrame:
    """One row per person and instant with an event of any of the ``goals``."""
    names = sorted({name for goal in goals for name in goal["events"]})
    reached = events.filter(pl.col("event_name").is_in(names)).select(
        "event_date", "event_ts", "user_id", "anonymous_id"
    )
    return with_person(reached, stitches).select("event_date", "user_id", "event_ts").unique()
