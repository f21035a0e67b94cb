"""The social tables computed a second time, in SQL, from the rows as they landed.

Written from METRICS.md and not from the transforms: totals are laid one under the other, one row
per post, day and counter, and followers are looked up day by day.
"""

from datetime import date

import duckdb
import polars as pl

AUDIENCE = ("impressions", "reach")
ENGAGEMENTS = ("likes", "comments", "shares", "saves", "mentions", "clicks")
OTHERS = ("conversions", "video_views", "story_first_frame_views", "story_last_frame_views")
TOTALS = (*AUDIENCE, *ENGAGEMENTS, *OTHERS)
_SIX = ", ".join(f"'{name}'" for name in ENGAGEMENTS)
_POST = "platform, account, post_id"


def social_oracle(con: duckdb.DuckDBPyConnection, data_through: date) -> dict[str, pl.DataFrame]:
    """Both tables from ``landed_posts`` and ``landed_accounts``: the columns of their contracts,
    landing_date, file, line and item; ``posted_date`` is the local day of ``posted_ts``.
    """
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE snap AS
        SELECT *, coalesce(is_deleted, false) AS gone FROM landed_posts
        WHERE snapshot_day <= DATE '{data_through}'
        QUALIFY row_number() OVER (PARTITION BY {_POST}, snapshot_day
            ORDER BY landing_date DESC, file DESC, line DESC, item DESC) = 1""")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE fans AS
        SELECT platform, account, snapshot_day, followers FROM landed_accounts
        WHERE snapshot_day <= DATE '{data_through}'
        QUALIFY row_number() OVER (PARTITION BY platform, account, snapshot_day
            ORDER BY landing_date DESC, file DESC, line DESC, item DESC) = 1""")
    long = " UNION ALL ".join(
        f"SELECT {_POST}, posted_date, snapshot_day, '{name}' AS counter, {name} AS total "
        f"FROM snap WHERE NOT gone AND {name} IS NOT NULL"
        for name in TOTALS
    )
    con.execute(f"CREATE OR REPLACE TEMP TABLE long AS {long}")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE growth AS
        SELECT *, total - coalesce(
            lag(total) OVER (PARTITION BY {_POST}, counter ORDER BY snapshot_day),
            CASE WHEN snapshot_day - posted_date <= 7 THEN 0 END) AS grew
        FROM long""")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE seen AS
        SELECT DISTINCT {_POST}, posted_date, snapshot_day, lag(snapshot_day)
            OVER (PARTITION BY {_POST} ORDER BY snapshot_day) AS day_before
        FROM (SELECT DISTINCT {_POST}, posted_date, snapshot_day FROM long)""")
    return {"social_engagement_daily": _daily(con, data_through), "social_posts": _posts(con)}


def _table(con: duckdb.DuckDBPyConnection, query: str) -> pl.DataFrame:
    return pl.DataFrame(con.sql(query).to_arrow_table())


def _daily(con: duckdb.DuckDBPyConnection, data_through: date) -> pl.DataFrame:
    _make_days(con, data_through)
    _make_posts_by_day(con)
    _make_replies(con)
    still = ", ".join(
        f"CASE WHEN p.posts IS NULL AND b.{name} THEN 0 ELSE g.{name} END AS {name}"
        for name in (*AUDIENCE, *ENGAGEMENTS, "engagements")
    )
    return _table(
        con,
        f"""
        WITH counted AS (
            SELECT date, platform, account, coalesce(p.posts, 0) AS posts,
                coalesce(unknown_posts, 0) AS unknown_posts,
                coalesce(days_covered, 0) AS days_covered, {still},
                coalesce(posts_without_impressions, 0) AS posts_without_impressions,
                coalesce(posts_without_reach, 0) AS posts_without_reach,
                followers, followers_start, followers - followers_start AS net_new_followers,
                coalesce(replied_posts, 0) AS replied_posts,
                coalesce(reply_seconds, 0) AS reply_seconds, mean_reply_seconds
            FROM days LEFT JOIN posts_by_day AS p USING (platform, account, date)
            LEFT JOIN growth_by_day AS g USING (platform, account, date)
            LEFT JOIN lacking_by_day USING (platform, account, date)
            LEFT JOIN replies_by_day USING (platform, account, date)
            LEFT JOIN brings AS b USING (platform, account))
        SELECT *,
            CASE WHEN impressions > 0 AND posts_without_impressions = 0
                THEN engagements / impressions END AS engagement_rate,
            CASE WHEN reach > 0 AND posts_without_reach = 0
                THEN engagements / reach END AS reach_engagement_rate,
            CASE WHEN followers > 0 THEN engagements / followers END AS follower_engagement_rate,
            net_new_followers / nullif(followers_start, 0) AS follower_growth_rate,
            true AS is_complete
        FROM counted""",
    )


