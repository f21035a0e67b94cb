"""Spine: which anonymous ids were linked to which users in a month, and what that gave them."""

from datetime import date

import polars as pl

_PAIR = ["month", "anonymous_id", "user_id"]


def identity_months(
    links: pl.LazyFrame, stitches: pl.LazyFrame, *, data_through: date
) -> pl.LazyFrame:
    """Links and stitched events up to ``data_through``, per month and pair of ids."""
    linked = (
        _known(links, data_through)
        .group_by(_PAIR)
        .agg(
            first_link_ts=pl.col("first_ts").min(),
            last_link_ts=pl.col("last_ts").max(),
            linked_days=pl.col("event_date").n_unique().cast(pl.Int64),
        )
    )
    given = _known(stitches, data_through).group_by(_PAIR).agg(pl.col("events").sum())
    return linked.join(given, on=_PAIR, how="full", coalesce=True).select(
        *_PAIR,
        "first_link_ts",
        "last_link_ts",
        pl.col("linked_days").fill_null(0),
        pl.col("events").fill_null(0),
    )


def _known(rows: pl.LazyFrame, data_through: date) -> pl.LazyFrame:
    """Rows of users who are not of staff, with their month."""
    is_known = (pl.col("event_date") <= data_through) & pl.col("user_id").is_not_null()
    return rows.filter(is_known & ~pl.col("is_staff")).with_columns(
        month=pl.col("event_date").dt.month_start()
    )
