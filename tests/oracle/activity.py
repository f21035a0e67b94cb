"""The activity tables computed a second time, in SQL, from a plain table of events.

Written from METRICS.md and not from the transforms: no bits and no spines of months, only days,
a calendar and joins.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import duckdb
import polars as pl

INACTIVE = ("email_sent", "email_delivered", "email_bounced", "email_opened", "ad_impression")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Calendar:
    """Periods in SQL: start of the one that holds a day, the n-th after it, and its last day."""

    def __init__(self, week_start: str) -> None:
        self.first = WEEKDAYS.index(week_start) + 1

    def start(self, grain: str, day: str) -> str:
        week = f"({day} - (isodow({day}) - {self.first} + 7)::INT % 7)"
        month = f"date_trunc('month', {day})::DATE"
        return {"day": f"({day})", "week": week, "month": month}[grain]

    def add(self, grain: str, start: str, number: str) -> str:
        month = f"({start} + to_months(({number})::INT))::DATE"
        return {
            "day": f"({start} + ({number})::INT)",
            "week": f"({start} + 7 * ({number})::INT)",
            "month": month,
        }[grain]

    def end(self, grain: str, start: str) -> str:
        return f"({self.add(grain, start, '1')} - 1)"

    def index(self, grain: str, start: str, later: str) -> str:
        month = f"date_diff('month', {start}, {later})"
        return {
            "day": f"({later} - {start})",
            "week": f"(({later} - {start}) // 7)",
            "month": month,
        }[grain]


TABLES = (
    "active_users_daily",
    "active_users_periodic",
    "active_days_histogram",
    "lifecycle",
    "first_week_engagement",
    "cohort_retention",
)


def activity_oracle(
    con: duckdb.DuckDBPyConnection,
    *,
    week_start: str,
    wau_window_days: int,
    mau_window_days: int,
    data_through: date,
    active_events: Sequence[str] = (),
    key_features: Sequence[str] = (),
    dimensions: Sequence[str] = ("platform", "country", "channel"),
    retention_periods: tuple[int, int, int] = (90, 52, 36),
    retentions: Sequence[Mapping[str, Any]] = (),
    plans: pl.DataFrame | None = None,
) -> dict[str, pl.DataFrame]:
    """Every activity table from the table ``ev(event_date, event_ts, event_id, event_name, person,
    platform, country, channel, feature)``; ``person`` is never null. Temporary tables are replaced.

    ``plans`` holds event_date, user_id, plan and country of customers day by day. The dimension
    ``plan`` exists in months in which it has a row.
    """
    calendar = Calendar(week_start)
    active = _is_one_of(active_events)
    _know(con, plans, data_through)
    _days(con, active, dimensions, data_through)
    definitions = [
        {"name": "activity", "start": active, "return": active, "entry": "first_time"},
        *(
            {
                "name": one["name"],
                "start": _is_one_of(one["start_events"] or active_events),
                "return": _is_one_of(one["return_events"] or active_events),
                "entry": one["entry"],
            }
            for one in retentions
        ),
    ]

    def broken_down(definition: Mapping[str, str]) -> list[str]:
        # Definitions by settings are of events, which have no plan.
        return [name for name in dimensions if name != "plan" or definition["name"] == "activity"]

    retained = [
        _retention(con, definition, grain, last, calendar, broken_down(definition), data_through)
        for definition in definitions
        for grain, last in zip(("day", "week", "month"), retention_periods, strict=True)
    ]
    return {
        "active_users_daily": _daily(con, wau_window_days, mau_window_days, data_through),
        "active_users_periodic": pl.concat(
            _periodic(con, grain, calendar, data_through) for grain in ("week", "month")
        ),
        "active_days_histogram": pl.concat(
            _histogram(con, grain, calendar, data_through) for grain in ("week", "month")
        ),
        "lifecycle": pl.concat(
            _lifecycle(con, grain, calendar, data_through) for grain in ("day", "week", "month")
        ),
        "first_week_engagement": _first_week(con, active, key_features, data_through),
        "cohort_retention": pl.concat(retained),
    }


def first_week_oracle(
    con: duckdb.DuckDBPyConnection, *, key_features: Sequence[str], data_through: date
) -> pl.DataFrame:
    """``first_week_engagement`` alone, from the same table ``ev``."""
    active = _is_one_of(())
    _know(con, None, data_through)
    _days(con, active, (), data_through)
    return _first_week(con, active, key_features, data_through)


def _know(con: duckdb.DuckDBPyConnection, plans: pl.DataFrame | None, data_through: date) -> None:
    con.execute("SET preserve_insertion_order = false")
    con.execute("""
        CREATE OR REPLACE TEMP TABLE on_plan
            (event_date DATE, user_id VARCHAR, plan VARCHAR, country VARCHAR)""")
    if plans is not None:
        con.register("plans", plans.to_arrow())
        con.execute("INSERT INTO on_plan SELECT event_date, user_id, plan, country FROM plans")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE ev_known AS
        SELECT ev.*, CASE WHEN date_trunc('month', ev.event_date) IN
            (SELECT date_trunc('month', event_date) FROM on_plan) THEN coalesce(plan, 'none') END
            AS plan
        FROM ev LEFT JOIN on_plan p ON p.event_date = ev.event_date AND p.user_id = ev.person
        WHERE ev.event_date <= DATE '{data_through}'""")


