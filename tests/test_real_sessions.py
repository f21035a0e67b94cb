"""Real input: four days of a web server's log, as sessions, their pages and their channels."""

import gzip
import os
import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from homes import assert_same_state, run_home, scratch, stored
from oracle.channels import conversions_oracle, traffic_oracle
from oracle.compare import assert_equal_tables
from oracle.pages import interactivity_oracle, pages_oracle
from oracle.sessions import frequency_oracle, session_oracle
from real_data import VARIABLE, needs_real_data

pytestmark = [
    needs_real_data,
    pytest.mark.only_tables(
        "conversions_periodic",
        "conversions_daily",
        "engagement_frequency",
        "interactivity_daily",
        "pages_daily",
        "sessions",
        "sessions_periodic",
        "traffic_sources_daily",
    ),
]

SETTINGS = """\
publish_personal_data = true
dimensions = ["platform", "channel"]
own_domains = ["semicomplete.com"]
attribution_days = 1
session_timeout_minutes = {minutes}
session_max_hours = {hours}

[[goals]]
name = "download"
events = ["download"]

[interactions]
request = "fetch"
"""
# The log has the minutes 5 of most hours: at 30 minutes each hour is a session; at 90 there are
# chains over midnight, and at 2 hours they are cut.
CASES = [(30, 24), (90, 24), (90, 2)]
LINE = (
    r'^(?P<address>\S+) \S+ \S+ \[(?P<time>[^\]]+)\] "(?P<method>\S+) (?P<path>\S+)[^"]*" '
    r'(?P<status>\d+) \S+ "(?P<referrer>[^"]*)" "(?P<agent>.*)"?$'
)
PAGE = r"(/|\.html?|/[^./?]*)(\?.*)?$"
DOWNLOAD = r"\.(jar|exe|pdf|gz|deb|gem)$"
UTM = ("utm_source", "utm_medium", "utm_campaign")


def log_lines() -> list[str]:
    path = Path(os.environ[VARIABLE], "apache_access_log", "apache_logs.gz")
    return gzip.decompress(path.read_bytes()).decode().splitlines()


def events(lines: list[str]) -> pl.DataFrame:
    """One event per line: a page view where a page was fetched, a download, else a request."""
    parsed = (
        pl.DataFrame({"text": lines})
        .with_row_index("line")
        .with_columns(pl.col("text").str.extract_groups(LINE))
        .unnest("text")
    )
    is_page = (pl.col("status") == "200") & pl.col("path").str.contains(PAGE)
    is_download = (pl.col("status") == "200") & pl.col("path").str.contains(DOWNLOAD)
    referrer = pl.when(pl.col("referrer") != "-").then("referrer")
    moment = pl.col("time").str.to_datetime("%d/%b/%Y:%H:%M:%S %z", time_zone="UTC")
    return parsed.select(
        event_id=pl.format("line{}", "line"),
        event_name=pl.when(is_page)
        .then(pl.lit("page_view"))
        .when(is_download)
        .then(pl.lit("download"))
        .otherwise(pl.lit("request")),
        event_ts=moment.dt.to_string("%Y-%m-%dT%H:%M:%SZ"),
        user_id="address",
        platform=pl.when(pl.col("agent").str.contains("Mobile")).then(pl.lit("mobile")),
        page_url="path",
        referrer=referrer,
        # Without the user agent: here the flag alone says who is a machine.
        is_bot=pl.col("agent").str.contains("(?i)bot|spider|crawl"),
        properties=pl.struct("status", "method").struct.json_encode(),
        **{name: pl.col("path").str.extract(rf"[?&]{name}=([^&]+)") for name in UTM},
    )


def of_address(name: str) -> str:
    """A parameter of the page's address, in SQL."""
    return f"nullif(regexp_extract(r.page_url, '[?&]{name}=([^&]+)', 1), '') AS {name}"


def make_home(root: Path, rows: pl.DataFrame, minutes: int, hours: int) -> Path:
    for (day,), some in rows.group_by(pl.col("event_ts").str.head(10).alias("day")):
        folder = root / "landing" / "events" / str(day)
        folder.mkdir(parents=True)
        some.sort("event_id").write_ndjson(folder / "log.ndjson")
    text = SETTINGS.format(minutes=minutes, hours=hours)
    (root / "tidemark.toml").write_text(text, encoding="utf-8")
    return root


@pytest.fixture(scope="module", params=CASES, ids=lambda case: f"{case[0]}m-{case[1]}h")
def case(request: Any) -> Iterator[tuple[Path, int, int]]:
    minutes, hours = request.param
    with scratch() as folder:
        home = make_home(folder / "log", events(log_lines()), minutes, hours)
        run_home(home)
        yield home, minutes, hours


def test_every_line_is_an_event_of_one_session(case: tuple[Path, int, int]) -> None:
    lines = log_lines()
    # The data set's own figures.
    assert len(lines) == 10_000
    rows = events(lines)
    assert rows["properties"].str.contains('"status":"200"').sum() == 9_126
    assert rows["user_id"].n_unique() == 1_753
    known = rows.filter(~pl.col("is_bot"))
    sessions = pl.read_parquet(case[0] / "bi" / "sessions.parquet")
    assert sessions["events"].sum() == known.height
    assert sessions["page_views"].sum() == (known["event_name"] == "page_view").sum()
    assert sessions["is_new_visitor"].sum() == known["user_id"].n_unique()


