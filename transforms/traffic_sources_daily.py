"""What brings sessions and conversions, by day."""

from datetime import date, timedelta

import polars as pl

from schemas.base import dtypes
from schemas.traffic_sources_daily import TrafficSourcesDaily
from transforms.channels import SOURCE_COLUMNS, is_direct
from transforms.division import ratio

_KEY = ["date", *SOURCE_COLUMNS]


def traffic_sources_daily(
    session_days: pl.LazyFrame,
    touches: pl.LazyFrame,
    *,
    attribution_days: int,
    data_through: date,
) -> pl.LazyFrame:
    """Sessions of each day by their last non-direct source, up to ``data_through``.

    ``touches`` reach ``attribution_days`` back from the first of the days. Sorts the touches of
    the people who came directly in memory.
    """
    shown = session_days.filter(pl.col("date") <= data_through).select(
        "date", "user_id", "started_ts", *SOURCE_COLUMNS, "is_converting"
    )
    direct = _attributed(shown.filter(is_direct()), touches, timedelta(days=attribution_days))
    sources = pl.concat([shown.filter(~is_direct()), direct.select(shown.collect_schema().names())])
    return (
        sources.with_columns(pl.col("campaign").fill_null("(none)"))
        .group_by(_KEY)
        .agg(
            sessions=pl.len().cast(pl.Int64),
            visitors=pl.col("user_id").n_unique().cast(pl.Int64),
            converting_sessions=pl.col("is_converting").sum().cast(pl.Int64),
        )
        .with_columns(
            conversion_rate=ratio("converting_sessions", "sessions"),
            is_complete=pl.col("date") <= data_through,
        )
        .select(list(dtypes(TrafficSourcesDaily)))
    )


def _attributed(direct: pl.LazyFrame, touches: pl.LazyFrame, longest: timedelta) -> pl.LazyFrame:
    """Direct sessions with the source of the person's last touch before each, where there is one.

    Of two touches that started at one instant, the one of the later session id counts.
    """
    at = ["user_id", "started_ts"]
    earlier = (
        touches.join(direct.select("user_id").unique(), on="user_id", how="semi")
        .select(*at, "session_id", *(pl.col(name).alias(f"last_{name}") for name in SOURCE_COLUMNS))
        .sort("started_ts", "session_id")
        .unique(at, keep="last", maintain_order=True)
        .drop("session_id")
    )
    is_known = pl.col("last_channel").is_not_null()
    return (
        direct.sort("started_ts")
        .join_asof(
            earlier,
            on="started_ts",
            by="user_id",
            tolerance=longest,
            allow_exact_matches=False,
            check_sortedness=False,
        )
        .with_columns(
            pl.when(is_known).then(f"last_{name}").otherwise(name).alias(name)
            for name in SOURCE_COLUMNS
        )
    )
