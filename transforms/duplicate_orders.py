"""Landed order lines that do not count because an earlier received one has their identity."""

import polars as pl

from transforms.fates import ARRIVAL

_IDENTITY = ["order_id", "line_id", "kind"]


def duplicate_orders(landed_orders: pl.LazyFrame) -> pl.LazyFrame:
    """The rows that lose to an earlier received row of the same order, line and kind, at any age.

    Groups hashes of all rows ever landed, and whole identities only of the suspects.
    """
    rows = landed_orders.select(
        "event_date",
        "content_hash",
        *ARRIVAL,
        *_IDENTITY,
        id_hash=pl.struct(_IDENTITY).hash(),
    )
    repeated = rows.group_by("id_hash").len("rows").filter(pl.col("rows") > 1)
    suspects = rows.join(repeated, on="id_hash", how="semi")
    place = pl.int_range(pl.len()).over(_IDENTITY, order_by=list(ARRIVAL))
    first = pl.col("content_hash").first().over(_IDENTITY, order_by=list(ARRIVAL))
    judged = suspects.with_columns(place=place, differs=pl.col("content_hash") != first)
    return judged.filter(pl.col("place") > 0).select(*ARRIVAL, "event_date", "differs")
