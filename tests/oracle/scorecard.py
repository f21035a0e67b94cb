"""The scorecard computed a second time, in SQL, from the tables as they are published.

Written from METRICS.md and the schemas, and not from the transform: every metric is a query.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import duckdb
import polars as pl

# Day by day is known when a history begins; where only months are, they are taken as whole.
_BEGINS = """CASE
    WHEN metric IN ('active_users', 'stickiness', 'active_to_paying', 'month_1_retention',
        'page_views', 'pages_per_session', 'mean_session_seconds', 'bounce_rate',
        'new_visitor_share', 'user_conversion_rate', 'session_conversion_rate',
        'feature_adoption') THEN (SELECT min(date) FROM active_users_daily)
    WHEN metric = 'click_through_rate' THEN (SELECT min(date) FROM campaigns_daily)
    WHEN metric = 'social_engagement_rate' THEN (SELECT min(date) FROM social_engagement_daily)
    WHEN metric IN ('mean_time_on_page_seconds', 'mean_scroll_depth')
        THEN (SELECT min(date) FROM pages_daily)
    WHEN metric IN ('mean_first_reply_seconds', 'mean_resolution_seconds')
        THEN (SELECT min(period_start) FROM support_tickets WHERE grain = 'day')
    WHEN family IN ('nps', 'csat', 'ces')
        THEN (SELECT min(period_start) FROM survey_scores WHERE grain = 'day')
    END"""
_PERIOD = "period_start AS month, dimension, segment, is_complete FROM {} WHERE grain = 'month'"


def scorecard_oracle(
    tables: Mapping[str, pl.DataFrame], benchmarks: Mapping[str, Mapping[str, Any]], through: date
) -> pl.DataFrame:
    """``kpi_scorecard`` from the published tables that it reads, by name."""
    with duckdb.connect(config={"threads": 1}) as con:
        for name, rows in tables.items():
            naive = rows.with_columns(pl.col(pl.Datetime).dt.replace_time_zone(None))
            con.register(name, naive.to_arrow())
        _register_benchmarks(con, benchmarks)
        facts = " UNION ALL ".join([*_ratios(), *_by_day(through), *_surveys(), *_numbers()])
        con.execute(f"""CREATE TEMP TABLE fact AS
            SELECT month, metric, family, dimension, segment, is_complete, value, unit,
                is_complete AND NOT coalesce({_BEGINS} > month
                    - if(metric = 'month_1_retention', INTERVAL 1 MONTH, INTERVAL 0 MONTH), false)
                    AS is_comparable,
                CASE WHEN is_ratio THEN numerator END AS numerator, denominator
            FROM ({facts})
            WHERE value IS NOT NULL OR (numerator IS NOT NULL AND denominator = 0)""")
        return _judged(con)


def _register_benchmarks(
    con: duckdb.DuckDBPyConnection, benchmarks: Mapping[str, Mapping[str, Any]]
) -> None:
    con.execute("""CREATE TEMP TABLE benchmark
        (name VARCHAR, low DOUBLE, high DOUBLE, direction VARCHAR, source VARCHAR)""")
    con.execute("CREATE TEMP TABLE threshold (name VARCHAR, level VARCHAR, lies DOUBLE)")
    for name, each in benchmarks.items():
        values = [name, each["low"], each["high"], each["direction"], each["source"]]
        con.execute("INSERT INTO benchmark VALUES (?, ?, ?, ?, nullif(?, ''))", values)
        for level, lies in each["levels"].items():
            con.execute("INSERT INTO threshold VALUES (?, ?, ?)", [name, level, lies])


def _fact(
    metric: str, unit: str, above: str, below: str, rows: str, family: str | None = None
) -> str:
    """A ratio; ``rows`` tells month, dimension, segment, completeness and where from."""
    return f"""SELECT '{metric}' AS metric, '{family or metric}' AS family, '{unit}' AS unit,
        true AS is_ratio, ({above})::DOUBLE AS numerator, ({below})::DOUBLE AS denominator,
        ({above})::DOUBLE / nullif(({below})::DOUBLE, 0) AS value, {rows}"""


def _ratios() -> Iterator[str]:
    for metric, table, above, below in (
        ("stickiness", "active_users_periodic", "mean_dau", "active_users"),
        ("bounce_rate", "sessions_periodic", "bounced_sessions", "page_view_sessions"),
        ("new_visitor_share", "sessions_periodic", "new_visitors", "visitors"),
    ):
        yield _fact(metric, "fraction", above, below, _PERIOD.format(table))
    visits = _PERIOD.format("sessions_periodic")
    yield _fact("pages_per_session", "page views", "page_views", "sessions", visits)
    yield _fact("mean_session_seconds", "seconds", "time_spent_seconds", "sessions", visits)
    month = "month, dimension, segment, is_complete FROM "
    for metric, above in (
        ("gross_revenue_retention", "opening_mrr_amount - lost_mrr_amount"),
        ("net_revenue_retention", "opening_mrr_amount - lost_mrr_amount + expansion_mrr_amount"),
    ):
        rows = month + "mrr_movements_monthly"
        yield _fact(metric, "fraction", above, "opening_mrr_amount", rows)
    lost = "customers_start + new_customers + reactivated_customers - customers_end"
    yield _fact("churn_rate", "fraction", lost, "customers_start", month + "churn_monthly")
    shop = "month, 'all' AS dimension, 'all' AS segment, is_complete FROM "
    shop += "churn_by_inactivity_monthly"
    yield _fact("churn_rate_by_inactivity", "fraction", lost, "customers_start", shop)
    clv = "if(clv_basis = 'predicted', predicted_clv_amount, simple_clv_amount)"
    for model in ("bg_nbd", "sbg"):
        rows = f"{month} clv_monthly WHERE model = '{model}'"
        name = f"clv_to_cac_{model}"
        yield _fact(name, "ratio", clv, "acquisition_cost_amount", rows, "clv_to_cac")
    yield from _named()


def _named() -> Iterator[str]:
    """Ratios whose segment is what is measured."""
    for metric, table, above, below, by in (
        ("user_conversion_rate", "conversions_periodic", "converting_users", "visitors", "goal"),
        (
            "session_conversion_rate",
            "conversions_periodic",
            "converting_sessions",
            "sessions",
            "goal",
        ),
        ("feature_adoption", "feature_usage", "feature_users", "active_users", "feature"),
    ):
        rows = f"""period_start, '{by}', {by}, is_complete FROM {table}
            WHERE grain = 'month' AND dimension = 'all'"""
        yield _fact(metric, "fraction", above, below, rows)
    place = """period_start, CASE WHEN channel <> 'all' THEN 'channel' WHEN tier <> 'all'
        THEN 'tier' ELSE 'all' END, if(channel <> 'all', channel, tier), is_complete
        FROM support_tickets WHERE grain = 'month' AND (channel = 'all' OR tier = 'all')"""
    for metric, above, below in (
        ("mean_first_reply_seconds", "first_reply_seconds", "replied"),
        ("mean_resolution_seconds", "resolution_seconds", "timed_resolved"),
    ):
        yield _fact(metric, "seconds", above, below, place)
    rows = """(cohort_start + INTERVAL 1 MONTH)::DATE, dimension, segment, is_complete
        FROM cohort_retention
        WHERE definition = 'activity' AND grain = 'month' AND period_index = 1"""
    yield _fact("month_1_retention", "fraction", "active_users", "cohort_users", rows)


def _by_day(through: date) -> Iterator[str]:
    """Days added up per month; a month is there when the table, or the horizon, passes its end."""
    actives = "FROM active_users_daily WHERE paying_users IS NOT NULL"
    shown = """FROM campaigns_daily c WHERE 0 < (SELECT sum(impressions) FROM campaigns_daily o
        WHERE (o.channel, o.campaign, date_trunc('month', o.date))
            = (c.channel, c.campaign, date_trunc('month', c.date)))"""
    known = """FROM social_engagement_daily WHERE posts_without_impressions = 0
        AND engagements IS NOT NULL AND impressions IS NOT NULL"""
    everybody = "'all', 'all'"
    for metric, unit, table, above, below, place, rows in (
        ("active_to_paying", "fraction", "active_users_daily", "dau", "paying_users",
            "dimension, segment", actives),
        ("click_through_rate", "fraction", "campaigns_daily", "clicks", "impressions",
            everybody, shown),
        ("click_through_rate", "fraction", "campaigns_daily", "clicks", "impressions",
            "'channel', channel", shown),
        ("click_through_rate", "fraction", "campaigns_daily", "clicks", "impressions",
            "'campaign', campaign", shown),
        ("social_engagement_rate", "fraction", "social_engagement_daily", "engagements",
            "impressions", everybody, known),
        ("social_engagement_rate", "fraction", "social_engagement_daily", "engagements",
            "impressions", "'platform', platform", known),
        ("mean_time_on_page_seconds", "seconds", "pages_daily", "time_on_page_seconds",
            "timed_views", everybody, "FROM pages_daily"),
        ("mean_scroll_depth", "fraction", "pages_daily", "scroll_depth", "scroll_views",
            everybody, "FROM pages_daily"),
    ):  # fmt: skip
        reached = f"greatest(DATE '{through}', (SELECT max(date) FROM {table}))"
        where = f"""date_trunc('month', date)::DATE AS start, {place},
            last_day(start) <= {reached} {rows} GROUP BY ALL"""
        parts = (f"sum({part}::DECIMAL(30, 6))" for part in (above, below))
        yield _fact(metric, unit, *parts, where)


def _surveys() -> Iterator[str]:
    scale = "'_' || format('{:g}', scale_min) || '_' || format('{:g}', scale_max)"
    for kind, above in (("nps", "promoters - detractors"), ("csat", "satisfied"), ("ces", "NULL")):
        directed = kind == "ces"
        bare = "scale_min = 0 AND scale_max = 10" if kind == "nps" else "false"
        name = f"""'{kind}' || CASE WHEN {directed} THEN '_' || direction || {scale}
            WHEN direction = 'effort' THEN '_effort' || {scale}
            WHEN {bare} THEN '' ELSE {scale} END"""
        value = "score" if directed else f"100 * ({above})::DOUBLE / nullif(responses, 0)"
        yield f"""SELECT {name}, '{kind}', '{"score" if directed else "points"}', true,
            ({above})::DOUBLE, responses::DOUBLE, {value}, period_start, 'survey', survey,
            is_complete FROM survey_scores
            WHERE kind = '{kind}' AND grain = 'month' AND dimension = 'all'"""


def _numbers() -> Iterator[str]:
    """What is no ratio."""
    for metric, unit, value, rows in (
        ("active_users", "people", "active_users", _PERIOD.format("active_users_periodic")),
        ("page_views", "page views", "page_views", _PERIOD.format("sessions_periodic")),
        ("mrr", "reporting currency", "closing_mrr_amount",
            "month, dimension, segment, is_complete FROM mrr_movements_monthly"),
    ):  # fmt: skip
        yield f"""SELECT '{metric}', '{metric}', '{unit}', false, NULL, NULL,
            {value}::DOUBLE, {rows}"""


def _judged(con: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    series = "o.metric = f.metric AND o.dimension = f.dimension AND o.segment = f.segment"
    earlier = f"""(SELECT o.value FROM fact o WHERE {series} AND o.is_comparable
        AND o.month = f.month - INTERVAL {{}})"""
    furthest = """(SELECT t.level FROM threshold t WHERE t.name = b.name AND f.is_comparable
        AND if(b.direction = 'higher', f.value > t.lies, f.value < t.lies)
        ORDER BY if(b.direction = 'higher', -t.lies, t.lies) LIMIT 1)"""
    listed = """(SELECT string_agg(t.level || ' ' || format('{:g}', t.lies), '; '
        ORDER BY if(b.direction = 'higher', t.lies, -t.lies)) FROM threshold t
        WHERE t.name = b.name)"""
    found = con.sql(f"""
        WITH told AS (SELECT * FROM benchmark WHERE low IS NOT NULL OR high IS NOT NULL
                OR name IN (SELECT name FROM threshold)),
        meant AS (SELECT f.*, CASE WHEN f.denominator IS NULL AND f.dimension <> 'all' THEN NULL
            WHEN f.metric IN (SELECT name FROM told) THEN f.metric ELSE f.family END AS own
            FROM fact f),
        beside AS (
            SELECT f.*, {earlier.format("1 MONTH")} AS previous_value,
                {earlier.format("1 YEAR")} AS year_before_value, b.low AS benchmark_low,
                b.high AS benchmark_high, {listed} AS benchmark_levels,
                {furthest} AS benchmark_level, b.direction AS benchmark_direction,
                b.source AS benchmark_source
            FROM meant f LEFT JOIN told b ON b.name = f.own)
        SELECT *, if(is_comparable, value - previous_value, NULL) AS change,
            if(is_comparable, value - year_before_value, NULL) AS change_on_year,
            CASE WHEN NOT is_comparable OR value IS NULL THEN NULL
                WHEN value < benchmark_low THEN 'below'
                WHEN value > benchmark_high THEN 'above'
                WHEN coalesce(benchmark_low, benchmark_high) IS NOT NULL THEN 'within'
                WHEN benchmark_levels IS NULL THEN NULL
                WHEN benchmark_level IS NOT NULL THEN benchmark_level
                WHEN benchmark_direction = 'higher' THEN 'below' ELSE 'above' END AS verdict
        FROM beside""")
    return pl.DataFrame(found.to_arrow_table())
