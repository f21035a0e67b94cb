"""The best DuckDB SQL that we could write: what Tidemark does, said in SQL.

Events are scanned twice, in the columns that are needed, and become person-days and sessions; no
table after that goes back to them. People become integers. Rolling counts are interval
arithmetic: a person who was active on day t and next on day n counts from t to t + 27 or n - 1.
Retention adds up small groups of people who entered together. Files are sorted by person and time,
so that sessions need no sort: ``lag`` and ``sum`` over nothing stream in the order of the files,
and only sessions that touch midnight are put together by a window function.
"""

from datetime import date
from pathlib import Path

import duckdb

from benchmarks.contenders import landed_events
from benchmarks.names import (
    DIMENSIONS,
    INACTIVE,
    MAU_DAYS,
    OUTPUTS,
    RETENTION_PERIODS,
    SESSION_DIMENSIONS,
    SESSION_GAP_MINUTES,
    SESSION_MAX_HOURS,
    WAU_DAYS,
)

_GAP = f"INTERVAL {SESSION_GAP_MINUTES} MINUTE"
_LONGEST = f"INTERVAL {SESSION_MAX_HOURS} HOUR"
_NAMES = ", ".join(DIMENSIONS)
_KNOWN = ", ".join(f"coalesce(e.{name}, 'unknown') AS {name}" for name in DIMENSIONS)
_MEMORY_LIMIT = "12GB"
_INACTIVE = ", ".join(f"'{name}'" for name in INACTIVE)


def stored(events: Path, out: Path, through: date) -> None:
    """The tables from stored events, which are sorted by person and time within their day."""
    files = ", ".join(f"'{path}'" for path in sorted(events.glob("*.parquet")))
    with _connected(out) as con:
        con.execute(f"CREATE VIEW ev AS SELECT * FROM read_parquet([{files}])")
        _write_tables(con, out, through)


def landed(landing: Path, form: str, out: Path, through: date) -> None:
    """The tables from landed files; the events are sorted once, as Tidemark does."""
    with _connected(out) as con:
        for statement in landed_events.statements(landing, form, through):
            con.execute(statement)
        con.execute("""
            CREATE TABLE in_order AS
            SELECT * FROM ev ORDER BY event_date, person, event_ts, event_id""")
        con.execute("DROP TABLE ev")
        con.execute("ALTER TABLE in_order RENAME TO ev")
        _write_tables(con, out, through)


def _connected(out: Path) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    con.execute(f"SET temp_directory = '{out}/.spill'")
    con.execute(f"SET memory_limit = '{_MEMORY_LIMIT}'")
    con.execute("SET TimeZone = 'UTC'")
    return con


def _write_tables(con: duckdb.DuckDBPyConnection, out: Path, through: date) -> None:
    _sessions(con, through)
    con.execute("SET preserve_insertion_order = false")
    _spines(con, through)
    _entries(con)
    queries = {
        "user_days": """
            SELECT event_date, person AS user_id, sum(n)::BIGINT AS active_events
            FROM person_day JOIN people USING (id) GROUP BY event_date, person""",
        "active_users_daily": _daily(through),
        "cohort_retention": " UNION ALL ".join(
            _retention(grain, last, through) for grain, last in RETENTION_PERIODS.items()
        ),
        "sessions": f"SELECT {', '.join(OUTPUTS['sessions'])} FROM session",
        "sessions_daily": _sessions_daily(),
        "feature_usage": " UNION ALL ".join(_features(grain) for grain in RETENTION_PERIODS),
    }
    for name, query in queries.items():
        con.execute(f"COPY ({query}) TO '{out}/{name}.parquet' (COMPRESSION zstd)")


