"""Channels, attribution and conversions computed a second time, in SQL.

Written from METRICS.md and GA4's published rules and not from the transforms: one CASE per answer,
attribution by joining each direct visit to all earlier ones, conversions from the events. The
list of sites is its own, and holds those that the tests' data has.
"""

from collections.abc import Mapping, Sequence
from datetime import date

import duckdb
import polars as pl
from oracle.activity import Calendar

_COUNTRY = r"(\.com?)?(\.[a-z][a-z][a-z]?)"
SITES = [
    ("search", "google", rf"(google|(images\.)?google{_COUNTRY}|encrypted\.google\.com)"),
    ("search", "bing", r"(.*\.)?bing\.com|bing"),
    ("search", "duckduckgo", r"(.*\.)?duckduckgo\.com|duckduckgo"),
    ("search", "baidu", r"((m|image)\.)?baidu\.com|baidu"),
    ("search", "yandex", rf"(images\.)?yandex{_COUNTRY}|yandex"),
    ("search", "daum", r"daum\.net|.*\.?search\.daum\.net|daum"),
    ("social", "facebook", r"(.*\.)?facebook\.com|facebook|fb"),
    ("social", "linkedin", r"(.*\.)?linkedin\.com|linkedin"),
    ("social", "twitter", r"(.*\.)?twitter\.com|t\.co|twitter"),
    ("social", "hackernews", r"news\.ycombinator\.com|hackernews"),
    ("social", "stackoverflow", r"(.*\.)?stackoverflow\.com"),
    (
        "social",
        "stackexchange",
        r"(.*\.)?stackexchange\.com|(superuser|serverfault|askubuntu)\.com",
    ),
    ("social", "blogger", rf"(.*\.)?blogspot{_COUNTRY}|(.*\.)?blogger\.com"),
    ("social", "wordpress", r"(.*\.)?wordpress\.com"),
    ("video", "youtube", r"(.*\.)?youtube\.com|youtube"),
    ("shopping", "amazon", rf"amazon{_COUNTRY}|amazon"),
    ("assistant", "chatgpt", r"(.*\.)?chatgpt\.com|chatgpt"),
]
_SOURCED = """
CREATE OR REPLACE TEMP MACRO host_of(url) AS
    CASE WHEN regexp_matches(url, '^([A-Za-z][-+.A-Za-z0-9]*:)?//') THEN nullif(regexp_replace(
        rtrim(lower(split_part(list_last(string_split(split_part(split_part(split_part(
            regexp_replace(url, '^[^/]*//', ''), '/', 1), '?', 1), '#', 1), '@')), ':', 1)), '.'),
        '^www\\.', ''), '') END;
CREATE OR REPLACE TEMP MACRO lies_in(host, domain) AS
    coalesce(host = domain OR ends_with(host, '.' || domain), false);
CREATE OR REPLACE TEMP MACRO site_of(host) AS CASE {names} END;
CREATE OR REPLACE TEMP MACRO kind_of(source) AS CASE {kinds} END;
CREATE OR REPLACE TEMP MACRO first_click(url) AS (
    SELECT first(split_part(part, '=', 1) ORDER BY place)
    FROM (SELECT unnest(string_split(split_part(split_part(url, '#', 1), '?', 2), '&')) AS part,
        generate_subscripts(string_split(split_part(split_part(url, '#', 1), '?', 2), '&'), 1)
            AS place)
    WHERE split_part(part, '=', 1) IN ('gclid', 'gbraid', 'wbraid', 'msclkid', 'fbclid')
        AND split_part(part, '=', 2) <> '');

CREATE OR REPLACE TEMP TABLE sourced AS
WITH led AS (
    SELECT *, CASE WHEN lies_in(host_of(referrer), host_of(landing)) {ignored}
            THEN NULL ELSE host_of(referrer) END AS led_from,
        first_click(landing) AS click
    FROM visit),
told AS (
    SELECT *, site_of(led_from) AS site, kind_of(led_from) AS led_kind,
        CASE WHEN coalesce(tagged_source, tagged_medium) IS NOT NULL THEN 'tags'
            WHEN click IS NOT NULL THEN 'click'
            WHEN led_from IS NOT NULL THEN 'referrer' END AS told_by
    FROM led),
named AS (
    SELECT * EXCLUDE (tagged_source, tagged_medium),
        CASE told_by WHEN 'tags' THEN coalesce(tagged_source, '(not set)')
            WHEN 'click' THEN CASE click WHEN 'msclkid' THEN 'bing' WHEN 'fbclid' THEN 'facebook'
                ELSE 'google' END
            WHEN 'referrer' THEN CASE WHEN led_kind IN ('search', 'social', 'assistant') THEN site
                ELSE led_from END
            ELSE '(direct)' END AS source,
        CASE told_by WHEN 'tags' THEN coalesce(tagged_medium, '(not set)')
            WHEN 'click' THEN if(click = 'fbclid', 'social', 'cpc')
            WHEN 'referrer' THEN CASE led_kind WHEN 'search' THEN 'organic'
                WHEN 'social' THEN 'social' WHEN 'assistant' THEN 'ai-assistant'
                ELSE 'referral' END
            ELSE '(none)' END AS medium
    FROM told),
plain AS (
    SELECT *, lower(source) AS s, lower(medium) AS m, lower(coalesce(campaign, '')) AS c,
        coalesce(kind_of(regexp_replace(s, '^www\\.', '')), '') AS kind,
        m LIKE '%cp%' OR m IN ('ppc', 'retargeting') OR m LIKE 'paid%' AS is_paid,
        kind = 'shopping' OR regexp_matches(c, '(^|[^a-df-z])shop|shopping') AS is_shop
    FROM named)
SELECT * EXCLUDE (led_from, click, site, led_kind, told_by, s, m, c, kind, is_paid, is_shop),
    coalesce(said_channel, CASE
        WHEN s = '(direct)' AND m IN ('(none)', '(not set)') THEN 'Direct'
        WHEN c LIKE '%cross-network%' THEN 'Cross-network'
        WHEN is_shop AND is_paid THEN 'Paid Shopping'
        WHEN kind = 'search' AND is_paid THEN 'Paid Search'
        WHEN kind = 'social' AND is_paid THEN 'Paid Social'
        WHEN kind = 'video' AND is_paid THEN 'Paid Video'
        WHEN m IN ('display', 'banner', 'expandable', 'interstitial', 'cpm') THEN 'Display'
        WHEN is_paid THEN 'Paid Other'
        WHEN m = 'ai-assistant' THEN 'AI Assistant'
        WHEN is_shop THEN 'Organic Shopping'
        WHEN kind = 'social' OR regexp_full_match(m, 'sm|social([- ](network|media))?')
            THEN 'Organic Social'
        WHEN kind = 'video' OR m LIKE '%video%' THEN 'Organic Video'
        WHEN kind = 'search' OR m = 'organic' THEN 'Organic Search'
        WHEN m IN ('referral', 'app', 'link') THEN 'Referral'
        WHEN regexp_full_match(s, 'e[-_ ]?mail') OR regexp_full_match(m, 'e[-_ ]?mail') THEN 'Email'
        WHEN m = 'affiliate' THEN 'Affiliates'
        WHEN m = 'audio' THEN 'Audio'
        WHEN s = 'sms' OR m = 'sms' THEN 'SMS'
        WHEN m LIKE '%push' OR m LIKE '%mobile%' OR m LIKE '%notification%' OR s = 'firebase'
            THEN 'Mobile Push Notifications'
        ELSE 'Unassigned' END) AS channel
FROM plain;
"""


