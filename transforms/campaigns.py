"""Which campaign a row belongs to. What a table counts of campaigns is the table's own affair."""

import polars as pl

NONE = "(none)"


def event_campaign() -> pl.Expr:
    """The campaign of an event: the one that the source names, else utm_campaign."""
    return pl.coalesce("campaign", "utm_campaign", pl.lit(NONE)).alias("campaign")


def named(name: str) -> pl.Expr:
    """A part of a key, ``(none)`` where the row has none."""
    return pl.col(name).fill_null(NONE)
