"""Spine: which goals the sessions of a day reached."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from schemas.base import dtypes
from schemas.session_goals import SessionGoals
from transforms.sessionizing import of_sessions, session_events


def session_goals(
    session_days: pl.LazyFrame,
    events: pl.LazyFrame,
    stitches: pl.LazyFrame,
    *,
    goals: Sequence[Mapping[str, Any]],
    use_source_sessions: bool,
) -> pl.LazyFrame:
    """Events of goals, counted per session and goal; an event of two goals counts for each.

    Events of the last days' sessions may lie beyond these: hand in as many days more as a session
    can last.
    """
    pairs = sorted({(goal["name"], name) for goal in goals for name in goal["events"]})
    names = pl.LazyFrame(pairs, schema={"goal": pl.String, "event_name": pl.String}, orient="row")
    wanted = events.filter(pl.col("event_name").is_in([name for _, name in pairs]))
    reached = session_events(wanted, stitches, [], use_source_sessions=use_source_sessions)
    return (
        of_sessions(reached, session_days)
        .join(names, on="event_name")
        .group_by("session_id", "goal")
        .agg(conversions=pl.len().cast(pl.Int64))
        .join(session_days.select("date", "user_id", "session_id", "segments"), on="session_id")
        .select(list(dtypes(SessionGoals)))
    )