def _is_one_of(names: Sequence[str]) -> str:
    inside = ", ".join(f"'{name}'" for name in names or INACTIVE)
    return f"event_name {'IN' if names else 'NOT IN'} ({inside})"


def _by_dimension(select: str, dimensions: Sequence[str], source: str) -> str:
    everybody = f"SELECT {select}, 'all' AS dimension, 'all' AS segment FROM {source}"
    single = [
        f"SELECT {select}, '{name}', coalesce({name}, 'unknown') FROM {source}"
        f"{' WHERE plan IS NOT NULL' if name == 'plan' else ''}"
        for name in dimensions
    ]
    return " UNION ALL ".join([everybody, *single])


def _days(
    con: duckdb.DuckDBPyConnection, active: str, dimensions: Sequence[str], data_through: date
) -> None:
    rows = _by_dimension(
        "event_date AS day, person", dimensions, f"(SELECT * FROM ev_known WHERE {active})"
    )
    con.execute(f"CREATE OR REPLACE TEMP TABLE seen AS SELECT DISTINCT * FROM ({rows})")
    con.execute("""
        CREATE OR REPLACE TEMP TABLE first_seen AS
            SELECT dimension, segment, person, min(day) AS first_day FROM seen GROUP BY ALL;
        CREATE OR REPLACE TEMP TABLE segment_start AS
            SELECT dimension, segment, min(day) AS first_day FROM seen GROUP BY ALL""")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE calendar AS
            SELECT unnest(generate_series(min(day), DATE '{data_through}', INTERVAL 1 DAY))::DATE
                AS day
            FROM seen""")


def _paying(con: duckdb.DuckDBPyConnection, mau: int, data_through: date) -> None:
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE paying AS
        WITH active AS (SELECT DISTINCT day, person FROM seen WHERE dimension = 'all'),
        payer AS (
            SELECT event_date AS day, user_id, plan, coalesce(country, 'unknown') AS country,
                coalesce(a.day = event_date, false) AS is_active,
                coalesce(a.day > event_date - {mau}, false) AS is_monthly
            FROM on_plan ASOF LEFT JOIN active a ON person = user_id AND a.day <= event_date
            WHERE plan <> 'none' AND event_date <= DATE '{data_through}'),
        labelled AS (
            SELECT *, 'all' AS dimension, 'all' AS segment FROM payer
            UNION ALL SELECT *, 'country', country FROM payer
            UNION ALL SELECT *, 'plan', plan FROM payer)
        SELECT day, dimension, segment, count(*) AS payers, count(*) FILTER (is_active) AS came,
            count(*) FILTER (is_monthly) AS came_in_month
        FROM labelled GROUP BY ALL""")


def _daily(con: duckdb.DuckDBPyConnection, wau: int, mau: int, data_through: date) -> pl.DataFrame:
    _paying(con, mau, data_through)

    def of_customers(name: str) -> str:
        return f"CASE WHEN dimension IN ('all', 'country', 'plan') THEN coalesce({name}, 0) END"

    def window(name: str, days: int) -> str:
        return f"""{name} AS (
            SELECT c.day, s.dimension, s.segment, count(DISTINCT s.person) AS {name}
            FROM calendar c JOIN (
                SELECT *, unnest(range({days})) AS later FROM seen
            ) s ON c.day = s.day + s.later::INT
            GROUP BY ALL)"""

    return con.sql(f"""
        WITH {window("dau", 1)}, {window("wau", wau)}, {window("mau", mau)},
        fresh AS (
            SELECT first_day AS day, dimension, segment, count(*) AS new_users
            FROM first_seen GROUP BY ALL),
        cells AS (
            SELECT c.day, s.dimension, s.segment
            FROM calendar c JOIN segment_start s ON c.day >= s.first_day)
        SELECT day AS date, dimension, segment, coalesce(dau, 0) AS dau, coalesce(wau, 0) AS wau,
            coalesce(mau, 0) AS mau,
            least({mau}, 1 + day - (SELECT min(day) FROM calendar)) AS days_in_window,
            coalesce(dau, 0) / nullif(mau, 0) AS stickiness_ratio,
            coalesce(new_users, 0) AS new_users,
            coalesce(dau, 0) - coalesce(new_users, 0) AS returning_users,
            {of_customers("payers")} AS paying_users,
            {of_customers("came")} AS active_paying_users,
            {of_customers("came_in_month")} AS monthly_active_paying_users,
            coalesce(dau, 0) / nullif(paying_users, 0) AS active_to_paying_ratio,
            coalesce(mau, 0) / nullif(paying_users, 0) AS mau_to_paying_ratio,
            active_paying_users / nullif(paying_users, 0) AS paying_active_rate,
            monthly_active_paying_users / nullif(paying_users, 0) AS paying_mau_rate,
            true AS is_complete
        FROM cells LEFT JOIN dau USING (day, dimension, segment)
            LEFT JOIN wau USING (day, dimension, segment)
            LEFT JOIN mau USING (day, dimension, segment)
            LEFT JOIN fresh USING (day, dimension, segment)
            LEFT JOIN paying USING (day, dimension, segment)""").pl()


