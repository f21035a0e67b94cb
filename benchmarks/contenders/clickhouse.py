"""chDB, which is ClickHouse in this process: an analytics engineer's plain SQL in its words."""

from datetime import date
from pathlib import Path

from chdb.session import Session

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

_STARTS = {"day": "{0}", "week": "toMonday({0})", "month": "toStartOfMonth({0})"}
_ADDS = {"day": "addDays({0}, {1})", "week": "addWeeks({0}, {1})", "month": "addMonths({0}, {1})"}
# Beyond it group-bys and sorts go to the disk.
_SPILL_BYTES = 6 << 30
_NUMBERED = f"""
    WITH gaps AS (
        SELECT *, event_ts > addSeconds(lagInFrame(event_ts, 1, event_ts) OVER (
            PARTITION BY person ORDER BY event_ts
            ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING),
            {SESSION_GAP_MINUTES * 60}) AS is_gap
        FROM active)
    SELECT *, sum(is_gap) OVER (
        PARTITION BY person ORDER BY event_ts RANGE UNBOUNDED PRECEDING) AS number
    FROM gaps"""


def stored(events: Path, out: Path, through: date) -> None:
    """The tables from stored events."""
    session = Session(str(out / ".work"))
    for setting in (
        "join_use_nulls = 1",
        "session_timezone = 'UTC'",
        "schema_inference_make_columns_nullable = 'auto'",
        f"max_bytes_before_external_group_by = {_SPILL_BYTES}",
        f"max_bytes_before_external_sort = {_SPILL_BYTES}",
    ):
        session.query(f"SET {setting}")
    session.query("CREATE DATABASE bench ENGINE = Atomic")
    session.query("USE bench")
    _prepare(session, events, through)
    queries = {
        "user_days": """
            SELECT event_date, person AS user_id, count() AS active_events
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
        target = (out / f"{name}.parquet").absolute()
        session.query(f"INSERT INTO FUNCTION file('{target}', 'Parquet') {query}")
    session.close()


def _by_dimension(columns: str, dimensions: tuple[str, ...], source: str) -> str:
    parts = [f"SELECT {columns}, 'all' AS dimension, 'all' AS segment FROM {source}"]
    parts += [
        f"SELECT {columns}, '{name}' AS dimension, coalesce({name}, 'unknown') AS segment"
        f" FROM {source}"
        for name in dimensions
    ]
    return " UNION ALL ".join(parts)


def _keep(session: Session, name: str, order: str, query: str) -> None:
    session.query(
        f"CREATE TABLE {name} ENGINE = MergeTree ORDER BY ({order})"
        f" SETTINGS allow_nullable_key = 1 AS {query}"
    )


def _prepare(session: Session, events: Path, through: date) -> None:
    inactive = ", ".join(f"'{name}'" for name in INACTIVE)
    _keep(
        session,
        "active",
        "person, event_ts",
        f"""
        SELECT assumeNotNull(toDate(event_date)) AS event_date, assumeNotNull(event_ts) AS event_ts,
            assumeNotNull(event_id) AS event_id, event_name, assumeNotNull(person) AS person,
            platform, country, channel, feature, page_url
        FROM file('{events.absolute()}/*.parquet', Parquet)
        WHERE event_name NOT IN ({inactive}) AND event_date <= toDate('{through}')""",
    )
    days = _by_dimension("event_date AS day, person", DIMENSIONS, "active")
    _keep(session, "seen", "dimension, segment, day", f"SELECT DISTINCT * FROM ({days})")
    _keep(
        session,
        "first_seen",
        "dimension, segment, first_day",
        "SELECT dimension, segment, person, min(day) AS first_day FROM seen"
        " GROUP BY dimension, segment, person",
    )
    _keep(
        session,
        "calendar",
        "day",
        f"""
        SELECT arrayJoin(arrayMap(n -> addDays(first, n),
            range(toUInt32(toDate('{through}') - first + 1)))) AS day
        FROM (SELECT min(day) AS first FROM seen)""",
    )
    _keep(session, "numbered", "person, number", _NUMBERED)
    _keep(session, "session", "date, user_id", _sessions())


def _sessions() -> str:
    """Runs of events without a gap, those that last too long cut one start after another."""
    moment = "(event_ts, event_id)"
    is_view = "event_name = 'page_view'"
    # argMin leaves out rows whose value is null, a tuple never is.
    page = f"tupleElement({{0}}If(tuple(page_url), {moment}, {is_view}), 1)"
    return f"""
        WITH long AS (
            SELECT person, number, arraySort(groupArray(event_ts)) AS times FROM numbered
            GROUP BY person, number
            HAVING max(event_ts) > addHours(min(event_ts), {SESSION_MAX_HOURS})),
        cut AS (
            SELECT person, number, arrayFold((begun, ts) ->
                if(ts > addHours(begun[-1], {SESSION_MAX_HOURS}), arrayPushBack(begun, ts), begun),
                times, [times[1]]) AS starts FROM long),
        placed AS (
            SELECT numbered.*, arrayLast(start -> start <= event_ts, starts) AS begun_ts
            FROM numbered LEFT JOIN cut USING (person, number))
        SELECT min(event_date) AS date, person AS user_id, min(event_ts) AS started_ts,
            max(event_ts) AS ended_ts, count() AS events, countIf({is_view}) AS page_views,
            {page.format("argMin")} AS entry_page, {page.format("argMax")} AS exit_page,
            argMin(platform, {moment}) AS platform, argMin(country, {moment}) AS country
        FROM placed GROUP BY person, number, begun_ts"""


def _daily() -> str:
    def window(name: str, days: int) -> str:
        return f"""{name} AS (
            SELECT addDays(day, arrayJoin(range({days}))) AS day, dimension, segment,
                uniqExact(person) AS {name}
            FROM seen GROUP BY day, dimension, segment)"""

    return f"""
        WITH {window("dau", 1)}, {window("wau", WAU_DAYS)}, {window("mau", MAU_DAYS)},
        fresh AS (
            SELECT first_day AS day, dimension, segment, count() AS new_users
            FROM first_seen GROUP BY first_day, dimension, segment),
        begun AS (
            SELECT dimension, segment, min(first_day) AS first_day FROM first_seen
            GROUP BY dimension, segment),
        cell AS (
            SELECT day, dimension, segment FROM calendar CROSS JOIN begun WHERE day >= first_day)
        SELECT day AS date, dimension, segment, coalesce(dau, 0) AS dau, coalesce(wau, 0) AS wau,
            coalesce(mau, 0) AS mau, coalesce(new_users, 0) AS new_users
        FROM cell LEFT JOIN dau USING (day, dimension, segment)
            LEFT JOIN wau USING (day, dimension, segment)
            LEFT JOIN mau USING (day, dimension, segment)
            LEFT JOIN fresh USING (day, dimension, segment)"""


def _retention(grain: str, last: int, through: date) -> str:
    key = "cohort_start, dimension, segment"
    cohort = _STARTS[grain].format("event_date")
    period = _ADDS[grain].format("cohort_start", "period_index")
    end_of_last = _ADDS[grain].format("cohort_start", str(last + 1))
    return f"""
        WITH entry AS (
            SELECT {cohort} AS cohort_start, person, {", ".join(DIMENSIONS)} FROM active
            ORDER BY event_ts, event_id LIMIT 1 BY person),
        entered AS ({_by_dimension("cohort_start, person", DIMENSIONS, "entry")}),
        back AS (SELECT DISTINCT person, {cohort} AS later_start FROM active),
        returned AS (
            SELECT {key}, person, dateDiff('{grain}', cohort_start, later_start) AS later
            FROM entered JOIN back USING (person)
            WHERE later_start > cohort_start AND later <= {last}),
        sizes AS (SELECT {key}, count() AS cohort_users FROM entered GROUP BY {key}),
        came AS (
            SELECT {key}, later AS period_index, uniqExact(person) AS came
            FROM returned GROUP BY {key}, later),
        final AS (
            SELECT {key}, person, max(later) AS final_index FROM returned GROUP BY {key}, person),
        cells AS (
            SELECT *, arrayJoin(range(toUInt16({last + 1})))::Int64 AS period_index FROM sizes),
        begun AS (SELECT * FROM cells WHERE {period} <= toDate('{through}')),
        stayed AS (
            SELECT {key}, period_index, count() AS stayed
            FROM begun JOIN final USING ({key}) WHERE final_index >= period_index
            GROUP BY {key}, period_index)
        SELECT '{grain}' AS grain, cohort_start, period_index, dimension, segment, cohort_users,
            if(period_index = 0, cohort_users, coalesce(came, 0)) AS active_users,
            multiIf({end_of_last} > addDays(toDate('{through}'), 1), NULL,
                period_index = 0, cohort_users, coalesce(stayed, 0)) AS rolling_users
        FROM begun LEFT JOIN came USING ({key}, period_index)
            LEFT JOIN stayed USING ({key}, period_index)"""


def _sessions_daily() -> str:
    key = "date, dimension, segment"
    columns = (
        "date, user_id, page_views,"
        " toUnixTimestamp64Micro(ended_ts) - toUnixTimestamp64Micro(started_ts) AS micros"
    )
    return f"""
        WITH labelled AS ({_by_dimension(columns, SESSION_DIMENSIONS, "session")}),
        first_visit AS (
            SELECT dimension, segment, user_id, min(date) AS first_date FROM labelled
            GROUP BY dimension, segment, user_id),
        fresh AS (
            SELECT first_date AS date, dimension, segment, count() AS new_visitors
            FROM first_visit GROUP BY {key}),
        begun AS (
            SELECT dimension, segment, min(first_date) AS opened FROM first_visit
            GROUP BY dimension, segment),
        counted AS (
            SELECT {key}, count() AS sessions, uniqExact(user_id) AS visitors,
                sum(l.page_views) AS page_views, countIf(l.page_views = 1) AS bounced,
                quantileExactInclusive(0.5)(micros) / 1000000 AS middle
            FROM labelled AS l GROUP BY {key}),
        cell AS (
            SELECT day AS date, dimension, segment FROM calendar CROSS JOIN begun
            WHERE day >= opened)
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
        WITH labelled AS ({labelled}),
        used AS (
            SELECT {key}, feature, count() AS events, uniqExact(person) AS feature_users
            FROM labelled WHERE feature IS NOT NULL GROUP BY {key}, feature),
        here AS (
            SELECT {key}, uniqExact(person) AS active_users FROM labelled GROUP BY {key}),
        periods AS (SELECT DISTINCT {_STARTS[grain].format("day")} AS period_start FROM calendar),
        begun AS (
            SELECT feature, dimension, segment, min(period_start) AS first_period
            FROM used GROUP BY feature, dimension, segment),
        cell AS (
            SELECT period_start, feature, dimension, segment FROM begun CROSS JOIN periods
            WHERE period_start >= first_period)
        SELECT '{grain}' AS grain, period_start, feature, dimension, segment,
            coalesce(events, 0) AS events, coalesce(feature_users, 0) AS feature_users,
            coalesce(active_users, 0) AS active_users
        FROM cell LEFT JOIN used USING ({key}, feature) LEFT JOIN here USING ({key})"""
