"""Where a row of a source came from: columns that every landed table and most facts share."""

import polars as pl

from schemas.base import Table, column


class Arrived(Table):
    """Where a row lay when it arrived."""

    landing_date: pl.Date = column("Day on which the file arrived")
    file: pl.String = column("File within its landing date")
    line: pl.Int64 = column("Line of the file, or row number in Parquet, counted from 1", ge=1)
    item: pl.Int64 = column("Number among the rows that a mapping made of one raw row", ge=1)


class Landed(Table):
    """What landing adds to the columns of a contract."""

    extra: pl.String = column(
        "Columns of the file that the contract does not name, as JSON", nullable=True
    )
    event_date: pl.Date = column("Day on which it happened, in the reporting time zone")
    landing_date: pl.Date = column("Day on which the file arrived")
    file: pl.String = column("File within its landing date")
    line: pl.Int64 = column("Line of the file, or row number in Parquet, counted from 1", ge=1)
    item: pl.Int64 = column("Number among the rows that a mapping made of one raw row", ge=1)


class LandedOnce(Landed):
    """Landed rows of which the first received of an identity counts, and the others are told of."""

    content_hash: pl.Int64 = column(
        "Hash of what the row says: of all columns of the contract but its identity from content "
        "and the time at which it was received"
    )


class Fate(Arrived):
    """A landed row with what became of it once all rows were seen together."""

    fate: pl.String = column(
        "counts; duplicate: another row of the same identity stands for it; awaiting_rate: its "
        "currency has no rate on or within seven days before its day; excluded: of staff",
        isin=["counts", "duplicate", "awaiting_rate", "excluded"],
    )
