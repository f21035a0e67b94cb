"""The spines computed a second time, in SQL, from landed rows straight to each table.

Written from METRICS.md and not from the transforms: no table here is made from another one but
``person`` and ``active``, which are events with their person.
"""

from collections.abc import Sequence

import duckdb
import polars as pl

_INACTIVE = ("email_sent", "email_delivered", "email_bounced", "email_opened", "ad_impression")

_EVENTS = """
CREATE TABLE duplicate_events AS
    SELECT r.event_date, r.landing_date, r.file, r.line, r.item, r.event_id,
           coalesce(r.is_bot, false) AS is_bot
    FROM landed r
    WHERE EXISTS (
        SELECT 1 FROM landed e
        WHERE e.event_id = r.event_id
          AND abs(date_diff('day', e.event_date, r.event_date)) <= $duplicate_days
          AND (e.received_ts, e.landing_date, e.file, e.line, e.item)
            < (r.received_ts, r.landing_date, r.file, r.line, r.item));

CREATE TABLE event AS
    SELECT * FROM landed
    WHERE (landing_date, file, line, item)
        NOT IN (SELECT (landing_date, file, line, item) FROM duplicate_events)
      AND NOT ($exclude_bots AND is_bot IS TRUE);

CREATE TABLE link AS
    SELECT anonymous_id, user_id, event_ts FROM event
    WHERE user_id IS NOT NULL AND anonymous_id IS NOT NULL;

CREATE TABLE person AS
    SELECT e.* EXCLUDE user_id, coalesce(
        e.user_id,
        (SELECT l.user_id FROM link l
         WHERE l.anonymous_id = e.anonymous_id
           AND l.event_ts BETWEEN e.event_ts AND e.event_ts + to_days($stitch_days)
         ORDER BY l.event_ts LIMIT 1),
        (SELECT l.user_id FROM link l
         WHERE l.anonymous_id = e.anonymous_id
           AND l.event_ts < e.event_ts AND l.event_ts >= e.event_ts - to_days($stitch_days)
         ORDER BY l.event_ts DESC LIMIT 1),
        e.anonymous_id) AS user_id
    FROM event e;

CREATE TABLE active AS
    SELECT *,
        row_number() OVER (
            PARTITION BY user_id, event_date ORDER BY event_ts, event_id) = 1 AS opens_day,
        row_number() OVER (PARTITION BY user_id ORDER BY event_ts, event_id) = 1 AS opens_life
    FROM person WHERE {active};
"""

_SPINES = """
CREATE TABLE user_days AS
    SELECT event_date, user_id, {segments} AS segments,
           count(*) AS active_events,
           count(*) FILTER (WHERE list_contains($key_features, feature)) AS key_feature_events,
           bool_or(opens_day) AS is_first
    FROM active GROUP BY ALL;

CREATE TABLE seen AS {seen};

CREATE TABLE user_months AS
    SELECT date_trunc('month', event_date)::DATE AS month, dimension, segment, user_id,
           bit_or(1::BIGINT << (day(event_date) - 1)) AS active_days,
           bit_or(CASE WHEN opens_day THEN 1::BIGINT << (day(event_date) - 1) ELSE 0 END)
               AS first_days,
           bit_or(CASE WHEN list_contains($key_features, feature)
                       THEN 1::BIGINT << (day(event_date) - 1) ELSE 0 END) AS key_feature_days
    FROM seen GROUP BY ALL;

CREATE TABLE users AS
    SELECT date_trunc('month', min(event_date))::DATE AS first_month,
           dimension, segment, user_id, min(event_date) AS first_date,
           bool_or(opens_life) AS is_entry
    FROM seen GROUP BY dimension, segment, user_id;

CREATE TABLE segments AS
    SELECT first_month, dimension, segment, min(first_date) AS first_date
    FROM users GROUP BY ALL;
"""

_BY_PLAN = """
    UNION ALL SELECT active.*, 'plan', coalesce(plans.plan, 'none')
    FROM active LEFT JOIN plans USING (event_date, user_id)
    WHERE strftime(event_date, '%Y-%m') IN (SELECT strftime(event_date, '%Y-%m') FROM plans)"""

TABLES = ("duplicate_events", "user_days", "user_months", "users", "segments")


def spines(
    landed: pl.DataFrame,
    *,
    duplicate_days: int,
    exclude_bots: bool,
    stitch_days: int,
    active_events: Sequence[str],
    key_features: Sequence[str],
    dimensions: Sequence[str],
    plans: pl.DataFrame | None = None,
) -> dict[str, pl.DataFrame]:
    """The tables of ``TABLES`` by name, rows in no order; ``dimensions`` are columns of events.

    ``plans`` gives the plan of a user on an event_date: with it there is the dimension ``plan``, in
    months in which somebody has one (``none`` is one, too).
    """
    names = ", ".join(f"'{name}'" for name in active_events or _INACTIVE)
    active = f"event_name {'' if active_events else 'NOT '}IN ({names})"
    value = {name: f"coalesce(replace({name}, chr(31), ' '), 'unknown')" for name in dimensions}
    segments = f"concat_ws(chr(31), {', '.join(value.values())})" if value else "''"
    labels = {"all": "'all'"} | value
    seen = " UNION ALL ".join(
        f"SELECT *, '{name}' AS dimension, {segment} AS segment FROM active"
        for name, segment in labels.items()
    )
    if plans is not None:
        seen += _BY_PLAN
    script = _EVENTS.replace("{active}", active) + _SPINES.replace("{segments}", segments).replace(
        "{seen}", seen
    )
    settings = {
        "duplicate_days": duplicate_days,
        "exclude_bots": str(exclude_bots).lower(),
        "stitch_days": stitch_days,
        "key_features": f"{list(key_features)}::VARCHAR[]",
    }
    for name, text in settings.items():
        script = script.replace(f"${name}", str(text))
    # Instants without a zone: DuckDB computes with zones only with an extension that is not there
    # everywhere.
    naive = landed.with_columns(pl.col("event_ts", "received_ts").dt.replace_time_zone(None))
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.register("landed", naive.to_arrow())
        if plans is not None:
            connection.register("plans", plans.to_arrow())
        connection.execute(script)
        return {name: connection.table(name).pl() for name in TABLES}
