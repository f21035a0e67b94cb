"""From landed files to events with their person, in DuckDB SQL: the first half of the way.

What an analytics engineer would write: typed on reading, each event once, machines left out,
anonymous visits to users by as-of joins.
"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

# What the tables are made from, and what rows are judged by.
_TEXTS = (
    "event_id",
    "event_name",
    "user_id",
    "anonymous_id",
    "platform",
    "country",
    "channel",
    "feature",
    "page_url",
    "user_agent",
)
_INSTANTS = ("event_ts", "received_ts")
STITCH_DAYS = 30


def statements(landing: Path, form: str, through: date) -> Iterator[str]:
    """SQL that leaves the table ``ev``."""
    yield f"""
        CREATE TABLE event AS
        SELECT * EXCLUDE place FROM (
            SELECT *, timezone('UTC', event_ts)::DATE AS event_date,
                row_number() OVER (PARTITION BY event_id ORDER BY received_ts) AS place
            FROM ({_rows(landing, form)})
            WHERE event_name IS NOT NULL AND event_ts IS NOT NULL
                AND coalesce(user_id, anonymous_id) IS NOT NULL
                AND timezone('UTC', event_ts)::DATE
                    <= regexp_extract(filename, '(\\d{{4}}-\\d\\d-\\d\\d)/', 1)::DATE + 1)
        WHERE place = 1 AND NOT coalesce(is_bot OR user_agent LIKE '%Googlebot%', false)"""
    yield """
        CREATE TABLE link AS
        SELECT DISTINCT anonymous_id, event_ts, user_id FROM event
        WHERE user_id IS NOT NULL AND anonymous_id IS NOT NULL"""
    yield f"""
        CREATE TABLE ev AS
        SELECT e.event_date, e.event_ts, e.event_id, e.event_name, e.platform, e.country,
            e.channel, e.feature, e.page_url, coalesce(e.user_id,
                CASE WHEN later.event_ts <= e.event_ts + INTERVAL {STITCH_DAYS} DAY
                    THEN later.user_id END,
                CASE WHEN before.event_ts >= e.event_ts - INTERVAL {STITCH_DAYS} DAY
                    THEN before.user_id END,
                e.anonymous_id) AS person
        FROM event e
        ASOF LEFT JOIN link later
            ON e.anonymous_id = later.anonymous_id AND e.event_ts <= later.event_ts
        ASOF LEFT JOIN link before
            ON e.anonymous_id = before.anonymous_id AND e.event_ts > before.event_ts
        WHERE e.event_date <= DATE '{through}'"""
    yield "DROP TABLE event"


def _rows(landing: Path, form: str) -> str:
    """The files, with text of CSV and NDJSON typed, and what cannot be read left out."""
    files = f"'{landing}/events/*/*.{form}'"
    if form == "parquet":
        columns = ", ".join((*_TEXTS, *_INSTANTS, "is_bot", "filename"))
        return f"SELECT {columns} FROM read_parquet({files}, filename = true)"
    typed = [*_TEXTS, *(f"try_cast({name} AS TIMESTAMPTZ) AS {name}" for name in _INSTANTS)]
    select = f"SELECT {', '.join(typed)}, is_bot = 'true' AS is_bot, filename"
    if form == "csv":
        options = "all_varchar = true, header = true, ignore_errors = true, filename = true"
        return f"{select} FROM read_csv({files}, {options})"
    columns = ", ".join(f"{name}: 'VARCHAR'" for name in (*_TEXTS, *_INSTANTS, "is_bot"))
    return (
        f"{select} FROM read_ndjson({files}, columns = {{{columns}}}, ignore_errors = true,"
        " filename = true)"
    )