def _cells(grain: str, calendar: Calendar) -> str:
    """Every period of each segment, with its days that have come since history began."""
    return f"""
        SELECT period_start, dimension, segment, count(*) AS elapsed_days
        FROM (SELECT {calendar.start(grain, "day")} AS period_start FROM calendar)
        JOIN segment_start ON period_start >= {calendar.start(grain, "first_day")}
        GROUP BY ALL"""


def _periodic(
    con: duckdb.DuckDBPyConnection, grain: str, calendar: Calendar, data_through: date
) -> pl.DataFrame:
    return con.sql(f"""
        WITH cells AS ({_cells(grain, calendar)}),
        active AS (
            SELECT {calendar.start(grain, "day")} AS period_start, dimension, segment,
                count(DISTINCT person) AS active_users, count(*) AS active_user_days
            FROM seen GROUP BY ALL)
        SELECT '{grain}' AS grain, period_start, dimension, segment,
            coalesce(active_users, 0) AS active_users,
            coalesce(active_user_days, 0) AS active_user_days, elapsed_days,
            coalesce(active_user_days, 0) / elapsed_days AS mean_dau,
            mean_dau / nullif(active_users, 0) AS stickiness_ratio,
            {calendar.end(grain, "period_start")} <= DATE '{data_through}' AS is_complete
        FROM cells LEFT JOIN active USING (period_start, dimension, segment)""").pl()


def _histogram(
    con: duckdb.DuckDBPyConnection, grain: str, calendar: Calendar, data_through: date
) -> pl.DataFrame:
    return con.sql(f"""
        WITH people AS (
            SELECT {calendar.start(grain, "day")} AS period_start, person, count(*) AS active_days
            FROM seen WHERE dimension = 'all' GROUP BY ALL)
        SELECT '{grain}' AS grain, period_start, active_days, count(*) AS users,
            {calendar.end(grain, "period_start")} <= DATE '{data_through}' AS is_complete
        FROM people GROUP BY ALL""").pl()


def _lifecycle(
    con: duckdb.DuckDBPyConnection, grain: str, calendar: Calendar, data_through: date
) -> pl.DataFrame:
    following = calendar.add(grain, "period_start", "1")
    key = "period_start, dimension, segment"
    return con.sql(f"""
        WITH cells AS ({_cells(grain, calendar)}),
        active AS (
            SELECT DISTINCT {calendar.start(grain, "day")} AS period_start, dimension, segment,
                person, 1 AS is_now
            FROM seen),
        before AS (
            SELECT {following} AS period_start, dimension, segment, person, 1 AS was_before
            FROM active),
        first AS (
            SELECT {calendar.start(grain, "first_day")} AS period_start, dimension, segment,
                person, 1 AS is_first
            FROM first_seen),
        states AS (
            SELECT {key}, person, is_now IS NOT NULL AS now, was_before IS NOT NULL AS earlier,
                is_first IS NOT NULL AS is_new
            FROM active FULL JOIN before USING ({key}, person)
                LEFT JOIN first USING ({key}, person)),
        counts AS (
            SELECT {key},
                count(*) FILTER (now AND is_new) AS new_users,
                count(*) FILTER (now AND earlier) AS retained_users,
                count(*) FILTER (now AND NOT earlier AND NOT is_new) AS resurrected_users,
                count(*) FILTER (earlier AND NOT now) AS dormant_users,
                count(*) FILTER (now) AS active_users
            FROM states GROUP BY ALL)
        SELECT '{grain}' AS grain, {key}, coalesce(new_users, 0) AS new_users,
            coalesce(retained_users, 0) AS retained_users,
            coalesce(resurrected_users, 0) AS resurrected_users,
            coalesce(dormant_users, 0) AS dormant_users, coalesce(active_users, 0) AS active_users,
            {calendar.end(grain, "period_start")} <= DATE '{data_through}' AS is_complete
        FROM cells LEFT JOIN counts USING ({key})""").pl()


