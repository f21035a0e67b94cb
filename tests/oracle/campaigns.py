"""Campaigns and e-mail computed a second time, in SQL, from events with their person and facts.

Written from METRICS.md and not from the transforms: no spines, and every window is a join of each
mail with each visit, goal and order, every look back one of each person with each period.
"""

from collections.abc import Sequence
from datetime import date

import duckdb
import polars as pl
from oracle.activity import Calendar

# METRICS.md: impressions and clicks from the cost rows where there are any, else from events; new
# customers by the campaign of their first order.
_DAILY = """
WITH ad AS (
    SELECT event_date AS date, coalesce(channel, '(none)') AS channel,
        coalesce(campaign, utm_campaign, '(none)') AS campaign,
        count(*) FILTER (event_name = 'ad_impression') AS seen,
        count(*) FILTER (event_name = 'ad_click') AS clicked,
        count(DISTINCT person) FILTER (event_name = 'ad_click') AS people
    FROM ev WHERE event_name IN ('ad_impression', 'ad_click') GROUP BY ALL),
line AS (
    SELECT * REPLACE (coalesce(channel, '(none)') AS channel,
        coalesce(campaign, '(none)') AS campaign), event_date AS date
    FROM orders WHERE fate = 'counts'),
sold AS (SELECT date, channel, campaign, sum(amount) AS revenue FROM line GROUP BY ALL),
first AS (
    SELECT DISTINCT ON (customer_id) * FROM line WHERE kind = 'purchase'
    ORDER BY customer_id, ordered_ts, order_id, line_id, landing_date, file, line, item),
won AS (SELECT date, channel, campaign, count(*) AS customers FROM first GROUP BY ALL),
cost AS (
    SELECT event_date AS date, channel, campaign, cost_amount, impressions AS told_seen,
        clicks AS told_clicked FROM costs WHERE fate = 'counts'),
met AS (
    SELECT *, (cost_amount * 10000)::HUGEINT AS n
    FROM ad FULL JOIN sold USING (date, channel, campaign)
    FULL JOIN won USING (date, channel, campaign)
    FULL JOIN cost USING (date, channel, campaign))
SELECT date, channel, campaign,
    coalesce(told_seen, seen, 0) AS impressions, coalesce(told_clicked, clicked, 0) AS clicks,
    CASE WHEN told_clicked > 0 AND coalesce(clicked, 0) = 0 THEN NULL
        ELSE coalesce(people, 0) END AS clicking_users,
    coalesce(told_clicked, clicked, 0) / nullif(coalesce(told_seen, seen, 0), 0)
        AS click_through_rate,
    CASE WHEN told_clicked > 0 AND coalesce(clicked, 0) = 0 THEN NULL ELSE coalesce(people, 0) END
        / nullif(coalesce(told_seen, seen, 0), 0) AS user_click_through_rate,
    cost_amount, coalesce(customers, 0) AS new_customers,
    CASE WHEN customers > 0 THEN (sign(n) * (abs(n) // customers + CASE
        WHEN 2 * (abs(n) % customers) > customers THEN 1
        WHEN 2 * (abs(n) % customers) = customers AND (abs(n) // customers) % 2 = 1 THEN 1
        ELSE 0 END))::DECIMAL(38, 0) / 10000 END AS acquisition_cost_amount,
    coalesce(revenue, 0) AS revenue_amount,
    coalesce(revenue, 0)::DOUBLE / nullif(cost_amount, 0)::DOUBLE AS return_on_cost_ratio,
    true AS is_complete
FROM met WHERE date <= $through
"""

