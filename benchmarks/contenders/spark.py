"""PySpark on this machine alone: the plain SQL of an analytics engineer, in Spark's words."""

import os
from datetime import date
from pathlib import Path

from pyspark.sql import SparkSession

from benchmarks.names import (
    DIMENSIONS,
    INACTIVE,
    MAU_DAYS,
    RETENTION_PERIODS,
    SESSION_DIMENSIONS,
    SESSION_GAP_MINUTES,
    SESSION_MAX_HOURS,
    WAU_DAYS,
)

_STARTS = {
    "day": "{0}",
    "week": "CAST(date_trunc('week', {0}) AS DATE)",
    "month": "CAST(date_trunc('month', {0}) AS DATE)",
}
_DRIVER_MEMORY = "8g"
_LONGEST = f"INTERVAL {SESSION_MAX_HOURS} HOURS"
_NUMBERED = f"""
    WITH gaps AS (
        SELECT *, event_ts - lag(event_ts) OVER (PARTITION BY person ORDER BY event_ts)
            > INTERVAL {SESSION_GAP_MINUTES} MINUTE AS is_gap
        FROM active)
    SELECT *, sum(CAST(coalesce(is_gap, true) AS INT)) OVER (
        PARTITION BY person ORDER BY event_ts RANGE UNBOUNDED PRECEDING) AS number
    FROM gaps"""


def stored(events: Path, out: Path, through: date) -> None:
    """The tables from stored events."""
    spark = _session(out)
    spark.read.parquet(str(events)).createOrReplaceTempView("ev")
    _prepare(spark, through)
    queries = {
        "user_days": """
            SELECT event_date, person AS user_id, count(*) AS active_events
            FROM active GROUP BY event_date, person""",
        "active_users_daily": _daily(),
        "cohort_retention": " UNION ALL ".join(
            _retention(grain, last, through) for grain, last in RETENTION_PERIODS.items()
        ),
        "sessions": "SELECT * FROM session",
        "sessions_daily": _sessions_daily(),
        "feature_usage": " UNION ALL ".join(_features(grain) for grain in RETENTION_PERIODS),
    }
    for name, query in queries.items():
        spark.sql(query).coalesce(1).write.parquet(f"{out}/{name}.parquet", compression="zstd")
    _end(spark)


def _session(out: Path) -> SparkSession:
    cores = os.cpu_count() or 1
    return (
        SparkSession.builder.master("local[*]")
        .config("spark.driver.memory", _DRIVER_MEMORY)
        .config("spark.local.dir", f"{out}/.spill")
        .config("spark.sql.warehouse.dir", f"{out}/.warehouse")
        .config("spark.sql.shuffle.partitions", 4 * cores)
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.log.level", "ERROR")
        .getOrCreate()
    )


def _end(spark: SparkSession) -> None:
    """Wait for the Java process, so that what it took is counted."""
    gateway = spark.sparkContext._gateway
    spark.stop()
    gateway.shutdown()
    gateway.proc.stdin.close()
    gateway.proc.wait()


def _by_dimension(columns: str, dimensions: tuple[str, ...], source: str) -> str:
    parts = [f"SELECT {columns}, 'all' AS dimension, 'all' AS segment FROM {source}"]
    parts += [
        f"SELECT {columns}, '{name}' AS dimension, coalesce({name}, 'unknown') AS segment"
        f" FROM {source}"
        for name in dimensions
    ]
    return " UNION ALL ".join(parts)


def _keep(spark: SparkSession, name: str, query: str) -> None:
    """A view that is computed once, as far as memory goes."""
    spark.sql(query).createOrReplaceTempView(name)
    spark.sql(f"CACHE LAZY TABLE {name}")


def _prepare(spark: SparkSession, through: date) -> None:
    inactive = ", ".join(f"'{name}'" for name in INACTIVE)
    columns = (
        "event_date, event_ts, event_id, event_name, person, platform, country, channel, feature,"
        " page_url"
    )
    _keep(
        spark,
        "active",
        f"SELECT {columns} FROM ev WHERE event_name NOT IN ({inactive})"
        f" AND event_date <= DATE '{through}'",
    )
    days = _by_dimension("event_date AS day, person", DIMENSIONS, "active")
    _keep(spark, "seen", f"SELECT DISTINCT * FROM ({days})")
    _keep(
        spark,
        "first_seen",
        "SELECT dimension, segment, person, min(day) AS first_day FROM seen"
        " GROUP BY dimension, segment, person",
    )
    _keep(
        spark,
        "calendar",
        f"SELECT explode(sequence(min(day), DATE '{through}')) AS day FROM seen",
    )
    _keep(spark, "numbered", _NUMBERED)
    _keep(spark, "session", _sessions())


