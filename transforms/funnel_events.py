"""Spine: events that are a step of a funnel."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from schemas.base import dtypes
from schemas.funnel_events import FunnelEvents
from transforms.funnels import funnel_steps
from transforms.people import with_person

_STEP = ["event_date", "funnel", "step", "user_id"]


def funnel_events(
    events: pl.LazyFrame, stitches: pl.LazyFrame, *, funnels: Sequence[Mapping[str, Any]]
) -> pl.LazyFrame:
    """One row per event and step that it can be; of first steps only the first of person and day.

    First by event_ts, then event_id. Groups by day and person: hand it as many days at once as fit
    into memory.
    """
    steps = (
        funnel_steps(funnels)
        .select("funnel", "step", event_name="event_names")
        .explode("event_name")
        .unique()
    )
    names = sorted(
        {name for funnel in funnels for step in funnel["steps"] for name in step["events"]}
    )
    chosen = events.filter(pl.col("event_name").is_in(names))
    rows = with_person(chosen, stitches).join(steps, on="event_name").cache()
    is_first = pl.col("step") == 1
    earliest = rows.filter(is_first).group_by(_STEP).agg(pl.col("event_ts").min())
    first = (
        rows.filter(is_first)
        .join(earliest, on=[*_STEP, "event_ts"], how="semi")
        .group_by(*_STEP, "event_ts")
        .agg(pl.col("event_id").min())
    )
    columns = list(dtypes(FunnelEvents))
    return pl.concat([first.select(columns), rows.filter(~is_first).select(columns)])
