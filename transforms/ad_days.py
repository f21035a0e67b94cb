"""Spine: what was seen and clicked of a campaign's ads on a day."""

import polars as pl

from transforms.campaigns import event_campaign, named
from transforms.people import with_person

_IMPRESSION, _CLICK = "ad_impression", "ad_click"


def ad_days(events: pl.LazyFrame, stitches: pl.LazyFrame) -> pl.LazyFrame:
    """One row per day, channel and campaign with an ad event."""
    ads = events.filter(pl.col("event_name").is_in([_IMPRESSION, _CLICK])).select(
        "event_date",
        "event_ts",
        "user_id",
        "anonymous_id",
        named("channel"),
        event_campaign(),
        is_click=pl.col("event_name") == _CLICK,
    )
    is_click = pl.col("is_click")
    people = pl.when(is_click).then("user_id").drop_nulls().n_unique()
    return (
        with_person(ads, stitches)
        .group_by("event_date", "channel", "campaign")
        .agg(
            impressions=(~is_click).sum().cast(pl.Int64),
            clicks=is_click.sum().cast(pl.Int64),
            clicking_users=people.cast(pl.Int64),
        )
    )
