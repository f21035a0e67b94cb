"""The spines computed a second time, in SQL, from landed rows straight to each table.

Written from METRICS.md and not from the transforms: no table here is made from another one but
``person`` and ``active``, which are events with their person.
"""

from collections.abc import Mapping, Sequence

import duckdb
import polars as pl

_INACTIVE = ("email_sent", "email_delivered", "email_bounced", "email_opened", "ad_impression")

_EVENTS = """
CREATE TABLE duplicate_events AS
    SELECT r.event_date, r.landing_date, r.file, r.line, r.item, r.event_id,
        r.content_hash != (
            SELECT first(e.content_hash
                ORDER BY e.received_ts, e.landing_date, e.file, e.line, e.item)
            FROM landed e
            WHERE e.event_id = r.event_id
              AND abs(date_diff('day', e.event_date, r.event_date)) <= $duplicate_days) AS differs
    FROM landed r
    WHERE EXISTS (
        SELECT 1 FROM landed e
        WHERE e.event_id = r.event_id
          AND abs(date_diff('day', e.event_date, r.event_date)) <= $duplicate_days
          AND (e.received_ts, e.landing_date, e.file, e.line, e.item)
            < (r.received_ts, r.landing_date, r.file, r.line, r.item));

CREATE TABLE known AS
    SELECT customer_id, coalesce(user_id, customer_id) AS person, is_staff FROM customers
    QUALIFY row_number() OVER (
        PARTITION BY customer_id ORDER BY landing_date DESC, file DESC, line DESC) = 1;

CREATE TABLE staff AS
    SELECT person AS staff_id FROM known WHERE is_staff AND $exclude_staff
    UNION SELECT customer_id FROM known
    WHERE person IN (SELECT person FROM known WHERE is_staff) AND $exclude_staff;

CREATE TABLE judged AS
    SELECT *, CASE
        WHEN $exclude_bots AND is_bot THEN 'flag'
        WHEN $exclude_bots AND regexp_matches(user_agent, '{crawlers}') THEN 'user_agent'
        WHEN user_id IN (FROM staff) THEN 'staff'
        {traffic}
        END AS rule
    FROM landed
    WHERE (landing_date, file, line, item)
        NOT IN (SELECT (landing_date, file, line, item) FROM duplicate_events);

CREATE TABLE excluded_events AS
    SELECT event_date, landing_date, file, line, item, rule, event_id, event_ts, user_id,
        anonymous_id
    FROM judged WHERE rule IS NOT NULL;

CREATE TABLE event AS SELECT * EXCLUDE rule FROM judged WHERE rule IS NULL;

CREATE TABLE link AS
    SELECT event_date, anonymous_id, user_id, event_ts FROM judged
    WHERE user_id IS NOT NULL AND anonymous_id IS NOT NULL AND (rule IS NULL OR rule = 'staff');

CREATE TABLE owned AS
    SELECT e.* EXCLUDE user_id, e.user_id IS NULL AS is_unnamed, coalesce(
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

-- An anonymous id may be spelled as a staff's: only who was linked is of staff.
CREATE TABLE stitched AS
    SELECT * FROM owned WHERE is_unnamed AND EXISTS (
        SELECT 1 FROM link l WHERE l.anonymous_id = owned.anonymous_id
          AND l.user_id = owned.user_id
          AND abs(epoch(l.event_ts) - epoch(owned.event_ts)) <= 86400 * $stitch_days);

CREATE TABLE person AS
    SELECT * FROM owned WHERE event_id NOT IN (
        SELECT event_id FROM stitched WHERE user_id IN (FROM staff)
          AND stitched.event_date = owned.event_date);

CREATE TABLE excluded_days AS
    SELECT event_date, rule, count(*) AS events, count(DISTINCT person) AS users FROM (
        SELECT event_date, rule, coalesce(user_id, anonymous_id) AS person FROM excluded_events
        UNION ALL
        SELECT event_date, 'staff', user_id FROM stitched WHERE user_id IN (FROM staff))
    GROUP BY ALL;

CREATE TABLE identities AS
    SELECT l.anonymous_id, l.user_id, min(l.event_ts) AS first_link_ts,
        max(l.event_ts) AS last_link_ts, count(DISTINCT l.event_date) AS linked_days,
        (SELECT count(*) FROM stitched s
         WHERE s.anonymous_id = l.anonymous_id AND s.user_id = l.user_id) AS events
    FROM link l WHERE l.user_id NOT IN (FROM staff) GROUP BY ALL;

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

TABLES = (
    *("duplicate_events", "excluded_events", "excluded_days", "identities"),
    *("user_days", "user_months", "users", "segments"),
)


def spines(
    landed: pl.DataFrame,
    customers: pl.DataFrame,
    *,
    duplicate_days: int,
    exclude_bots: bool,
    exclude_staff: bool,
    crawlers: str,
    excluded_traffic: Sequence[Mapping[str, str]],
    stitch_days: int,
    active_events: Sequence[str],
    key_features: Sequence[str],
    dimensions: Sequence[str],
    plans: pl.DataFrame | None = None,
) -> dict[str, pl.DataFrame]:
    """The tables of ``TABLES`` by name, rows in no order; ``dimensions`` are columns of events.

    ``plans`` gives the plan of a user on an event_date: with it there is the dimension ``plan``, in
    months in which somebody has one (``none`` is one, too). ``crawlers`` is an expression that user
    agents of machines meet, and ``excluded_traffic`` has a name, a column and what it ``equals``.
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
    traffic = " ".join(
        f"WHEN {rule['column']} = '{rule['equals']}' THEN '{rule['name']}'"
        for rule in excluded_traffic
    )
    script = script.replace("{traffic}", traffic).replace("{crawlers}", crawlers)
    settings = {
        "duplicate_days": duplicate_days,
        "exclude_bots": str(exclude_bots).lower(),
        "exclude_staff": str(exclude_staff).lower(),
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
        connection.register("customers", customers.to_arrow())
        if plans is not None:
            connection.register("plans", plans.to_arrow())
        connection.execute(script)
        return {name: connection.table(name).pl() for name in TABLES}