def _first_week(
    con: duckdb.DuckDBPyConnection, active: str, key_features: Sequence[str], data_through: date
) -> pl.DataFrame:
    keys = ", ".join(f"'{feature}'" for feature in key_features) or "NULL"
    return con.sql(f"""
        WITH first AS (SELECT person, first_day FROM first_seen WHERE dimension = 'all'),
        keyed AS (
            SELECT DISTINCT person, event_date AS day, true AS is_key
            FROM ev_known WHERE {active} AND feature IN ({keys})),
        people AS (
            SELECT first_day, person, count(*) AS days, bool_or(s.day > first_day) AS returned,
                coalesce(bool_or(is_key), false) AS used_key
            FROM first JOIN seen s USING (person) LEFT JOIN keyed USING (person, day)
            WHERE s.dimension = 'all' AND s.day BETWEEN first_day AND first_day + 6
            GROUP BY ALL),
        cohorts AS (
            SELECT first_day AS day, count(*) AS n, count(*) FILTER (returned) AS back,
                sum(days) AS days, count(*) FILTER (used_key) AS keyed
            FROM people GROUP BY ALL)
        SELECT day AS cohort_date, coalesce(n, 0) AS cohort_users,
            coalesce(back, 0) AS returned_users, coalesce(n - back, 0) AS dropped_users,
            (n - back) / n AS dropout_rate, coalesce(days, 0) AS active_user_days,
            days / n AS mean_active_days, coalesce(keyed, 0) AS key_feature_users,
            keyed / n AS key_feature_rate,
            day + 6 <= DATE '{data_through}' AS is_complete
        FROM calendar LEFT JOIN cohorts USING (day)""").pl()


def _retention(
    con: duckdb.DuckDBPyConnection,
    definition: Mapping[str, str],
    grain: str,
    last: int,
    calendar: Calendar,
    dimensions: Sequence[str],
    data_through: date,
) -> pl.DataFrame:
    cohort = calendar.start(grain, "event_date")
    partition = "person" if definition["entry"] == "first_time" else f"person, {cohort}"
    values = "".join(f", {name}" for name in dimensions)
    entered = _by_dimension("cohort_start, person", dimensions, "entry")
    key = "cohort_start, dimension, segment"
    end_of_last = calendar.end(grain, calendar.add(grain, "cohort_start", str(last)))
    period = calendar.add(grain, "cohort_start", "period_index")
    return con.sql(f"""
        WITH entry AS (
            SELECT {cohort} AS cohort_start, person{values}
            FROM ev_known WHERE {definition["start"]}
            QUALIFY row_number() OVER (
                PARTITION BY {partition} ORDER BY event_date, event_ts, event_id) = 1),
        entered AS ({entered}),
        back AS (
            SELECT DISTINCT person, {cohort} AS later_start
            FROM ev_known WHERE {definition["return"]}),
        returned AS (
            SELECT {key}, person, {calendar.index(grain, "cohort_start", "later_start")} AS later
            FROM entered JOIN back USING (person)
            WHERE later_start > cohort_start AND later <= {last}),
        sizes AS (SELECT {key}, count(*) AS cohort_users FROM entered GROUP BY ALL),
        active AS (
            SELECT {key}, later AS period_index, count(*) AS came
            FROM returned GROUP BY ALL),
        final AS (SELECT {key}, person, max(later) AS later FROM returned GROUP BY ALL),
        gone AS (SELECT {key}, later, count(*) AS n FROM final GROUP BY ALL),
        cells AS (
            SELECT *, {period} AS period_start
            FROM sizes, (SELECT unnest(range({last} + 1)) AS period_index)
            WHERE {period} <= DATE '{data_through}'),
        rolling AS (
            SELECT {key}, period_index, sum(n) AS stayed
            FROM cells JOIN gone USING ({key})
            WHERE later >= period_index GROUP BY ALL)
        SELECT '{definition["name"]}' AS definition, '{grain}' AS grain, cohort_start, period_index,
            dimension, segment, cohort_users,
            CASE WHEN period_index = 0 THEN cohort_users ELSE coalesce(came, 0) END
                AS active_users,
            active_users / cohort_users AS retention_rate,
            CASE WHEN {end_of_last} > DATE '{data_through}' THEN NULL
                WHEN period_index = 0 THEN cohort_users
                ELSE coalesce(stayed, 0) END AS rolling_users,
            rolling_users / cohort_users AS rolling_retention_rate,
            {calendar.end(grain, "period_start")} <= DATE '{data_through}' AS is_complete
        FROM cells LEFT JOIN active USING ({key}, period_index)
            LEFT JOIN rolling USING ({key}, period_index)""").pl()
