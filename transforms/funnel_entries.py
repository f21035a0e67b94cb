"""Spine: who entered a funnel on a day, and how far they came."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from schemas.base import dtypes
from schemas.funnel_entries import FunnelEntries
from transforms.funnels import funnel_steps

_PERSON = ["funnel", "user_id"]


def funnel_entries(
    funnel_events: pl.LazyFrame, *, funnels: Sequence[Mapping[str, Any]]
) -> pl.LazyFrame:
    """One row per entry and step that it reached.

    Entries of the last days may lack steps that lie beyond the given events: hand in as many days
    more as the longest window can touch. Sorts what it is handed, in memory.
    """
    windows = funnel_steps(funnels).filter(pl.col("step") == 1).select("funnel", "window_hours")
    placed = _placed(funnel_events)
    reached = (
        placed.filter(pl.col("step") == 1)
        .join(windows, on="funnel")
        .select(
            *_PERSON,
            "step",
            "event_ts",
            "place",
            entry_date="event_date",
            reached_date="event_date",
            until=pl.col("event_ts") + pl.duration(hours="window_hours"),
            microseconds_from_previous=pl.lit(None, pl.Int64),
        )
    )
    parts = [reached]
    for step in range(2, max((len(funnel["steps"]) for funnel in funnels), default=1) + 1):
        parts.append(_next_step(parts[-1], placed.filter(pl.col("step") == step)))
    columns = list(dtypes(FunnelEntries))
    return pl.concat([part.select(columns) for part in parts])


def _placed(funnel_events: pl.LazyFrame) -> pl.LazyFrame:
    """The events with ``place``, a number that goes up with time, and in a tie with the id."""
    instant = ["event_ts", "event_id"]
    place = pl.struct(instant).rle_id().cast(pl.Int64)
    # Cached, or each step sorts all over again.
    return funnel_events.sort(instant).with_columns(place=place).cache()


def _next_step(reached: pl.LazyFrame, events: pl.LazyFrame) -> pl.LazyFrame:
    """The entries that go on, at the earliest event of their next step within the window."""
    following = events.select(
        *_PERSON, "step", "place", "event_ts", next_place="place", reached_date="event_date"
    )
    took = pl.col("event_ts") - pl.col("previous_ts")
    return (
        reached.select(*_PERSON, "entry_date", "until", "place", previous_ts="event_ts")
        .sort("place")
        .join_asof(
            following.sort("place"),
            on="place",
            by=_PERSON,
            strategy="forward",
            allow_exact_matches=False,
            check_sortedness=False,
        )
        .filter(pl.col("event_ts") <= pl.col("until"))
        .with_columns(place="next_place", microseconds_from_previous=took.dt.total_microseconds())
    )