def _sessions(con: duckdb.DuckDBPyConnection, through: date) -> None:
    con.execute(f"""
        CREATE TABLE piece AS
        WITH placed AS (
            SELECT event_date, event_ts, person, platform, country,
                event_name = 'page_view' AS is_view, page_url, row_number() OVER () AS place,
                coalesce(lag(person) OVER () <> person OR lag(event_date) OVER () <> event_date
                    OR event_ts - lag(event_ts) OVER () > {_GAP}, true) AS is_start
            FROM ev
            WHERE event_name NOT IN ({_INACTIVE}) AND event_date <= DATE '{through}'),
        numbered AS (
            SELECT *, sum(is_start::INT) OVER (ROWS UNBOUNDED PRECEDING) AS number FROM placed)
        SELECT any_value(event_date) AS date, any_value(person) AS user_id,
            min(event_ts) AS started_ts, max(event_ts) AS ended_ts, count(*) AS events,
            count(*) FILTER (is_view) AS page_views,
            arg_min_null(page_url, place) FILTER (is_view) AS entry_page,
            arg_max_null(page_url, place) FILTER (is_view) AS exit_page,
            arg_min(platform, place) FILTER (platform IS NOT NULL) AS platform,
            arg_min(country, place) FILTER (country IS NOT NULL) AS country
        FROM numbered GROUP BY number::BIGINT""")
    midnight = "date_trunc('day', {0})"
    touches = (
        f"(started_ts - {midnight.format('started_ts')} <= {_GAP} OR"
        f" {midnight.format('ended_ts')} + INTERVAL 1 DAY - ended_ts <= {_GAP})"
    )
    con.execute(f"""
        CREATE TABLE session AS
        WITH gaps AS (
            SELECT *, started_ts - lag(ended_ts) OVER (PARTITION BY user_id ORDER BY started_ts)
                > {_GAP} AS is_gap
            FROM piece WHERE {touches}),
        numbered AS (
            SELECT *, sum(coalesce(is_gap, true)::INT) OVER (
                PARTITION BY user_id ORDER BY started_ts ROWS UNBOUNDED PRECEDING) AS number
            FROM gaps)
        SELECT min(date) AS date, user_id, min(started_ts) AS started_ts,
            max(ended_ts) AS ended_ts, sum(events)::BIGINT AS events,
            sum(page_views)::BIGINT AS page_views,
            arg_min_null(entry_page, started_ts) FILTER (page_views > 0) AS entry_page,
            arg_max_null(exit_page, started_ts) FILTER (page_views > 0) AS exit_page,
            arg_min(platform, started_ts) FILTER (platform IS NOT NULL) AS platform,
            arg_min(country, started_ts) FILTER (country IS NOT NULL) AS country
        FROM numbered GROUP BY user_id, number
        UNION ALL SELECT * FROM piece WHERE NOT {touches}""")
    con.execute("DROP TABLE piece")
    _cut_sessions(con)


def _cut_sessions(con: duckdb.DuckDBPyConnection) -> None:
    """Cut the sessions that last too long; events are read again only where there are such."""
    is_long = f"ended_ts > started_ts + {_LONGEST}"
    if not con.execute(f"SELECT count(*) FROM session WHERE {is_long}").fetchall()[0][0]:
        return
    con.execute(f"""
        CREATE TABLE long_event AS
        SELECT event_date, event_ts, event_id, event_name = 'page_view' AS is_view, person,
            ev.platform, ev.country, page_url, started_ts AS chain
        FROM ev JOIN session ON person = user_id AND event_ts BETWEEN started_ts AND ended_ts
        WHERE {is_long} AND event_name NOT IN ({_INACTIVE})""")
    con.execute(f"DELETE FROM session WHERE {is_long}")
    con.execute(f"""
        INSERT INTO session
        WITH RECURSIVE start AS (
            SELECT DISTINCT person, chain, chain AS begun_ts FROM long_event
            UNION ALL
            SELECT s.person, s.chain, min(e.event_ts)
            FROM start s JOIN long_event e USING (person, chain)
            WHERE e.event_ts > s.begun_ts + {_LONGEST} GROUP BY s.person, s.chain),
        placed AS (
            SELECT e.*, s.begun_ts FROM long_event e ASOF JOIN start s
                ON e.person = s.person AND e.chain = s.chain AND e.event_ts >= s.begun_ts)
        SELECT min(event_date), person, min(event_ts), max(event_ts), count(*),
            count(*) FILTER (is_view),
            first(page_url ORDER BY event_ts, event_id) FILTER (is_view),
            last(page_url ORDER BY event_ts, event_id) FILTER (is_view),
            first(platform ORDER BY event_ts, event_id) FILTER (platform IS NOT NULL),
            first(country ORDER BY event_ts, event_id) FILTER (country IS NOT NULL)
        FROM placed GROUP BY person, begun_ts""")
    con.execute("DROP TABLE long_event")


