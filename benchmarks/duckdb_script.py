"""The activity tables by DuckDB alone, straight from the landed Parquet files, in one go.

What an analytics engineer would write: each event once, anonymous visits to users by an as-of join,
then one query per table. ``python -m benchmarks.duckdb_script LANDING OUT DATA_THROUGH``.
"""

import sys
from datetime import date
from pathlib import Path

import duckdb
import polars as pl

from tests.oracle.activity import activity_oracle

_EVENTS = """
CREATE TABLE event AS
SELECT * EXCLUDE (place) FROM (
    SELECT *, timezone('UTC', event_ts)::DATE AS event_date,
        row_number() OVER (PARTITION BY event_id ORDER BY received_ts) AS place
    FROM read_parquet('{landing}/*/*.parquet', union_by_name = true, filename = true)
    WHERE event_name IS NOT NULL AND event_ts IS NOT NULL
        AND coalesce(user_id, anonymous_id) IS NOT NULL
        AND timezone('UTC', event_ts)::DATE
            <= regexp_extract(filename, '(\\d{{4}}-\\d\\d-\\d\\d)/', 1)::DATE + 1)
WHERE place = 1 AND NOT coalesce(is_bot OR user_agent LIKE '%Googlebot%', false);

CREATE TABLE link AS
SELECT DISTINCT anonymous_id, event_ts, user_id FROM event
WHERE user_id IS NOT NULL AND anonymous_id IS NOT NULL;

CREATE TABLE ev AS
SELECT e.event_date, e.event_ts, e.event_id, e.event_name, e.platform, e.country, e.channel,
    e.feature, coalesce(e.user_id,
        CASE WHEN later.event_ts <= e.event_ts + INTERVAL 30 DAY THEN later.user_id END,
        CASE WHEN before.event_ts >= e.event_ts - INTERVAL 30 DAY THEN before.user_id END,
        e.anonymous_id) AS person
FROM event e
ASOF LEFT JOIN link later
    ON e.anonymous_id = later.anonymous_id AND e.event_ts <= later.event_ts
ASOF LEFT JOIN link before
    ON e.anonymous_id = before.anonymous_id AND e.event_ts > before.event_ts;

DROP TABLE event;
"""
# What leaves room for the rest of a machine of 24 GB; beyond it DuckDB spills.
_MEMORY_LIMIT = "14GB"


def main(landing: Path, out: Path, data_through: date) -> None:
    """Write every activity table to ``out``."""
    out.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as con:
        con.execute(f"SET temp_directory = '{out}/.spill'")
        con.execute(f"SET memory_limit = '{_MEMORY_LIMIT}'")
        con.execute(_EVENTS.format(landing=landing))
        tables: dict[str, pl.DataFrame] = activity_oracle(
            con,
            week_start="monday",
            wau_window_days=7,
            mau_window_days=28,
            data_through=data_through,
        )
    for name, table in tables.items():
        table.write_parquet(out / f"{name}.parquet")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), date.fromisoformat(sys.argv[3]))
