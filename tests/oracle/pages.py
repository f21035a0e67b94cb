"""Pages and interactivity computed a second time, in SQL, from events with their person.

Written from METRICS.md and not from the transforms: pings are found by joining views to all later
events of the session, and pages by splitting addresses.
"""

from collections.abc import Mapping
from datetime import date

import duckdb
import polars as pl

_VIEWS = """
CREATE OR REPLACE TEMP TABLE viewed AS
WITH step AS (
    SELECT v.date, v.session_id, p.person, p.event_name, p.event_ts, p.page_url, p.page_title,
        p.scroll_depth,
        row_number() OVER (PARTITION BY v.session_id ORDER BY p.event_ts, p.event_id) AS n
    FROM belonging p JOIN visits v
        ON v.user_id = p.person AND v.source_id IS NOT DISTINCT FROM p.source_id
            AND v.started_ts = p.started),
shown AS (
    SELECT *, coalesce(
            nullif(split_part(split_part(page_url, '#', 1), '?', 1), ''),
            nullif(page_title, ''), '(none)') AS page,
        lag(n) OVER (PARTITION BY session_id ORDER BY n) AS before,
        lead(n) OVER (PARTITION BY session_id ORDER BY n) AS following
    FROM step WHERE event_name = 'page_view'),
pinged AS (
    SELECT s.session_id, s.n, max(p.event_ts) AS last_ping, max(p.scroll_depth) AS depth
    FROM shown s JOIN step p ON p.session_id = s.session_id AND p.event_name = 'page_ping'
        AND p.n > s.n AND (s.following IS NULL OR p.n < s.following)
    GROUP BY ALL)
SELECT s.date, s.page, s.person, s.before IS NULL AS enters, s.following IS NULL AS leaves,
    date_diff('us', s.event_ts, coalesce(g.last_ping, a.event_ts)) AS took,
    CASE WHEN s.scroll_depth IS NOT NULL OR g.depth IS NOT NULL THEN round(1000000
        * least(1, greatest(coalesce(s.scroll_depth, 0), coalesce(g.depth, 0))))::BIGINT END AS deep
FROM shown s LEFT JOIN pinged g USING (session_id, n)
    LEFT JOIN step a ON a.session_id = s.session_id AND a.n = s.n + 1
"""


def pages_oracle(con: duckdb.DuckDBPyConnection, *, data_through: date) -> pl.DataFrame:
    """``pages_daily``, from what ``session_oracle`` has left in ``con``.

    ``ev`` has page_title and scroll_depth too.
    """
    con.execute(_VIEWS)
    return con.sql(f"""
        SELECT date, page, count(*) AS page_views, count(DISTINCT person) AS visitors,
            count(*) FILTER (enters) AS entries, count(*) FILTER (leaves) AS exits,
            exits / page_views AS exit_rate,
            count(*) FILTER (enters AND leaves) AS bounced_entries,
            bounced_entries / nullif(entries, 0) AS bounce_rate,
            count(took) AS timed_views,
            coalesce(sum(took), 0) / 1000000 AS time_on_page_seconds,
            sum(took) / nullif(count(took) * 1000000, 0) AS mean_time_on_page_seconds,
            quantile_cont(took, 0.5) / 1000000 AS median_time_on_page_seconds,
            quantile_cont(took, 0.9) / 1000000 AS p90_time_on_page_seconds,
            count(deep) AS scroll_views,
            coalesce(sum(deep), 0) / 1000000 AS scroll_depth,
            sum(deep) / nullif(count(deep) * 1000000, 0) AS mean_scroll_depth,
            true AS is_complete
        FROM viewed WHERE date <= DATE '{data_through}' GROUP BY date, page""").pl()


def interactivity_oracle(
    con: duckdb.DuckDBPyConnection, *, interactions: Mapping[str, str], data_through: date
) -> pl.DataFrame:
    """``interactivity_daily``, from ``ev`` and what ``session_oracle`` has left in ``con``."""
    named = pl.DataFrame({"event_name": list(interactions), "action": list(interactions.values())})
    con.register("named", named.to_arrow())
    return con.sql(f"""
        WITH done AS (
            SELECT event_date AS date, action, person FROM ev JOIN named USING (event_name)
            WHERE event_date <= DATE '{data_through}'),
        day AS (
            SELECT action, unnest(generate_series(
                min(date)::TIMESTAMP, TIMESTAMP '{data_through}', INTERVAL 1 DAY))::DATE AS date
            FROM done GROUP BY action)
        SELECT *, actions / nullif(sessions, 0) AS actions_per_session, true AS is_complete
        FROM (
            SELECT date, action, count(x.person) AS actions, count(DISTINCT x.person) AS users,
                (SELECT count(*) FROM visits v WHERE v.date = d.date) AS sessions
            FROM day d LEFT JOIN done x USING (date, action) GROUP BY date, action)""").pl()
