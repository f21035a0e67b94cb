"""Real input: a decade of badges as features and funnels, and the sites of a course."""

import gzip
import os
import re
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import polars as pl
import pytest
from homes import run_home, scratch, table
from oracle.activity import first_week_oracle
from oracle.compare import assert_equal_tables
from oracle.product import feature_oracle, funnel_oracle
from real_data import (
    OULAD_SETTINGS,
    OULAD_STARTS,
    VARIABLE,
    land,
    needs_real_data,
    oulad_clicks,
    read,
)

pytestmark = needs_real_data

# A badge is an event and a feature of its name; the community's bot (user -1) is one.
BADGE_SETTINGS = """\
timezone = "America/New_York"
week_start = "sunday"
dimensions = ["platform"]

[sources.events]
path = "*.csv"

[sources.events.columns]
event_id = "Id"
event_name = "Name"
feature = "Feature"
user_id = "UserId"
platform = { column = "Class", values = { 1 = "gold", 2 = "silver", 3 = "bronze" } }
event_ts = { column = "Date", zone = "UTC" }
is_bot = { column = "UserId", values = { "-1" = "true" }, default = "false" }

[[funnels]]
name = "asking"
steps = [
    "Joined",
    { name = "first", events = ["Student", "Teacher"] },
    { name = "known", events = ["Popular Question", "Nice Question", "Nice Answer"] },
]
window_hours = 2160

[[funnels]]
name = "reading"
steps = ["Joined", "Autobiographer", "Informed"]
window_hours = 1
"""
FUNNELS: list[dict[str, Any]] = [
    {
        "name": "asking",
        "steps": [
            {"name": "Joined", "events": ["Joined"]},
            {"name": "first", "events": ["Student", "Teacher"]},
            {"name": "known", "events": ["Popular Question", "Nice Question", "Nice Answer"]},
        ],
        "window_hours": 2160,
    },
    {
        "name": "reading",
        "steps": [
            {"name": name, "events": [name]} for name in ("Joined", "Autobiographer", "Informed")
        ],
        "window_hours": 1,
    },
]
SECONDS = pl.col("median_seconds_from_previous").round(6)


def xml_rows(name: str, *attributes: str) -> pl.DataFrame:
    """The rows of one of the dump's tables, every attribute as text."""
    path = Path(os.environ[VARIABLE], "stackexchange_martialarts", f"{name}.xml.gz")
    text = gzip.decompress(path.read_bytes()).decode("utf-8-sig")
    rows = [dict(re.findall(r'(\w+)="([^"]*)"', line)) for line in re.findall(r"<row .*?/>", text)]
    return pl.DataFrame({each: [row[each] for row in rows] for each in attributes})


def badges() -> pl.DataFrame:
    """Badges, and that somebody joined; all of a month arrive on the first day of the next."""
    given = xml_rows("Badges", "Id", "UserId", "Name", "Date", "Class")
    joined = xml_rows("Users.trimmed", "Id", "CreationDate").select(
        ("u" + pl.col("Id")).alias("Id"),
        pl.col("Id").alias("UserId"),
        pl.lit("Joined").alias("Name"),
        pl.col("CreationDate").alias("Date"),
        pl.lit(None, pl.String).alias("Class"),
    )
    month = pl.col("Date").str.head(10).str.to_date().dt.month_start()
    return pl.concat([given.with_columns(Id="b" + pl.col("Id")), joined]).with_columns(
        Feature=pl.when(pl.col("Name") != "Joined").then("Name"), arrived=month.dt.offset_by("1mo")
    )


@pytest.fixture(scope="module")
def badge_home() -> Iterator[Path]:
    with scratch() as folder:
        home = _home(folder / "badges", BADGE_SETTINGS)
        land(badges(), home, "badges.csv")
        run_home(home, select=["feature_usage", "funnel_daily"])
        yield home


@pytest.fixture
def badge_events() -> Iterator[tuple[duckdb.DuckDBPyConnection, date]]:
    """The badges as SQL knows them, read anew, and the horizon."""
    rows = badges().filter(pl.col("UserId") != "-1")
    zone = ZoneInfo("America/New_York")
    instants = [datetime.fromisoformat(f"{text}+00:00") for text in rows["Date"]]
    table = rows.select(
        pl.Series("event_ts", [each.replace(tzinfo=None) for each in instants]),
        pl.Series("event_date", [each.astimezone(zone).date() for each in instants]),
        event_id="Id",
        event_name="Name",
        person="UserId",
        feature="Feature",
        platform=pl.col("Class").replace({"1": "gold", "2": "silver", "3": "bronze"}),
    )
    with duckdb.connect() as con:
        con.register("ev", table.to_arrow())
        last: Any = rows["arrived"].max()
        yield con, last


