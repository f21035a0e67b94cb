"""Real input: a year of posts of a brand's page, read once at its end.

The data set has neither ids nor days of the month: those are made up here, everything else is
mapped by settings from the columns as they came.
"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pytest
from homes import make_home, run_home, scratch, table
from oracle.compare import assert_equal_tables
from oracle.social import TOTALS, social_oracle
from real_data import needs_real_data, read

pytestmark = [
    needs_real_data,
    pytest.mark.only_tables("social_engagement_daily", "social_posts", "ingest_ledger"),
]
LAST_DAY = date(2014, 12, 31)
SETTINGS = """\
[sources.social_posts]
path = "posts.csv"

[sources.social_posts.columns]
platform = { constant = "facebook" }
account = { constant = "cosmetics" }
post_id = "post_id"
posted_ts = { column = "posted_at", zone = "UTC" }
snapshot_day = "snapshot_day"
impressions = "Lifetime Post Total Impressions"
reach = "Lifetime Post Total Reach"
likes = "like"
comments = "comment"
shares = "share"
post_type = "Type"

[sources.social_accounts]
path = "page.csv"

[sources.social_accounts.columns]
platform = { constant = "facebook" }
account = { constant = "cosmetics" }
snapshot_day = "day"
followers = "Page total likes"
"""


def posts() -> pl.DataFrame:
    """The posts as they came, the latest first, with an id and a moment of 2014.

    The posts of a month are spread over its first 28 days.
    """
    raw = read("facebook_metrics", "dataset_Facebook.csv.gz", separator=";")
    month = pl.col("Post Month")
    place = pl.int_range(pl.len()).over(month)
    day = 28 - place * 28 // pl.len().over(month)
    moment = pl.datetime(2014, month.cast(pl.Int64), day, pl.col("Post Hour").cast(pl.Int64))
    return raw.with_columns(
        post_id=pl.format("post-{}", pl.int_range(1, pl.len() + 1)),
        posted_at=moment.dt.strftime("%Y-%m-%dT%H:%M"),
        snapshot_day=pl.lit(LAST_DAY.isoformat()),
    )


def page() -> pl.DataFrame:
    """Likes of the page, as each day's posts tell them: the most where they differ."""
    likes = pl.col("Page total likes").cast(pl.Int64)
    return posts().group_by(day=pl.col("posted_at").str.head(10)).agg(likes.max()).sort("day")


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    with scratch() as folder:
        root = make_home(folder / "home", SETTINGS)
        files = {("social_posts", "posts.csv"): posts(), ("social_accounts", "page.csv"): page()}
        for (source, name), rows in files.items():
            landing = root / "landing" / source / LAST_DAY.isoformat()
            landing.mkdir(parents=True)
            rows.write_csv(landing / name)
        run_home(root)
        yield root


def test_the_totals_are_those_of_the_page(home: Path):
    found = table(home, "social_posts")
    # The data set's own figures.
    sums = found.select(pl.col("impressions", "reach", "engagements").sum()).row(0)
    assert sums == (14_792_974, 6_951_680, 106_060)
    parts = found.select(pl.col("comments", "likes", "shares").sum()).row(0)
    assert parts == (3_741, 88_795, 13_524)
    assert found.select(pl.col("likes", "shares").null_count()).row(0) == (1, 4)
    types = dict(found["post_type"].value_counts().rows())
    assert types == {"Photo": 426, "Status": 45, "Link": 22, "Video": 7}
    interactions = posts()["Total Interactions"].cast(pl.Int64)
    by_post = found.sort(pl.col("post_id").str.slice(5).cast(pl.Int64))
    assert by_post["engagements"].equals(interactions)


def test_only_posts_of_the_last_week_count_from_zero(home: Path):
    last = table(home, "social_engagement_daily").filter(date=LAST_DAY).row(0, named=True)
    young = posts().filter(pl.col("posted_at") >= "2014-12-24")
    interactions = young["Total Interactions"].cast(pl.Int64).sum()
    assert (last["posts"], last["unknown_posts"]) == (500, 500 - young.height)
    assert last["engagements"] == interactions > 0
    assert (last["followers"], last["net_new_followers"]) == (139_441, 0)
    assert last["follower_engagement_rate"] == interactions / 139_441


def test_every_day_of_the_page_shows_its_followers(home: Path):
    daily = table(home, "social_engagement_daily").sort("date")
    first = date.fromisoformat(page()["day"][0])
    assert daily["date"].to_list() == pl.date_range(first, LAST_DAY, eager=True).to_list()
    assert daily["followers"].null_count() == 0
    assert daily["net_new_followers"].sum() == 139_441 - page()["Page total likes"][0]


def test_the_page_gives_the_tables_that_sql_gives(home: Path):
    nothing = ", ".join(
        f"NULL::BIGINT AS {name}"
        for name in TOTALS
        if name not in {"impressions", "reach", "likes", "comments", "shares"}
    )
    arrived = f"DATE '{LAST_DAY}' AS landing_date, '' AS file, 1 AS line, 1 AS item"
    who = "'facebook' AS platform, 'cosmetics' AS account"
    with duckdb.connect() as con:
        con.register("raw", posts().to_arrow())
        con.register("likes", page().to_arrow())
        con.execute(f"""
            CREATE VIEW landed_posts AS
            SELECT {who}, post_id, posted_at::TIMESTAMP AS posted_ts,
                posted_at::TIMESTAMP::DATE AS posted_date, snapshot_day::DATE AS snapshot_day,
                "Lifetime Post Total Impressions"::BIGINT AS impressions,
                "Lifetime Post Total Reach"::BIGINT AS reach, "like"::BIGINT AS likes,
                comment::BIGINT AS comments, share::BIGINT AS shares, {nothing},
                NULL::DOUBLE AS first_reply_seconds, "Type" AS post_type,
                NULL::VARCHAR AS campaign, NULL::BOOLEAN AS is_deleted, {arrived}
            FROM raw""")
        con.execute(f"""
            CREATE VIEW landed_accounts AS
            SELECT {who}, day::DATE AS snapshot_day, "Page total likes" AS followers, {arrived}
            FROM likes""")
        expected = social_oracle(con, LAST_DAY)
    instants = pl.col("posted_ts").dt.replace_time_zone("UTC")
    expected["social_posts"] = expected["social_posts"].with_columns(instants)
    for name, rows in expected.items():
        assert_equal_tables(name, table(home, name), rows)
