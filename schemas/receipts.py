"""What each landed file brought: the entries from which ``ingest_ledger`` is kept."""

import polars as pl

from schemas.base import Table, column, count, table


@table(
    grain="one row per landed file",
    key=["landing_date", "file"],
    slice_by="landing_date",
    published=False,
)
class Receipts(Table):
    """Rows of one file by what became of them when the file was taken in."""

    landing_date: pl.Date = column("Day on which the file arrived")
    file: pl.String = column("File within its landing date")
    status: pl.String = column(
        "read, or refused where the file could not be read to its end", isin=["read", "refused"]
    )
    raw_rows: pl.Int64 = count("Rows of the file as it came", unit="rows")
    filtered_rows: pl.Int64 = count("Rows that the mapping's filters leave out", unit="rows")
    forgotten_rows: pl.Int64 = count(
        "Rows of people who were forgotten, neither landed nor refused", unit="rows"
    )
    read_rows: pl.Int64 = count("Rows taken from the file after filters", unit="rows")
    landed_rows: pl.Int64 = count("Rows that kept the contract", unit="rows")
    quarantined_rows: pl.Int64 = count("Rows that were refused", unit="rows")
    late_1d_rows: pl.Int64 = count(
        "Landed rows received a day or more after the event", unit="rows"
    )
    late_7d_rows: pl.Int64 = count(
        "Landed rows received a week or more after the event", unit="rows"
    )
    late_30d_rows: pl.Int64 = count(
        "Landed rows received a month (30 days) or more after the event", unit="rows"
    )
    future_rows: pl.Int64 = count(
        "Rows whose event day lies after the landing date, landed or refused", unit="rows"
    )
    unmapped_columns: pl.String = column(
        "JSON list of the file's columns that no mapping uses, kept in extra: in alphabetical "
        "order, the first 100; null without any",
        nullable=True,
    )
