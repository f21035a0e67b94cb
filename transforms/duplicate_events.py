"""Landed events that are another event's twin and do not count."""

import polars as pl

from transforms.fates import ARRIVAL

_RECEIVED = ["received_ts", *ARRIVAL]


def duplicate_events(landed_events: pl.LazyFrame, *, duplicate_days: int) -> pl.LazyFrame:
    """The rows that lose to an earlier received row with the same event id.

    A row loses when any row of its id that was received before it, whether that one counts or
    not, lies on an event day at most ``duplicate_days`` away. So what becomes of a day depends on
    the days within that reach and on no others: rows of the outermost ``duplicate_days`` days
    handed in are judged by what is there.
    """
    suspects = _suspects(landed_events).sort(_RECEIVED).with_row_index("rank")
    first_of_day = suspects.group_by("event_id", "event_date").agg(pl.col("rank").min())
    # (t - k - 1, t + k] is the same as k days to either side.
    first_within_reach = (
        first_of_day.sort("event_id", "event_date")
        .rolling(
            "event_date",
            period=f"{2 * duplicate_days + 1}d",
            offset=f"-{duplicate_days + 1}d",
            group_by="event_id",
        )
        .agg(pl.col("rank").min().alias("first_rank"))
    )
    first = suspects.select(first_rank="rank", first_hash="content_hash")
    return (
        suspects.join(first_within_reach, on=["event_id", "event_date"])
        .filter(pl.col("rank") > pl.col("first_rank"))
        .join(first, on="first_rank")
        .select(
            "event_date",
            *ARRIVAL,
            "event_id",
            differs=pl.col("content_hash") != pl.col("first_hash"),
        )
    )


def _suspects(landed_events: pl.LazyFrame) -> pl.LazyFrame:
    """Rows whose id has a twin, and the odd one whose hash does: whole ids are dear to compare.

    Reads all hashes at once. In one plan with the rows they would be read together, and the rows,
    of which few are suspects, would all have to wait in memory.
    """
    id_hash = pl.col("event_id").hash().alias("id_hash")
    # Sorted, as most ids come once, and would each be a group.
    hashes = landed_events.select(id_hash).collect()["id_hash"].sort()
    repeated = hashes.filter(hashes == hashes.shift(1)).unique().to_frame().lazy()
    rows = landed_events.select("event_id", "event_date", *_RECEIVED, "content_hash", id_hash)
    return rows.join(repeated, on="id_hash", how="semi")