def _spines(con: duckdb.DuckDBPyConnection, through: date) -> None:
    """Person-days by combination of segments, with people as integers, and uses of features."""
    con.execute(f"""
        CREATE TABLE combination AS
        SELECT event_date, person, {_NAMES}, feature, count(*) AS n, min(event_ts) AS first_ts
        FROM ev WHERE event_name NOT IN ({_INACTIVE}) AND event_date <= DATE '{through}'
        GROUP BY ALL""")
    con.execute("""
        CREATE TABLE people AS
        SELECT person, (row_number() OVER ())::INT AS id
        FROM (SELECT DISTINCT person FROM combination)""")
    con.execute(f"""
        CREATE TABLE person_feature_day AS
        SELECT event_date, id, {_KNOWN}, feature, n, first_ts
        FROM combination e JOIN people USING (person)""")
    con.execute("DROP TABLE combination")
    con.execute(f"""
        CREATE TABLE person_day AS
        SELECT event_date, id, {_NAMES}, sum(n) AS n, min(first_ts) AS first_ts
        FROM person_feature_day GROUP BY ALL""")
    labels = [("all", "'all'"), *((name, name) for name in DIMENSIONS)]
    seen = " UNION ALL ".join(
        f"SELECT DISTINCT event_date AS day, id, '{name}' AS dimension, {value} AS segment"
        " FROM person_day"
        for name, value in labels
    )
    con.execute(f"""
        CREATE TABLE seen AS
        SELECT *, lead(day) OVER (PARTITION BY id, dimension, segment ORDER BY day) AS next_day,
            row_number() OVER (PARTITION BY id, dimension, segment ORDER BY day) = 1 AS is_first
        FROM ({seen})""")
    con.execute("""
        CREATE TABLE begun AS
        SELECT dimension, segment, min(day) AS first_day FROM seen GROUP BY ALL""")
    con.execute(f"""
        CREATE TABLE calendar AS
        SELECT unnest(generate_series(min(first_day), DATE '{through}', INTERVAL 1 DAY))::DATE
            AS day
        FROM begun""")


def _entries(con: duckdb.DuckDBPyConnection) -> None:
    """What segments people entered in: those of their first event; by id where instants tie."""
    con.execute(f"""
        CREATE TABLE entry AS
        WITH earliest AS (
            SELECT id, min(event_date) AS first_day, min(first_ts) AS first_ts
            FROM person_day GROUP BY id),
        candidate AS (
            SELECT d.id, first_day, d.first_ts, {_NAMES}, count(*) OVER (PARTITION BY d.id) AS ways
            FROM person_day d JOIN earliest e ON d.id = e.id AND d.first_ts = e.first_ts),
        settled AS (
            SELECT c.id, first_day, {_KNOWN}
            FROM candidate c JOIN people p ON c.id = p.id
                JOIN ev e ON e.person = p.person AND e.event_ts = c.first_ts
                    AND e.event_date = c.first_day
            WHERE ways > 1 AND event_name NOT IN ({_INACTIVE})
            QUALIFY row_number() OVER (PARTITION BY c.id ORDER BY e.event_id) = 1)
        SELECT id, first_day, {_NAMES} FROM candidate WHERE ways = 1
        UNION ALL SELECT id, first_day, {_NAMES} FROM settled""")


