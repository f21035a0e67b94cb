"""The contenders of the benchmarks cut sessions as Tidemark does."""

from datetime import date, datetime, timedelta
from pathlib import Path
from types import ModuleType

import polars as pl
import pytest

from benchmarks.contenders import duckdb_best, duckdb_usual, plain_polars

_START = datetime(2024, 3, 1, 6)


def _events(person: str, minutes: list[int]) -> list[dict[str, object]]:
    times = [_START + timedelta(minutes=each) for each in minutes]
    return [
        {
            "event_date": ts.date(),
            "event_ts": ts,
            "event_id": f"{person}{place:04}",
            "event_name": "page_view",
            "person": person,
            "platform": "web",
            "country": "NL",
            "channel": "direct",
            "feature": "search",
            "page_url": f"/{place}",
        }
        for place, ts in enumerate(times)
    ]


@pytest.mark.parametrize("contender", [duckdb_best, duckdb_usual, plain_polars])
def test_a_session_is_cut_after_24_hours_as_often_as_it_takes(
    contender: ModuleType, tmp_path: Path
) -> None:
    rows = [
        *_events("always", list(range(0, 60 * 60 + 1, 20))),
        *_events("a_day", list(range(0, 24 * 60 + 1, 20))),
        *_events("normal", [0, 10, 41]),
    ]
    events, out = tmp_path / "events", tmp_path / "out"
    events.mkdir()
    out.mkdir()
    typed = pl.DataFrame(rows).sort("event_date", "person", "event_ts", "event_id")
    for (day,), of_day in typed.group_by("event_date", maintain_order=True):
        of_day.write_parquet(events / f"{day}.parquet")
    contender.stored(events, out, date(2024, 3, 5))
    found = pl.read_parquet(out / "sessions.parquet").sort("user_id", "started_ts")
    hours = (pl.col("started_ts").dt.replace_time_zone(None) - _START).dt.total_minutes()
    assert found.select("user_id", hours, "events", "entry_page", "exit_page").rows() == [
        ("a_day", 0, 73, "/0", "/72"),
        ("always", 0, 73, "/0", "/72"),
        ("always", 1460, 73, "/73", "/145"),
        ("always", 2920, 35, "/146", "/180"),
        ("normal", 0, 2, "/0", "/1"),
        ("normal", 41, 1, "/2", "/2"),
    ]