_EMAIL = """
WITH mail AS (
    SELECT coalesce(campaign, utm_campaign, '(none)') AS campaign, person, event_ts,
        CASE WHEN event_name = 'email_opened' AND is_machine_open IS TRUE THEN 'machine_opened'
            ELSE event_name[7:] END AS kind
    FROM ev WHERE event_date <= $through AND event_name IN ('email_sent', 'email_delivered',
        'email_opened', 'email_clicked', 'email_unsubscribed', 'email_bounced')),
total AS (SELECT campaign, {counts} FROM mail GROUP BY campaign),
reach AS (
    SELECT campaign, person, min(event_ts) AS first_ts
    FROM mail JOIN total USING (campaign)
    WHERE kind = CASE WHEN delivered > 0 THEN 'delivered' ELSE 'sent' END GROUP BY ALL),
line AS (
    SELECT coalesce(c.user_id, o.customer_id) AS person, o.kind, o.amount, o.ordered_ts AS ts
    FROM orders o LEFT JOIN customers c ON c.customer_id = o.customer_id AND c.fate = 'counts'
    WHERE o.fate = 'counts' AND o.event_date <= $through),
did AS (
    SELECT 'visit' AS what, person, started_ts AS ts, NULL AS amount
    FROM visit WHERE date <= $through
    UNION ALL SELECT 'reach', person, event_ts, NULL FROM ev
        WHERE event_date <= $through AND list_contains($goals, event_name)
    UNION ALL SELECT 'reach', person, ts, NULL FROM line WHERE kind = 'purchase'
    UNION ALL SELECT 'pay', person, ts, amount FROM line),
outcome AS (
    SELECT campaign, count(DISTINCT reach.person) AS mailed_users,
        count(DISTINCT did.person) FILTER (what = 'visit') AS visiting_users,
        count(DISTINCT did.person) FILTER (what = 'reach') AS converting_users,
        sum(amount) AS revenue
    FROM reach LEFT JOIN did ON did.person = reach.person
        AND ts BETWEEN first_ts AND first_ts + to_hours(24 * $days) GROUP BY campaign)
SELECT total.*, opened / nullif(delivered, 0) AS open_rate,
    clicked / nullif(delivered, 0) AS click_through_rate,
    clicked / nullif(opened, 0) AS click_to_open_rate,
    coalesce(mailed_users, 0) AS mailed_users, coalesce(visiting_users, 0) AS visiting_users,
    coalesce(converting_users, 0) AS converting_users, coalesce(revenue, 0) AS revenue_amount
FROM total LEFT JOIN outcome USING (campaign)
"""
_KINDS = ("sent", "delivered", "opened", "machine_opened", "clicked", "unsubscribed", "bounced")
_COUNTS = ", ".join(
    f"count(DISTINCT person) FILTER (kind = '{kind}') AS {kind}, "
    f"count(*) FILTER (kind = '{kind}') AS {kind}_mails"
    for kind in _KINDS
)


def campaigns_oracle(con: duckdb.DuckDBPyConnection, *, data_through: date) -> pl.DataFrame:
    """``campaigns_daily`` from ``ev`` (events with their person), ``orders`` and ``costs``."""
    return con.sql(_DAILY, params={"through": data_through}).pl()


def email_oracle(
    con: duckdb.DuckDBPyConnection, *, goals: Sequence[str], days: int, data_through: date
) -> pl.DataFrame:
    """``email_campaigns`` from ``ev``, ``orders``, ``customers`` and ``visit``: person, started_ts
    and date of each session.
    """
    values = {"through": data_through, "days": days, "goals": list(goals)}
    return con.sql(_EMAIL.format(counts=_COUNTS), params=values).pl()


def habit_oracle(
    con: duckdb.DuckDBPyConnection, *, week_start: str, data_through: date
) -> pl.DataFrame:
    """``email_habit`` from ``ev``."""
    calendar = Calendar(week_start)
    back = {"day": 27, "week": 3, "month": 2}
    return pl.concat(
        _habit_of(con, grain, calendar, number, data_through) for grain, number in back.items()
    )


def _habit_of(
    con: duckdb.DuckDBPyConnection, grain: str, calendar: Calendar, back: int, through: date
) -> pl.DataFrame:
    day = f"DATE '{through}'"
    return con.sql(f"""
        WITH mail AS (
            SELECT person, event_date AS day, event_name = 'email_delivered' AS is_delivery
            FROM ev WHERE event_date <= {day} AND (event_name = 'email_delivered'
                OR event_name = 'email_opened' AND is_machine_open IS NOT TRUE)),
        days AS (
            SELECT unnest(generate_series(min(day)::TIMESTAMP, TIMESTAMP '{through}',
                INTERVAL 1 DAY))::DATE AS day FROM mail WHERE is_delivery),
        periods AS (SELECT DISTINCT {calendar.start(grain, "day")} AS period_start FROM days),
        person_period AS (
            SELECT person, {calendar.start(grain, "day")} AS period, NOT bool_and(is_delivery)
                AS has_opened FROM mail GROUP BY ALL HAVING bool_or(is_delivery)),
        person_back AS (
            SELECT period_start, person, bool_and(has_opened) AS is_every,
                bool_or(has_opened) AS is_some
            FROM periods JOIN person_period ON period <= period_start
                AND {calendar.index(grain, "period", "period_start")} <= {back} GROUP BY ALL)
        SELECT '{grain}' AS grain, period_start, count(person) AS mailed_customers,
            count(*) FILTER (is_every) AS every_period_openers,
            count(*) FILTER (is_some) AS some_period_openers,
            count(*) FILTER (is_every) / nullif(count(person), 0) AS every_period_open_rate,
            count(*) FILTER (is_some) / nullif(count(person), 0) AS some_period_open_rate,
            {calendar.end(grain, "period_start")} <= {day} AS is_complete
        FROM periods LEFT JOIN person_back USING (period_start) GROUP BY period_start""").pl()
