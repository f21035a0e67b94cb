"""What became of every row of every landed file."""

import polars as pl

from schemas.base import Table, column, count, table


@table(
    grain="one row per landed file",
    key=["landing_date", "source", "file"],
    rules=[
        (
            "read_rows is not accepted_rows + quarantined_rows + duplicate_rows",
            pl.col("read_rows")
            == pl.sum_horizontal("accepted_rows", "quarantined_rows", "duplicate_rows"),
        ),
        (
            "differing_rows is above duplicate_rows",
            pl.col("differing_rows") <= pl.col("duplicate_rows"),
        ),
        # A mapping may make several rows of a raw row, never none.
        (
            "raw_rows is above filtered_rows + forgotten_rows + read_rows",
            pl.col("raw_rows") <= pl.sum_horizontal("filtered_rows", "forgotten_rows", "read_rows"),
        ),
    ],
)
class IngestLedger(Table):
    """Rows of one file: read = accepted + quarantined + duplicate, always."""

    landing_date: pl.Date = column("Day on which the file arrived")
    source: pl.String = column("Source to which the file belongs")
    file: pl.String = column("File within its landing date")
    status: pl.String = column(
        "read, or refused where the file could not be read to its end", isin=["read", "refused"]
    )
    raw_rows: pl.Int64 = count("Rows of the file as it came", unit="rows")
    filtered_rows: pl.Int64 = count("Rows that the mapping's filters leave out", unit="rows")
    forgotten_rows: pl.Int64 = count(
        "Rows of people who were forgotten (tidemark forget), neither accepted nor quarantined: "
        "their file landed after that",
        unit="rows",
    )
    read_rows: pl.Int64 = count(
        "Rows taken from the file after filters",
        unit="rows",
        formula="accepted_rows + quarantined_rows + duplicate_rows",
    )
    accepted_rows: pl.Int64 = count(
        "Rows that kept the contract and are no duplicates",
        unit="rows",
        warning="Includes excluded_rows; the rows that count are accepted_rows - excluded_rows.",
    )
    quarantined_rows: pl.Int64 = count(
        "Rows that were refused, or wait for an exchange rate", unit="rows"
    )
    awaiting_rate_rows: pl.Int64 = count(
        "Those of them whose currency has no rate for their day: they come back by themselves",
        unit="rows",
    )
    duplicate_rows: pl.Int64 = count(
        "Rows for whose identity another row stands: an event or order that was received before, "
        "or an earlier state of what the source sent again",
        unit="rows",
    )
    differing_rows: pl.Int64 = count(
        "Those of duplicate_rows, of events and orders, that say something else than the row that "
        "was received first, beside the time of receipt; zero for sources whose later rows replace "
        "earlier ones",
        unit="rows",
    )
    excluded_rows: pl.Int64 = count(
        "Accepted rows that a rule leaves out: of machines, staff or test traffic", unit="rows"
    )
    late_1d_rows: pl.Int64 = count(
        "Rows that kept the contract, duplicates included, received a day or more after the event",
        unit="rows",
    )
    late_7d_rows: pl.Int64 = count("The same, received a week or more after the event", unit="rows")
    late_30d_rows: pl.Int64 = count(
        "The same, received a month (30 days) or more after the event", unit="rows"
    )
    future_rows: pl.Int64 = count(
        "Rows whose event day lies after the landing date, accepted or not", unit="rows"
    )