def test_every_badge_is_counted_on_a_day_of_its_feature(badge_home: Path):
    usage = table(badge_home, "feature_usage").filter(dimension="all")
    given = badges().filter(pl.col("Feature").is_not_null(), pl.col("UserId") != "-1")
    for grain in ("day", "week", "month"):
        assert usage.filter(grain=grain)["events"].sum() == given.height
    # The data set's own figure, of which the bot has some.
    assert xml_rows("Badges", "Id").height == 15_942
    assert set(usage["feature"]) == set(given["Feature"])


def test_badges_give_the_feature_table_that_sql_gives(
    badge_home: Path, badge_events: tuple[duckdb.DuckDBPyConnection, date]
):
    con, last = badge_events
    expected = feature_oracle(con, week_start="sunday", data_through=last, dimensions=["platform"])
    assert_equal_tables("feature_usage", table(badge_home, "feature_usage"), expected)


def test_badges_give_the_funnels_that_sql_gives(
    badge_home: Path, badge_events: tuple[duckdb.DuckDBPyConnection, date]
):
    con, last = badge_events
    expected = funnel_oracle(con, FUNNELS, timezone="America/New_York", data_through=last)
    found = table(badge_home, "funnel_daily")
    assert_equal_tables("funnel_daily", found.with_columns(SECONDS), expected.with_columns(SECONDS))


def test_everybody_enters_once_on_the_day_of_joining(badge_home: Path):
    funnels = table(badge_home, "funnel_daily")
    entered = funnels.filter(funnel="asking").group_by("step").agg(pl.col("entered_users").sum())
    joined, first, known = entered.sort("step")["entered_users"]
    # 9,714 users, of whom one is the bot.
    assert joined == 9_713
    assert joined > first > known > 0


def oulad_sites() -> pl.DataFrame:
    """Clicks of one course's students, twice given, with the kind of site that they were on."""
    sites = read("oulad_aaa_bbb", "vle.csv.gz").select("id_site", "activity_type")
    clicks = oulad_clicks().filter(pl.col("code_module") == "AAA")
    return clicks.join(sites, on="id_site", how="left")


def weekly(rows: pl.DataFrame) -> pl.DataFrame:
    """All rows of a week arrive on its Sunday: few landing dates are quick to take in."""
    return rows.with_columns(arrived=pl.col("arrived").dt.truncate("1w").dt.offset_by("6d"))


@pytest.fixture(scope="module")
def course_home() -> Iterator[Path]:
    with scratch() as folder:
        text = OULAD_SETTINGS.replace('feature = "id_site"', 'feature = "activity_type"')
        home = _home(folder / "courses", 'key_features = ["forumng", "quiz"]\n' + text)
        land(weekly(oulad_sites()), home, "clicks.tsv", separator="\t")
        run_home(home, select=["feature_usage", "first_week_engagement"])
        yield home


def test_sites_give_the_tables_that_sql_gives(course_home: Path):
    with duckdb.connect() as con:
        clicks = oulad_sites().to_arrow()  # noqa: F841
        starts = ", ".join(f"('{code}', DATE '{day}')" for code, day in OULAD_STARTS.items())
        con.execute(f"""
            CREATE TABLE ev AS
            WITH start (code, day) AS (VALUES {starts})
            SELECT (day + date::INT)::DATE AS event_date, (day + date::INT)::TIMESTAMP AS event_ts,
                '' AS event_id, 'click' AS event_name, id_student AS person,
                code_module AS platform, NULL::VARCHAR AS country, code_presentation AS channel,
                activity_type AS feature
            FROM clicks JOIN start ON code = code_presentation""")
        last: Any = weekly(oulad_sites())["arrived"].max()
        expected = feature_oracle(con, week_start="sunday", data_through=last)
        weeks = first_week_oracle(con, key_features=["forumng", "quiz"], data_through=last)
    assert_equal_tables("feature_usage", table(course_home, "feature_usage"), expected)
    found = table(course_home, "first_week_engagement")
    assert found["key_feature_users"].sum() > 0
    assert_equal_tables("first_week_engagement", found, weeks)


def _home(root: Path, settings: str) -> Path:
    root.mkdir()
    (root / "tidemark.toml").write_text(settings, encoding="utf-8")
    return root
