"""Spine: who used which feature on which day, and where."""

from collections.abc import Sequence

import polars as pl

from transforms.people import is_active, with_person
from transforms.segmentation import combined, event_dimensions, value_of


def feature_days(
    events: pl.LazyFrame,
    stitches: pl.LazyFrame,
    *,
    active_events: Sequence[str],
    dimensions: Sequence[str],
) -> pl.LazyFrame:
    """One row per day, feature, person and combination of event dimensions.

    Only active events that name a feature. Groups by day, person and feature: hand it as many days
    at once as fit into memory.
    """
    names = event_dimensions(dimensions)
    row = ["event_date", "feature", "user_id"]
    used = events.filter(pl.col("feature").is_not_null(), is_active(active_events))
    by_values = (
        with_person(used, stitches)
        .select(*row, *(value_of(name) for name in names))
        .group_by(*row, *names)
        .agg(events=pl.len().cast(pl.Int64))
    )
    # Text is written for grouped rows only; two combinations may read the same once it is.
    return (
        by_values.with_columns(combined(names))
        .group_by(*row, "segments")
        .agg(pl.col("events").sum())
    )
