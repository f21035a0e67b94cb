"""Spine: who was active on which day, and where."""

from collections.abc import Sequence

import polars as pl

from transforms.people import is_active, with_person
from transforms.segmentation import combined, event_dimensions, value_of

_PERSON_DAY = ["event_date", "user_id"]
_ROW = [*_PERSON_DAY, "segments"]


def user_days(
    events: pl.LazyFrame,
    stitches: pl.LazyFrame,
    *,
    active_events: Sequence[str],
    key_features: Sequence[str],
    dimensions: Sequence[str],
) -> pl.LazyFrame:
    """One row per day, person and combination of event dimensions with an active event.

    ``key_feature_events`` are the active events whose ``feature`` is one of ``key_features``.
    ``is_first`` marks the combination of the person's first active event of the day, by event_ts,
    then event_id: exactly one row of each person and day. Groups by day and person: hand it as
    many days at once as their active people fit into memory.
    """
    names = event_dimensions(dimensions)
    active = with_person(events, stitches).filter(is_active(active_events))
    values = active.select(
        *_PERSON_DAY,
        "event_ts",
        "event_id",
        *(value_of(name) for name in names),
        is_key=pl.col("feature").is_in(list(key_features)).fill_null(False),
    )
    rows = _rows(values, names)
    winner = _winners(rows, values, names)
    return rows.join(winner, on=_PERSON_DAY, how="left").select(
        *_ROW,
        "active_events",
        "key_feature_events",
        is_first=pl.col("is_earliest") & (pl.col("segments") == pl.col("winner")).fill_null(True),
    )


def _rows(values: pl.LazyFrame, names: list[str]) -> pl.LazyFrame:
    """Counts per day, person and combination, and whether the person's first instant is in it."""
    by_values = values.group_by(*_PERSON_DAY, *names).agg(
        active_events=pl.len().cast(pl.Int64),
        key_feature_events=pl.col("is_key").sum().cast(pl.Int64),
        first_ts=pl.col("event_ts").min(),
    )
    # Text is written for grouped rows only; two combinations may read the same once it is. Cached,
    # or the plan computes everything up to here once for each side of the join below.
    rows = (
        by_values.with_columns(combined(names))
        .group_by(_ROW)
        .agg(pl.col("active_events", "key_feature_events").sum(), pl.col("first_ts").min())
        .cache()
    )
    of_person = rows.group_by(_PERSON_DAY).agg(
        earliest=pl.col("first_ts").min(), combinations=pl.len()
    )
    return rows.join(of_person, on=_PERSON_DAY).with_columns(
        is_earliest=pl.col("first_ts") == pl.col("earliest")
    )


def _winners(rows: pl.LazyFrame, values: pl.LazyFrame, names: list[str]) -> pl.LazyFrame:
    """Which combination comes first by event id, where several share the person's first instant."""
    several = rows.filter(pl.col("is_earliest") & (pl.col("combinations") > 1))
    tied = several.group_by(*_PERSON_DAY, pl.col("first_ts").alias("event_ts")).len("tied")
    return (
        values.join(tied.filter(pl.col("tied") > 1), on=[*_PERSON_DAY, "event_ts"], how="semi")
        .sort("event_id")
        .unique(_PERSON_DAY, keep="first", maintain_order=True)
        .select(*_PERSON_DAY, combined(names).alias("winner"))
    )