def _sessions() -> str:
    """Runs of events without a gap, those that last too long cut one start after another."""
    moment = "struct(event_ts, event_id)"
    is_view = "event_name = 'page_view'"
    return f"""
        WITH long AS (
            SELECT person, number, array_sort(collect_list(event_ts)) AS times FROM numbered
            GROUP BY person, number HAVING max(event_ts) > min(event_ts) + {_LONGEST}),
        cut AS (
            SELECT person, number, aggregate(times, slice(times, 1, 1), (begun, ts) ->
                if(ts > element_at(begun, -1) + {_LONGEST}, concat(begun, array(ts)), begun)
            ) AS starts FROM long),
        placed AS (
            SELECT numbered.*, array_max(filter(starts, start -> start <= event_ts)) AS begun_ts
            FROM numbered LEFT JOIN cut USING (person, number))
        SELECT min(event_date) AS date, person AS user_id, min(event_ts) AS started_ts,
            max(event_ts) AS ended_ts, count(*) AS events,
            count(*) FILTER (WHERE {is_view}) AS page_views,
            min_by(page_url, {moment}) FILTER (WHERE {is_view}) AS entry_page,
            max_by(page_url, {moment}) FILTER (WHERE {is_view}) AS exit_page,
            min_by(platform, {moment}) FILTER (WHERE platform IS NOT NULL) AS platform,
            min_by(country, {moment}) FILTER (WHERE country IS NOT NULL) AS country
        FROM placed GROUP BY person, number, begun_ts"""


def _daily() -> str:
    def window(name: str, days: int) -> str:
        return f"""{name} AS (
            SELECT c.day, s.dimension, s.segment, count(DISTINCT s.person) AS {name}
            FROM calendar c JOIN (
                SELECT *, explode(sequence(0, {days - 1})) AS later FROM seen
            ) s ON c.day = date_add(s.day, s.later)
            GROUP BY c.day, s.dimension, s.segment)"""

    return f"""
        WITH {window("dau", 1)}, {window("wau", WAU_DAYS)}, {window("mau", MAU_DAYS)},
        fresh AS (
            SELECT first_day AS day, dimension, segment, count(*) AS new_users
            FROM first_seen GROUP BY first_day, dimension, segment),
        begun AS (
            SELECT dimension, segment, min(first_day) AS first_day FROM first_seen
            GROUP BY dimension, segment),
        cell AS (SELECT day, dimension, segment FROM calendar JOIN begun ON day >= first_day)
        SELECT day AS date, dimension, segment, coalesce(dau, 0) AS dau, coalesce(wau, 0) AS wau,
            coalesce(mau, 0) AS mau, coalesce(new_users, 0) AS new_users
        FROM cell LEFT JOIN dau USING (day, dimension, segment)
            LEFT JOIN wau USING (day, dimension, segment)
            LEFT JOIN mau USING (day, dimension, segment)
            LEFT JOIN fresh USING (day, dimension, segment)"""


def _moved(grain: str, start: str, number: str) -> str:
    return {
        "day": f"date_add({start}, {number})",
        "week": f"date_add({start}, 7 * ({number}))",
        "month": f"add_months({start}, {number})",
    }[grain]