def _daily(through: date) -> str:
    key = "day, dimension, segment"

    def edges(name: str, days: int) -> str:
        until = f"least(day + {days}, coalesce(next_day, day + {days}))"
        return f"""
            SELECT day, dimension, segment, '{name}' AS name, count(*) AS change
            FROM seen GROUP BY ALL
            UNION ALL
            SELECT {until} AS day, dimension, segment, '{name}', -count(*) FROM seen GROUP BY ALL"""

    def running(name: str) -> str:
        return f"""sum(coalesce({name}, 0)) OVER (
            PARTITION BY dimension, segment ORDER BY day ROWS UNBOUNDED PRECEDING)::BIGINT
            AS {name}"""

    windows = ("dau", "wau", "mau")
    changes = ", ".join(f"sum(change) FILTER (name = '{name}') AS {name}" for name in windows)
    return f"""
        WITH edge AS (
            {edges("dau", 1)} UNION ALL {edges("wau", WAU_DAYS)}
            UNION ALL {edges("mau", MAU_DAYS)}),
        change AS (
            SELECT {key}, {changes}
            FROM edge WHERE day <= DATE '{through}' GROUP BY ALL),
        fresh AS (SELECT {key}, count(*) AS new_users FROM seen WHERE is_first GROUP BY ALL),
        cell AS (
            SELECT {key} FROM calendar JOIN begun ON day >= first_day)
        SELECT day AS date, dimension, segment, {running("dau")}, {running("wau")},
            {running("mau")}, coalesce(new_users, 0) AS new_users
        FROM cell LEFT JOIN change USING ({key}) LEFT JOIN fresh USING ({key})"""


def _segments(counts: str) -> str:
    """Sums over people who entered together, everybody and segment by segment."""
    labels = [("all", "'all'"), *((name, name) for name in DIMENSIONS)]
    return " UNION ALL ".join(
        f"SELECT cohort_start, later, '{name}' AS dimension, {value} AS segment, {counts}"
        " FROM together GROUP BY ALL"
        for name, value in labels
    )


def _retention(grain: str, last: int, through: date) -> str:
    key = "cohort_start, dimension, segment"
    start = f"date_trunc('{grain}', {{0}})::DATE"
    step = f"INTERVAL 1 {grain.upper()}"
    return f"""
        (WITH period AS (
            SELECT DISTINCT id, {start.format("event_date")} AS later_start FROM person_day),
        stay AS (
            SELECT e.id, {start.format("first_day")} AS cohort_start, {_NAMES},
                date_diff('{grain}', cohort_start, later_start) AS later
            FROM period JOIN entry e USING (id) WHERE later <= {last}),
        final AS (SELECT id, max(later) AS final FROM stay GROUP BY id),
        together AS (
            SELECT cohort_start, {_NAMES}, later, count(*) AS came,
                count(*) FILTER (later = final AND later > 0) AS gone
            FROM stay JOIN final USING (id) GROUP BY ALL),
        counted AS ({_segments("sum(came)::BIGINT AS came, sum(gone)::BIGINT AS gone")}),
        sizes AS (SELECT {key}, came AS cohort_users FROM counted WHERE later = 0),
        cells AS (
            SELECT sizes.*, later FROM sizes, (SELECT unnest(range({last} + 1)) AS later)
            WHERE cohort_start + later * {step} <= DATE '{through}')
        SELECT '{grain}' AS grain, cohort_start, later AS period_index, dimension, segment,
            cohort_users, coalesce(came, 0) AS active_users,
            CASE WHEN cohort_start + {last + 1} * {step} > DATE '{through}' + 1 THEN NULL
                WHEN later = 0 THEN cohort_users
                ELSE coalesce(sum(gone) OVER (PARTITION BY {key} ORDER BY later DESC), 0)::BIGINT
                END AS rolling_users
        FROM cells LEFT JOIN counted USING ({key}, later))"""