def channels_sql(own_domains: Sequence[str], payment_providers: Sequence[str]) -> str:
    """From ``visit`` with tagged_source, tagged_medium, campaign, referrer, landing and
    said_channel to ``sourced``, with channel, source and medium.
    """
    ignored = [f"OR lies_in(host_of(referrer), '{d}')" for d in (*own_domains, *payment_providers)]
    return _SOURCED.format(
        names=_cases("host", [(name, regex) for _, name, regex in SITES]),
        kinds=_cases("source", [(kind, regex) for kind, _, regex in SITES]),
        ignored=" ".join(ignored),
    )


def _cases(what: str, answers: Sequence[tuple[str, str]]) -> str:
    return " ".join(
        f"WHEN regexp_full_match({what}, '{regex}') THEN '{answer}'" for answer, regex in answers
    )


def traffic_oracle(
    con: duckdb.DuckDBPyConnection, *, attribution_days: int, data_through: date
) -> pl.DataFrame:
    """``traffic_sources_daily``, from what ``session_oracle`` has left in ``con``."""
    return con.sql(f"""
        WITH touch AS (SELECT * FROM visits WHERE lower(channel) <> 'direct'),
        matched AS (
            SELECT v.session_id, t.channel, t.source, t.medium, t.campaign
            FROM visits v JOIN touch t ON t.user_id = v.user_id
                AND t.started_ts < v.started_ts
                AND t.started_ts >= v.started_ts - to_hours(24 * {attribution_days})
            WHERE lower(v.channel) = 'direct'
            QUALIFY row_number() OVER (PARTITION BY v.session_id
                ORDER BY t.started_ts DESC, t.session_id DESC) = 1),
        counted AS (
            SELECT v.date, v.user_id, v.is_converting,
                if(m.session_id IS NULL, v.channel, m.channel) AS channel,
                if(m.session_id IS NULL, v.source, m.source) AS source,
                if(m.session_id IS NULL, v.medium, m.medium) AS medium,
                coalesce(if(m.session_id IS NULL, v.campaign, m.campaign), '(none)') AS campaign
            FROM visits v LEFT JOIN matched m USING (session_id)
            WHERE v.date <= DATE '{data_through}')
        SELECT date, channel, source, medium, campaign, count(*) AS sessions,
            count(DISTINCT user_id) AS visitors,
            count(*) FILTER (is_converting) AS converting_sessions,
            converting_sessions / sessions AS conversion_rate, true AS is_complete
        FROM counted GROUP BY ALL""").pl()


