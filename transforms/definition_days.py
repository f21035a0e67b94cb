"""Spine: who did the start and return events of the retention definitions, on which day."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from schemas.base import empty
from schemas.definition_days import DefinitionDays
from transforms.people import is_active, with_person
from transforms.segmentation import combined, event_dimensions, value_of

_PERSON_DAY = ["event_date", "user_id"]


def definition_days(
    events: pl.LazyFrame,
    stitches: pl.LazyFrame,
    *,
    retentions: Sequence[Mapping[str, Any]],
    active_events: Sequence[str],
    dimensions: Sequence[str],
) -> pl.LazyFrame:
    """One row per day, definition and person with a start or a return event.

    An empty list of start or return events stands for any active event. ``segments`` belongs to
    the first start event of the day, by event_ts, then event_id; null without one.
    """
    if not retentions:
        return empty(DefinitionDays)
    names = event_dimensions(dimensions)
    of_people = with_person(events, stitches)
    parts = [_one(of_people, definition, active_events, names) for definition in retentions]
    return pl.concat(parts)


def _one(
    of_people: pl.LazyFrame,
    definition: Mapping[str, Any],
    active_events: Sequence[str],
    names: Sequence[str],
) -> pl.LazyFrame:
    is_start = is_active(definition["start_events"] or active_events)
    is_return = is_active(definition["return_events"] or active_events)
    rows = of_people.filter(is_start | is_return).select(
        *_PERSON_DAY,
        "event_ts",
        "event_id",
        *(value_of(name) for name in names),
        is_start=is_start,
        is_return=is_return,
    )
    first = (
        rows.filter("is_start")
        .sort("event_ts", "event_id")
        .unique(_PERSON_DAY, keep="first", maintain_order=True)
        .select(*_PERSON_DAY, combined(names))
    )
    return (
        rows.group_by(_PERSON_DAY)
        .agg(pl.col("is_start", "is_return").any())
        .join(first, on=_PERSON_DAY, how="left")
        .select(
            "event_date",
            pl.lit(definition["name"]).alias("definition"),
            "user_id",
            "is_start",
            "is_return",
            "segments",
        )
    )
