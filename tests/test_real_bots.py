"""Real input: the crawlers among four days of a web server's log, landed by settings alone."""

import gzip
import os
import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import polars as pl
import pytest
from homes import make_home, run_home, scratch, table, warehouse_table
from real_data import VARIABLE, needs_real_data

pytestmark = needs_real_data

SETTINGS = """\
[sources.events]
path = "log.csv"

[sources.events.columns]
event_id = "line"
event_name = { constant = "request" }
event_ts = { column = "time", format = "%d/%b/%Y:%H:%M:%S %z" }
user_id = "address"
page_url = "path"
user_agent = "agent"
"""
LINE = re.compile(
    r'^(\S+) \S+ \S+ \[([^\]]+)\] "\S+ (\S+)[^"]*" \d+ \S+ "[^"]*" "(.*?)"?$', re.MULTILINE
)
# Names that anybody who reads logs knows, as SQL finds them.
WELL_KNOWN = [
    *("%Googlebot%", "%bingbot%", "%YandexBot%", "%Baiduspider%", "%msnbot%", "%AhrefsBot%"),
    *("%facebookexternalhit%", "%Feedfetcher-Google%", "%Exabot%", "%archive.org_bot%"),
    *("Wget/%", "curl/%", "Python-urllib%"),
]
# What browsers send and no machine that says so: from the first to the last letter.
BROWSERS = [
    r"Mozilla/5\.0 \(Windows NT [\d.]+(; (WOW64|Win64; x64))?\) AppleWebKit/[\d.]+ "
    r"\(KHTML, like Gecko\) Chrome/[\d.]+ Safari/[\d.]+",
    r"Mozilla/5\.0 \((Windows NT|Macintosh|X11)[\w .;:]+\) Gecko/\d+ Firefox/[\d.]+",
    r"Mozilla/5\.0 \(Macintosh; Intel Mac OS X [\d_]+\) AppleWebKit/[\d.]+ "
    r"\(KHTML, like Gecko\) Version/[\d.]+ Safari/[\d.]+",
]


@pytest.fixture(scope="module")
def log() -> pl.DataFrame:
    path = Path(os.environ[VARIABLE], "apache_access_log", "apache_logs.gz")
    found = LINE.findall(gzip.decompress(path.read_bytes()).decode())
    rows = pl.DataFrame(found, schema=["address", "time", "path", "agent"], orient="row")
    return rows.with_row_index("line").cast({"line": pl.String})


@pytest.fixture(scope="module")
def home(log: pl.DataFrame) -> Iterator[Path]:
    with scratch() as folder:
        home = make_home(folder / "home", SETTINGS)
        for (day,), rows in log.group_by(pl.col("time").str.head(11)):
            landed = home / "landing" / "events" / f"2015-05-{str(day)[:2]}"
            landed.mkdir(parents=True)
            rows.sort("line").write_csv(landed / "log.csv")
        run_home(home, select=["excluded_daily", "ingest_ledger", "user_days"])
        yield home


def test_well_known_crawlers_are_left_out_and_plain_browsers_are_not(
    home: Path, log: pl.DataFrame
) -> None:
    assert log.height == 10_000
    left_out = warehouse_table(home, "excluded_events").select(line="event_id")
    kept = warehouse_table(home, "events").select(line="event_id")
    assert left_out.height + kept.height == 10_000
    with duckdb.connect(config={"threads": 1}) as con:
        for name, rows in {"log": log, "left_out": left_out, "kept": kept}.items():
            con.register(name, rows.to_arrow())
        for name in WELL_KNOWN:
            of_log = f"FROM log WHERE agent LIKE '{name}'"
            total = con.execute(f"SELECT count(*) {of_log}").fetchone()
            missed = con.execute(f"SELECT count(*) {of_log} AND line IN (FROM kept)").fetchone()
            assert total
            assert total[0] > 0, name
            assert missed == (0,), name
        for browser in BROWSERS:
            of_log = f"FROM log WHERE regexp_full_match(agent, '{browser}')"
            total = con.execute(f"SELECT count(*) {of_log}").fetchone()
            wrong = con.execute(f"SELECT count(*) {of_log} AND line IN (FROM left_out)").fetchone()
            assert total
            assert total[0] > 100
            assert wrong == (0,)


def test_those_left_out_are_whom_the_library_itself_takes_for_crawlers(
    home: Path, log: pl.DataFrame
) -> None:
    import crawleruseragents

    expected = {
        line
        for line, agent in log.select("line", "agent").rows()
        if crawleruseragents.is_crawler(agent)
    }
    found = warehouse_table(home, "excluded_events")
    assert set(found["event_id"]) == expected
    assert set(found["rule"]) == {"user_agent"}


def test_they_are_counted_by_day_and_by_file(home: Path, log: pl.DataFrame) -> None:
    rows = warehouse_table(home, "excluded_events").select(line="event_id")
    with duckdb.connect(config={"threads": 1}) as con:
        con.register("rows", rows.join(log, on="line").to_arrow())
        counted = con.execute(
            "SELECT strptime(left(time, 11), '%d/%b/%Y')::DATE AS day, count(*), "
            "count(DISTINCT address) FROM rows GROUP BY ALL ORDER BY ALL"
        ).fetchall()
    daily = table(home, "excluded_daily").sort("date")
    assert daily.select("date", "events", "users").rows() == counted
    assert len(counted) == 4
    ledger = table(home, "ingest_ledger").sort("landing_date")
    assert ledger["excluded_rows"].to_list() == [events for _, events, _ in counted]
