"""Spine: how often people did something with what they saw, by day and action."""

from collections.abc import Mapping

import polars as pl

from transforms.people import with_person


def interaction_days(
    events: pl.LazyFrame, stitches: pl.LazyFrame, *, interactions: Mapping[str, str]
) -> pl.LazyFrame:
    """One row per day and action with an event of it; several event names can be one action."""
    names = list(interactions)
    of_actions = events.filter(pl.col("event_name").is_in(names)).select(
        "event_date",
        "event_ts",
        "user_id",
        "anonymous_id",
        action=pl.col("event_name").replace_strict(
            names, list(interactions.values()), default=None, return_dtype=pl.String
        ),
    )
    return (
        with_person(of_actions, stitches)
        .group_by("event_date", "action")
        .agg(
            actions=pl.len().cast(pl.Int64),
            users=pl.col("user_id").n_unique().cast(pl.Int64),
        )
    )