def _retention(grain: str, last: int, through: date) -> str:
    key = "cohort_start, dimension, segment"
    cohort = _STARTS[grain].format("event_date")
    period = _moved(grain, "cohort_start", "period_index")
    return f"""
        (WITH ranked AS (
            SELECT {cohort} AS cohort_start, person, {", ".join(DIMENSIONS)},
                row_number() OVER (PARTITION BY person ORDER BY event_ts, event_id) AS place
            FROM active),
        entry AS (SELECT * FROM ranked WHERE place = 1),
        entered AS ({_by_dimension("cohort_start, person", DIMENSIONS, "entry")}),
        back AS (SELECT DISTINCT person, {cohort} AS later_start FROM active),
        returned AS (
            SELECT * FROM (
                SELECT {key}, person, timestampdiff({grain.upper()}, cohort_start, later_start)
                    AS later
                FROM entered JOIN back USING (person))
            WHERE later > 0 AND later <= {last}),
        sizes AS (SELECT {key}, count(*) AS cohort_users FROM entered GROUP BY {key}),
        came AS (
            SELECT {key}, later AS period_index, count(DISTINCT person) AS came
            FROM returned GROUP BY {key}, later),
        final AS (
            SELECT {key}, person, max(later) AS later FROM returned GROUP BY {key}, person),
        numbers AS (SELECT CAST(id AS INT) AS period_index FROM range({last} + 1)),
        cells AS (
            SELECT * FROM sizes CROSS JOIN numbers WHERE {period} <= DATE '{through}'),
        stayed AS (
            SELECT {key}, period_index, count(*) AS stayed
            FROM cells JOIN final USING ({key}) WHERE later >= period_index
            GROUP BY {key}, period_index)
        SELECT '{grain}' AS grain, cohort_start, period_index, dimension, segment, cohort_users,
            CASE WHEN period_index = 0 THEN cohort_users ELSE coalesce(came, 0) END
                AS active_users,
            CASE WHEN {_moved(grain, "cohort_start", str(last + 1))}
                    > date_add(DATE '{through}', 1) THEN NULL
                WHEN period_index = 0 THEN cohort_users ELSE coalesce(stayed, 0) END
                AS rolling_users
        FROM cells LEFT JOIN came USING ({key}, period_index)
            LEFT JOIN stayed USING ({key}, period_index))"""


def _sessions_daily() -> str:
    key = "date, dimension, segment"
    columns = "date, user_id, page_views, unix_micros(ended_ts) - unix_micros(started_ts) AS micros"
    return f"""
        WITH labelled AS ({_by_dimension(columns, SESSION_DIMENSIONS, "session")}),
        first_visit AS (
            SELECT dimension, segment, user_id, min(date) AS date FROM labelled
            GROUP BY dimension, segment, user_id),
        fresh AS (SELECT {key}, count(*) AS new_visitors FROM first_visit GROUP BY {key}),
        begun AS (
            SELECT dimension, segment, min(date) AS first_date FROM first_visit
            GROUP BY dimension, segment),
        counted AS (
            SELECT {key}, count(*) AS sessions, count(DISTINCT user_id) AS visitors,
                sum(page_views) AS page_views, count(*) FILTER (WHERE page_views = 1) AS bounced,
                percentile(micros, 0.5) / 1000000 AS middle
            FROM labelled GROUP BY {key}),
        cell AS (
            SELECT day AS date, dimension, segment FROM calendar JOIN begun ON day >= first_date)
        SELECT date, dimension, segment, coalesce(sessions, 0) AS sessions,
            coalesce(visitors, 0) AS visitors, coalesce(new_visitors, 0) AS new_visitors,
            coalesce(page_views, 0) AS page_views, coalesce(bounced, 0) AS bounced_sessions,
            middle AS median_session_seconds
        FROM cell LEFT JOIN counted USING ({key}) LEFT JOIN fresh USING ({key})"""


def _features(grain: str) -> str:
    start = _STARTS[grain].format("event_date")
    key = "period_start, dimension, segment"
    labelled = _by_dimension(f"{start} AS period_start, person, feature", DIMENSIONS, "active")
    return f"""
        (WITH labelled AS ({labelled}),
        used AS (
            SELECT {key}, feature, count(*) AS events, count(DISTINCT person) AS feature_users
            FROM labelled WHERE feature IS NOT NULL GROUP BY {key}, feature),
        here AS (
            SELECT {key}, count(DISTINCT person) AS active_users FROM labelled GROUP BY {key}),
        periods AS (SELECT DISTINCT {_STARTS[grain].format("day")} AS period_start FROM calendar),
        begun AS (
            SELECT feature, dimension, segment, min(period_start) AS first_period
            FROM used GROUP BY feature, dimension, segment),
        cell AS (
            SELECT period_start, feature, dimension, segment
            FROM begun JOIN periods ON period_start >= first_period)
        SELECT '{grain}' AS grain, period_start, feature, dimension, segment,
            coalesce(events, 0) AS events, coalesce(feature_users, 0) AS feature_users,
            coalesce(active_users, 0) AS active_users
        FROM cell LEFT JOIN used USING ({key}, feature) LEFT JOIN here USING ({key}))"""