def _make_days(con: duckdb.DuckDBPyConnection, data_through: date) -> None:
    """``days``: each account's days from its first one, with the followers that are known then."""
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE days AS
        WITH firsts AS (
            SELECT platform, account, min(first) AS first FROM (
                SELECT platform, account, snapshot_day AS first FROM fans UNION ALL
                SELECT platform, account, snapshot_day FROM seen UNION ALL
                SELECT platform, account, posted_date FROM seen
                WHERE day_before IS NULL AND snapshot_day - posted_date <= 7)
            GROUP BY ALL),
        dates AS (
            SELECT platform, account, unnest(generate_series(
                first::TIMESTAMP, TIMESTAMP '{data_through}', INTERVAL 1 DAY))::DATE AS date
            FROM firsts)
        SELECT *, (SELECT arg_max(followers, snapshot_day) FROM fans WHERE
                fans.platform = dates.platform AND fans.account = dates.account
                AND snapshot_day <= dates.date) AS followers,
            (SELECT arg_max(followers, snapshot_day) FROM fans WHERE
                fans.platform = dates.platform AND fans.account = dates.account
                AND snapshot_day < dates.date) AS followers_start
        FROM dates""")


def _make_posts_by_day(con: duckdb.DuckDBPyConnection) -> None:
    """``posts_by_day``, ``growth_by_day``, ``lacking_by_day``, and what an account ever brings."""
    counters = ", ".join(
        f"sum(grew) FILTER (counter = '{name}') AS {name}" for name in (*AUDIENCE, *ENGAGEMENTS)
    )
    lacking = ", ".join(
        f"count(*) FILTER (engaged AND NOT has_{name}) AS posts_without_{name}" for name in AUDIENCE
    )
    brings = ", ".join(
        f"bool_or(counter = '{name}') AS {name}" for name in (*AUDIENCE, *ENGAGEMENTS)
    )
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE posts_by_day AS
        SELECT platform, account, snapshot_day AS date, count(*) AS posts,
            count(*) FILTER (day_before IS NULL AND snapshot_day - posted_date > 7)
                AS unknown_posts,
            max(greatest(1, CASE WHEN day_before IS NOT NULL THEN snapshot_day - day_before
                WHEN snapshot_day - posted_date <= 7 THEN snapshot_day - posted_date + 1
                END)) FILTER (day_before IS NOT NULL OR snapshot_day - posted_date <= 7)
                AS days_covered
        FROM seen GROUP BY ALL;
        CREATE OR REPLACE TEMP TABLE growth_by_day AS
        SELECT platform, account, snapshot_day AS date, {counters},
            sum(grew) FILTER (counter IN ({_SIX})) AS engagements
        FROM growth GROUP BY ALL;
        CREATE OR REPLACE TEMP TABLE lacking_by_day AS
        WITH each_post AS (
            SELECT {_POST}, snapshot_day AS date,
                bool_or(counter IN ({_SIX}) AND grew IS NOT NULL) AS engaged,
                bool_or(counter = 'impressions' AND grew IS NOT NULL) AS has_impressions,
                bool_or(counter = 'reach' AND grew IS NOT NULL) AS has_reach
            FROM growth GROUP BY ALL)
        SELECT platform, account, date, {lacking} FROM each_post GROUP BY ALL;
        CREATE OR REPLACE TEMP TABLE brings AS
        SELECT platform, account, {brings}, bool_or(counter IN ({_SIX})) AS engagements
        FROM long GROUP BY ALL""")


def _make_replies(con: duckdb.DuckDBPyConnection) -> None:
    """``replies_by_day``: first replies, by the day of their post."""
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE replies_by_day AS
        WITH reply AS (
            SELECT {_POST}, arg_max(posted_date, snapshot_day) AS date,
                arg_max(first_reply_seconds, snapshot_day) AS seconds
            FROM snap WHERE first_reply_seconds IS NOT NULL GROUP BY ALL)
        SELECT platform, account, date, count(*) AS replied_posts,
            sum(seconds) AS reply_seconds, avg(seconds) AS mean_reply_seconds
        FROM reply GROUP BY ALL""")


def _posts(con: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    last = ", ".join(
        f"arg_max(total, snapshot_day) FILTER (counter = '{name}') AS {name}" for name in TOTALS
    )
    told = ", ".join(
        f"arg_max({name}, snapshot_day) FILTER ({name} IS NOT NULL) AS {name}"
        for name in ("first_reply_seconds", "post_type", "campaign")
    )
    six = " + ".join(f"coalesce({name}, 0)" for name in ENGAGEMENTS)
    none = " AND ".join(f"{name} IS NULL" for name in ENGAGEMENTS)
    return _table(
        con,
        f"""
        WITH totals AS (SELECT {_POST}, {last} FROM long GROUP BY ALL),
        posts AS (
            SELECT {_POST}, arg_max(posted_ts, snapshot_day) AS posted_ts,
                arg_max(posted_date, snapshot_day) AS posted_date,
                arg_max(gone, snapshot_day) AS is_deleted, {told},
                min(snapshot_day) AS first_snapshot_date, max(snapshot_day) AS last_snapshot_date
            FROM snap GROUP BY ALL),
        counted AS (
            SELECT *, CASE WHEN {none} THEN NULL ELSE {six} END AS engagements,
                (SELECT arg_max(followers, snapshot_day) FROM fans
                    WHERE fans.platform = posts.platform AND fans.account = posts.account
                    AND snapshot_day <= last_snapshot_date) AS followers
            FROM posts LEFT JOIN totals USING ({_POST}))
        SELECT *, engagements / nullif(impressions, 0) AS engagement_rate,
            engagements / nullif(reach, 0) AS reach_engagement_rate,
            engagements / nullif(followers, 0) AS follower_engagement_rate,
            story_last_frame_views / nullif(story_first_frame_views, 0) AS story_retention_rate
        FROM counted""",
    )
