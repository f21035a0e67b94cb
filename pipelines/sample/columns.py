"""The columns of a made-up event: those of the contract, and a few that no file carries."""

from collections.abc import Mapping

import polars as pl

from pipelines.sample.options import Options

DAY_MILLISECONDS = 86_400_000
TIMESTAMP = pl.Datetime("ms")

_TEXT = (
    "session_id",
    "platform",
    "country",
    "device",
    "app_version",
    "page_url",
    "page_title",
    "referrer",
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "channel",
    "campaign",
    "feature",
)

# As the files have them. Instants are UTC here; what offset a text file shows is another matter.
LANDED: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "event_id": pl.String,
    "event_name": pl.String,
    "event_ts": TIMESTAMP,
    "user_id": pl.String,
    "anonymous_id": pl.String,
    "received_ts": TIMESTAMP,
    **dict.fromkeys(_TEXT, pl.String),
    "value": pl.Float64,
    "currency": pl.String,
    "scroll_depth": pl.Float64,
    "engaged_seconds": pl.Float64,
    "user_agent": pl.String,
    "is_bot": pl.Boolean,
    "is_machine_open": pl.Boolean,
    "properties": pl.String,
}

# key: of the draws about the event, unique. flaw: what is wrong with the row (null: nothing).
# is_twin: the row repeats an earlier one. rule: by which rule it is left out (null: by none). The
# days are counted from 0.
HIDDEN: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "key": pl.Int64,
    "event_day": pl.Int32,
    "landing_day": pl.Int32,
    "offset_minutes": pl.Int64,
    "flaw": pl.String,
    "rule": pl.String,
    "is_twin": pl.Boolean,
}

COLUMNS = {**LANDED, **HIDDEN}


def complete(events: pl.DataFrame) -> pl.DataFrame:
    """All columns in their order and type, null where ``events`` has none; others are dropped."""
    return events.select(
        (pl.col(name) if name in events.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in COLUMNS.items()
    )


def derived(rows: pl.DataFrame, *columns: pl.Expr) -> pl.DataFrame:
    """``with_columns`` that computes but once what the expressions have in common.

    The eager one does not, and a draw is many times in itself.
    """
    return rows.lazy().with_columns(*columns).collect(engine="in-memory")


def instant(since_midnight: pl.Expr, options: Options) -> pl.Expr:
    """So many milliseconds after the midnight, UTC, that opens the column ``event_day``."""
    start = pl.lit(options.first_day).cast(TIMESTAMP)
    since_start = pl.col("event_day").cast(pl.Int64) * DAY_MILLISECONDS + since_midnight
    return start + pl.duration(milliseconds=since_start, time_unit="ms")