def conversions_oracle(
    con: duckdb.DuckDBPyConnection,
    tables: Mapping[str, pl.DataFrame],
    *,
    goals: Mapping[str, Sequence[str]],
    week_start: str,
    data_through: date,
) -> dict[str, pl.DataFrame]:
    """``conversions_daily`` and ``conversions_periodic``, after ``session_oracle`` on ``con``.

    ``tables`` are what that has given; ``goals`` are names of events by goal.
    """
    pairs = [(goal, name) for goal, names in goals.items() for name in set(names)]
    con.execute("CREATE OR REPLACE TEMP TABLE goal (goal VARCHAR, event_name VARCHAR)")
    if pairs:
        con.executemany("INSERT INTO goal VALUES (?, ?)", pairs)
    calendar = Calendar(week_start)
    daily = tables["sessions_daily"].rename({"date": "period_start"})
    cells = {"day": daily.with_columns(grain=pl.lit("day"), is_complete=pl.lit(True))}
    for grain in ("week", "month"):
        cells[grain] = tables["sessions_periodic"].filter(pl.col("grain") == grain)
    made = {
        grain: _conversions(con, rows, calendar.start(grain, "p.date"), data_through)
        for grain, rows in cells.items()
    }
    days = made["day"].rename({"period_start": "date"}).drop("grain")
    return {
        "conversions_daily": days,
        "conversions_periodic": pl.concat([made["week"], made["month"]]),
    }


def _conversions(
    con: duckdb.DuckDBPyConnection, cells: pl.DataFrame, start: str, data_through: date
) -> pl.DataFrame:
    key = ["grain", "period_start", "dimension", "segment"]
    con.register("cell", cells.select(*key, "sessions", "visitors", "is_complete").to_arrow())
    return con.sql(f"""
        WITH hit AS (
            SELECT v.session_id, g.goal, count(*) AS n
            FROM belonging b JOIN goal g USING (event_name)
            JOIN visits v ON v.user_id = b.person AND v.started_ts = b.started
                AND v.source_id IS NOT DISTINCT FROM b.source_id
            GROUP BY ALL),
        reached AS (
            SELECT {start} AS period_start, p.dimension, p.segment, h.goal, sum(h.n) AS n,
                count(DISTINCT p.user_id) AS people, count(*) AS hits
            FROM placed p JOIN hit h USING (session_id)
            WHERE p.date <= DATE '{data_through}' GROUP BY ALL)
        SELECT c.grain, c.period_start, goal, c.dimension, c.segment,
            coalesce(n, 0) AS conversions, coalesce(people, 0) AS converting_users, c.visitors,
            converting_users / nullif(c.visitors, 0) AS user_conversion_rate,
            coalesce(hits, 0) AS converting_sessions, c.sessions,
            converting_sessions / nullif(c.sessions, 0) AS session_conversion_rate, c.is_complete
        FROM cell c CROSS JOIN (SELECT DISTINCT goal FROM goal) g
        LEFT JOIN reached r USING (period_start, dimension, segment, goal)""").pl()