def test_the_log_gives_the_tables_that_sql_gives(case: tuple[Path, int, int]) -> None:
    home, minutes, hours = case
    lines = pl.DataFrame({"text": log_lines()}).with_row_index("line").to_arrow()
    calendar: dict[str, Any] = {"week_start": "monday", "data_through": date(2015, 5, 20)}
    with duckdb.connect(config={"threads": 1}) as con:
        con.register("log", lines)
        con.execute(f"""
            CREATE TABLE ev AS
            WITH split AS (
                SELECT 'line' || line AS event_id, regexp_extract(text, '^\\S+') AS person,
                    strptime(regexp_extract(text, '\\[([^ ]+)', 1), '%d/%b/%Y:%H:%M:%S')
                        AS event_ts,
                    regexp_extract(text, '"\\S+ (\\S+)[^"]*" (\\d+)', ['page_url', 'status']) AS r,
                    string_split(text, '"') AS part
                FROM log)
            SELECT event_id, person, event_ts, event_ts::DATE AS event_date, r.page_url,
                CASE WHEN r.status = '200' AND regexp_matches(r.page_url, '{PAGE}')
                    THEN 'page_view'
                    WHEN r.status = '200' AND regexp_matches(r.page_url, '{DOWNLOAD}')
                    THEN 'download' ELSE 'request' END AS event_name,
                {", ".join(map(of_address, UTM))},
                nullif(part[4], '-') AS referrer,
                CASE WHEN part[6] LIKE '%Mobile%' THEN 'mobile' END AS platform,
                NULL::DOUBLE AS engaged_seconds, NULL::DOUBLE AS scroll_depth,
                {", ".join(f"NULL::VARCHAR AS {name}" for name in NOT_LOGGED)}
            FROM split WHERE NOT regexp_matches(part[6], '(?i)bot|spider|crawl')""")
        expected = session_oracle(
            con,
            session_timeout_minutes=minutes,
            session_max_hours=hours,
            use_source_sessions=False,
            goal_events=["download"],
            dimensions=["platform", "channel"],
            own_domains=["semicomplete.com"],
            **calendar,
        )
        expected["engagement_frequency"] = frequency_oracle(con, **calendar)
        through = {"data_through": calendar["data_through"]}
        expected["traffic_sources_daily"] = traffic_oracle(con, attribution_days=1, **through)
        goals = {"download": ["download"]}
        expected |= conversions_oracle(con, expected, goals=goals, **calendar)
        expected["pages_daily"] = pages_oracle(con, **through)
        expected["interactivity_daily"] = interactivity_oracle(
            con, interactions={"request": "fetch"}, **through
        )
    # Of whole seconds; how one interpolates shows in the last bits only.
    even = pl.col("^(median|p90)_time_on_page_seconds$").round(8)
    for name, table in expected.items():
        found = pl.read_parquet(home / "bi" / f"{name}.parquet").with_columns(even)
        zoned = table.with_columns(even, pl.col(pl.Datetime).dt.replace_time_zone("UTC"))
        assert_equal_tables(name, found, zoned)


NOT_LOGGED = [
    *("session_id", "country", "channel", "campaign", "page_title"),
]


def test_every_page_of_the_log_is_a_view(case: tuple[Path, int, int]) -> None:
    known = events(log_lines()).filter(~pl.col("is_bot"), pl.col("event_name") == "page_view")
    views = Counter(re.split(r"[?#]", url)[0] for url in known["page_url"])
    pages = pl.read_parquet(case[0] / "bi" / "pages_daily.parquet")
    found = pages.group_by("page").agg(pl.col("page_views").sum())
    assert dict(found.rows()) == views
    # As counted by a script that reads the lines without Tidemark.
    assert views.most_common(2) == [("/blog/tags/puppet", 488), ("/", 443)]
    sessions = pl.read_parquet(case[0] / "bi" / "sessions.parquet")
    viewing = sessions.filter(pl.col("page_views") > 0)
    assert pages["entries"].sum() == pages["exits"].sum() == viewing.height
    assert pages["bounced_entries"].sum() == viewing["is_single_page"].sum()


# Sessions of search by Google, by the feed's utm parameters and without a source, and those with a
# download: as counted by a script that reads the lines without Tidemark.
COUNTED = {
    (30, 24): (491, 54, 1725, 34),
    (90, 24): (473, 42, 1310, 32),
    (90, 2): (475, 45, 1418, 33),
}


def test_sessions_of_the_log_have_the_sources_that_their_lines_tell(
    case: tuple[Path, int, int],
) -> None:
    home, *limits = case
    sessions = pl.read_parquet(home / "bi" / "sessions.parquet")
    google, feed, direct, downloads = COUNTED[limits[0], limits[1]]
    kinds = sessions.group_by("channel", "source", "medium").len()
    counts = {row[:3]: row[3] for row in kinds.rows()}
    assert counts["Organic Search", "google", "organic"] == google
    assert counts["Unassigned", "feedburner", "feed"] == feed
    assert counts["Direct", "(direct)", "(none)"] == direct
    sources = pl.read_parquet(home / "bi" / "traffic_sources_daily.parquet")
    assert sources["sessions"].sum() == sessions.height
    assert sources["converting_sessions"].sum() == downloads
    # Who comes back within a day without a source counts for the one of before.
    attributed = sources.filter(source="google", medium="organic")["sessions"].sum()
    assert attributed > google
    assert sources.filter(channel="Direct")["sessions"].sum() < direct


@pytest.mark.parametrize("order", [1, -1], ids=["forward", "backward"])
def test_nights_give_the_same_bytes_as_all_days_at_once(
    case: tuple[Path, int, int], order: int
) -> None:
    home, minutes, hours = case
    rows = events(log_lines())
    days = rows["event_ts"].str.head(10).unique().sort()
    with scratch() as folder:
        again = folder / "nights"
        for day in days[::order]:
            night = rows.filter(pl.col("event_ts").str.starts_with(day))
            run_home(make_home(again, night, minutes, hours))
        assert_same_state(stored(again), stored(home))