def _sessions_daily() -> str:
    key = "date, dimension, segment"
    labels = [("all", "'all'")]
    labels += [(name, f"coalesce({name}, 'unknown')") for name in SESSION_DIMENSIONS]
    labelled = " UNION ALL ".join(
        f"SELECT date, id, page_views, micros, '{name}' AS dimension, {value} AS segment FROM visit"
        for name, value in labels
    )
    return f"""
        WITH visit AS (
            SELECT date, id, page_views, platform, country,
                epoch_us(ended_ts) - epoch_us(started_ts) AS micros
            FROM session JOIN people ON person = user_id),
        labelled AS ({labelled}),
        per_person AS (
            SELECT {key}, id, count(*) AS n, sum(page_views) AS views,
                count(*) FILTER (page_views = 1) AS bounced
            FROM labelled GROUP BY ALL),
        middles AS (
            SELECT {key}, median(micros) / 1000000 AS middle FROM labelled GROUP BY ALL),
        counted AS (
            SELECT {key}, sum(n)::BIGINT AS sessions, count(*) AS visitors,
                sum(views)::BIGINT AS page_views, sum(bounced)::BIGINT AS bounced
            FROM per_person GROUP BY ALL),
        first_visit AS (
            SELECT dimension, segment, min(date) AS date FROM per_person
            GROUP BY id, dimension, segment),
        fresh AS (SELECT {key}, count(*) AS new_visitors FROM first_visit GROUP BY ALL),
        opened AS (
            SELECT dimension, segment, min(date) AS first_date FROM counted GROUP BY ALL)
        SELECT date, dimension, segment, coalesce(sessions, 0) AS sessions,
            coalesce(visitors, 0) AS visitors, coalesce(new_visitors, 0) AS new_visitors,
            coalesce(page_views, 0) AS page_views, coalesce(bounced, 0) AS bounced_sessions,
            middle AS median_session_seconds
        FROM (SELECT day AS date, dimension, segment FROM calendar JOIN opened
                ON day >= first_date)
            LEFT JOIN counted USING ({key}) LEFT JOIN middles USING ({key})
            LEFT JOIN fresh USING ({key})"""


def _features(grain: str) -> str:
    key = "period_start, dimension, segment"
    start = f"date_trunc('{grain}', {{0}})::DATE"
    labels = [("all", "'all'"), *((name, name) for name in DIMENSIONS)]
    uses = " UNION ALL ".join(
        f"SELECT period_start, feature, '{name}' AS dimension, {value} AS segment, id,"
        " sum(n) AS n FROM feature_period GROUP BY ALL"
        for name, value in labels
    )
    return f"""
        (WITH feature_period AS (
            SELECT {start.format("event_date")} AS period_start, feature, id, {_NAMES},
                sum(n) AS n
            FROM person_feature_day WHERE feature IS NOT NULL GROUP BY ALL),
        used AS (
            SELECT {key}, feature, sum(n)::BIGINT AS events, count(*) AS feature_users
            FROM ({uses}) GROUP BY ALL),
        here AS (
            SELECT {key}, count(*) AS active_users
            FROM (SELECT DISTINCT {start.format("day")} AS period_start, dimension, segment, id
                FROM seen)
            GROUP BY ALL),
        periods AS (SELECT DISTINCT {start.format("day")} AS period_start FROM calendar),
        since AS (
            SELECT feature, dimension, segment, min(period_start) AS first_period
            FROM used GROUP BY ALL)
        SELECT '{grain}' AS grain, period_start, feature, dimension, segment,
            coalesce(events, 0) AS events, coalesce(feature_users, 0) AS feature_users,
            coalesce(active_users, 0) AS active_users
        FROM since JOIN periods ON period_start >= first_period
            LEFT JOIN used USING ({key}, feature) LEFT JOIN here USING ({key}))"""
