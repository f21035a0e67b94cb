"""Feedback and customer profiles computed a second time, in SQL.

Written from METRICS.md and from what the schemas promise, not from the transforms. Tables that are
read: ``landed_surveys``, ``landed_customers`` and ``landed_tickets`` (instants without a zone,
UTC), ``ordered`` (the orders that count), ``bears`` (customer_id, plan, mrr_amount, status,
from_date, until_date: stretches of MRR), ``begun`` (customer_id, day: starts of subscriptions),
``active`` (user_id, day), ``named`` (user_id, day: events with that user), ``mailed`` (user_id,
day, delivered, opened) and ``worth`` (customer_id, value).
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import duckdb
import polars as pl

_CUSTOMER = """
CREATE OR REPLACE TEMP TABLE known AS
SELECT *, coalesce(user_id, customer_id) AS person
FROM landed_customers
QUALIFY row_number() OVER (PARTITION BY customer_id
    ORDER BY landing_date DESC, file DESC, line DESC, item DESC) = 1;
CREATE OR REPLACE TEMP TABLE customer AS
SELECT customer_id, person AS user_id, created_ts, country, segment, plan
FROM known WHERE person NOT IN (SELECT person FROM known WHERE is_staff);
CREATE OR REPLACE MACRO whose(id) AS coalesce(
    (SELECT max(c.customer_id) FROM customer c WHERE c.customer_id = id),
    (SELECT min(c.customer_id) FROM customer c WHERE c.user_id = id), id);
CREATE OR REPLACE MACRO person(id) AS coalesce(
    (SELECT max(c.user_id) FROM customer c WHERE c.customer_id = id), id);
CREATE OR REPLACE TEMP TABLE answer AS
SELECT *, person(respondent_id) AS person_id, answered_ts::DATE AS day
FROM landed_surveys
QUALIFY row_number() OVER (PARTITION BY response_id, survey, kind
    ORDER BY landing_date DESC, file DESC, line DESC, item DESC) = 1;
"""

_FEEDBACK = """
WITH given AS (
    SELECT *, coalesce(channel, '(none)') AS place, coalesce(topic, '(none)') AS theme,
        date_trunc('month', day)::DATE AS month,
        coalesce(regexp_full_match(comment, '\\s*'), true) = false AS says
    FROM answer WHERE score IS NOT NULL AND day <= {on}
), waved AS (
    SELECT *, wave IS NOT NULL AND person_id IS NOT NULL AND count(*) OVER (
        PARTITION BY survey, kind, wave, person_id
        ORDER BY answered_ts, landing_date, file, line, item
        ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) > 0 AS is_outdated FROM given
), told AS (
    SELECT *, is_outdated OR (kind = 'review' AND wave IS NULL AND person_id IS NOT NULL
        AND count(*) OVER (PARTITION BY kind, wave, person_id, survey, place, theme
            ORDER BY answered_ts, landing_date, file, line, item
            ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) > 0) AS superseded
    FROM waved WHERE kind = 'review' OR says
), cell AS (
    SELECT place, theme, scale_min, scale_max, unnest(generate_series(
        first::TIMESTAMP, date_trunc('month', {on}), INTERVAL 1 MONTH))::DATE AS month
    FROM (SELECT place, theme, scale_min, scale_max, min(month) AS first FROM told GROUP BY ALL)
), summed AS (
    SELECT month, place, theme, scale_min, scale_max,
        count(*) FILTER (NOT superseded) AS reviews,
        count(*) FILTER (NOT superseded AND says) AS comments,
        count(*) FILTER (NOT superseded AND kind = 'review') AS rated,
        sum(score::DECIMAL(18, 4)) FILTER (NOT superseded AND kind = 'review') AS total,
        count(*) FILTER (NOT superseded AND kind = 'review' AND score <= scale_min
            + CASE WHEN scale_max - scale_min + 1 < 4 THEN 0 ELSE 1 END) AS negative,
        count(*) FILTER (superseded) AS superseded
    FROM told GROUP BY ALL
), filled AS (
    SELECT month, place AS channel, theme AS topic, scale_min, scale_max,
        coalesce(reviews, 0) AS reviews, coalesce(comments, 0) AS comments,
        coalesce(rated, 0) AS rated, coalesce(total, 0)::DOUBLE AS rating_total,
        total::DOUBLE / nullif(rated, 0) AS mean_rating, coalesce(negative, 0) AS negative,
        negative / nullif(rated, 0)::DOUBLE AS negative_share,
        coalesce(superseded, 0) AS superseded, last_day(month) <= {on} AS is_complete
    FROM cell LEFT JOIN summed USING (month, place, theme, scale_min, scale_max)
)
SELECT *, mean_rating - lag(mean_rating) OVER w AS mean_rating_change,
    negative_share - lag(negative_share) OVER w AS negative_share_change
FROM filled WINDOW w AS (PARTITION BY channel, topic, scale_min, scale_max ORDER BY month)
"""

_PEOPLE = """
CREATE OR REPLACE TEMP TABLE trace AS
SELECT customer_id AS id, created_ts::DATE AS day, false AS acts, true AS owns FROM customer
UNION ALL SELECT customer_id, day, true, true FROM begun
UNION ALL SELECT customer_id, event_date, kind = 'purchase', true FROM ordered
UNION ALL SELECT customer_id, opened_ts::DATE, true, true FROM ticket WHERE customer_id IS NOT NULL
UNION ALL SELECT respondent_id, least(asked_ts::DATE, CASE WHEN score IS NOT NULL
    THEN day END), false, false FROM answer WHERE respondent_id IS NOT NULL
UNION ALL SELECT user_id, day, false, false FROM named;
CREATE OR REPLACE TEMP TABLE known AS
SELECT DISTINCT whose(id) AS customer_id FROM trace WHERE day IS NULL OR day <= {on};
CREATE OR REPLACE TEMP TABLE who AS
SELECT customer_id, person(customer_id) AS user_id FROM known;
CREATE OR REPLACE TEMP TABLE seen AS
SELECT who.customer_id, min(x.day) AS first_seen_date, max(x.day) FILTER (x.acts) AS last_seen_date
FROM who JOIN (
    SELECT whose(id) AS customer_id, NULL AS user_id, day, acts FROM trace WHERE owns
    UNION ALL SELECT NULL, person(id), day, acts FROM trace WHERE NOT owns
    UNION ALL SELECT NULL, user_id, day, true FROM active
    UNION ALL SELECT NULL, person_id, day, true FROM answer WHERE score IS NOT NULL
) x ON x.day <= {on} AND (x.customer_id = who.customer_id OR x.user_id = who.user_id)
GROUP BY ALL;
"""

_STATE = """
CREATE OR REPLACE TEMP TABLE {name} AS
WITH mrr AS (
    SELECT whose(customer_id) AS customer_id, plan, sum(mrr_amount) AS amount,
        bool_or(status = 'past_due') AS late
    FROM bears WHERE from_date <= {on} AND coalesce(until_date > {on}, true) GROUP BY ALL
), contract AS (
    SELECT customer_id, sum(amount) AS mrr_amount, bool_or(late) AS late,
        first(plan ORDER BY amount DESC, plan) AS borne FROM mrr GROUP BY ALL
), paid AS (
    SELECT DISTINCT whose(customer_id) AS customer_id FROM bears WHERE from_date <= {on}
), bought AS (
    SELECT whose(customer_id) AS customer_id, sum(amount) AS revenue_amount,
        count(DISTINCT order_id) FILTER (kind = 'purchase') AS orders,
        max(event_date) FILTER (kind = 'purchase') AS last_order_date
    FROM ordered WHERE event_date <= {on} GROUP BY ALL
), helped AS (
    SELECT whose(customer_id) AS customer_id, count(*) AS tickets,
        count(*) FILTER (coalesce(coalesce(resolved_ts, closed_ts)::DATE > {on}, true))
            AS open_tickets
    FROM ticket WHERE customer_id IS NOT NULL AND opened_ts::DATE <= {on} GROUP BY ALL
), did AS (
    SELECT user_id, count(DISTINCT day) FILTER (day > {on} - 28) AS active_days
    FROM active WHERE day <= {on} GROUP BY ALL
), said AS (
    SELECT person_id AS user_id, kind, score, day, scale_min, scale_max, direction
    FROM answer WHERE score IS NOT NULL AND day <= {on}
        AND (kind IN ('csat', 'ces') OR (kind = 'nps' AND scale_max = 10))
    QUALIFY row_number() OVER (PARTITION BY person_id, kind
        ORDER BY answered_ts DESC, landing_date DESC, file DESC, line DESC, item DESC) = 1
), pleased AS (
    SELECT user_id, avg(100 * CASE WHEN kind = 'ces' AND direction = 'effort'
        THEN (scale_max - score) / (scale_max - scale_min)
        ELSE (score - scale_min) / (scale_max - scale_min) END) AS satisfaction
    FROM said WHERE day > {on} - {survey_days}::INT GROUP BY ALL
), scored AS (
    SELECT who.customer_id, who.user_id, coalesce(mrr_amount, 0) AS mrr_amount,
        paid.customer_id IS NOT NULL AS has_paid, borne, coalesce(orders, 0) AS orders,
        coalesce(revenue_amount, 0) AS revenue_amount, last_order_date,
        coalesce(tickets, 0) AS tickets, coalesce(open_tickets, 0) AS open_tickets,
        coalesce(active_days, 0) AS active_days,
        CASE WHEN did.user_id IS NOT NULL
            THEN 100 * least(1, did.active_days / {active_days}::DOUBLE) END AS activity,
        satisfaction,
        CASE WHEN helped.customer_id IS NOT NULL THEN 100
            * greatest(0, 1 - helped.open_tickets / {most_tickets}::DOUBLE) END AS support,
        CASE WHEN has_paid OR last_order_date IS NOT NULL THEN greatest(
            CASE WHEN mrr_amount > 0 AND late THEN 50 WHEN mrr_amount > 0 THEN 100 ELSE 0 END,
            coalesce(100 * (1 - ({on} - last_order_date) / {window}::DOUBLE), 0)) END AS payment
    FROM who LEFT JOIN contract USING (customer_id) LEFT JOIN paid USING (customer_id)
        LEFT JOIN bought USING (customer_id) LEFT JOIN helped USING (customer_id)
        LEFT JOIN did USING (user_id) LEFT JOIN pleased USING (user_id)
)
SELECT *,
    CASE WHEN activity IS NULL THEN 0 ELSE {w_activity} END
        + CASE WHEN satisfaction IS NULL THEN 0 ELSE {w_satisfaction} END
        + CASE WHEN support IS NULL THEN 0 ELSE {w_support} END
        + CASE WHEN payment IS NULL THEN 0 ELSE {w_payment} END AS weight,
    (coalesce(activity * {w_activity}, 0) + coalesce(satisfaction * {w_satisfaction}, 0)
        + coalesce(support * {w_support}, 0) + coalesce(payment * {w_payment}, 0))
        / nullif(weight, 0) AS health
FROM scored;
CREATE OR REPLACE TEMP TABLE {name}_said AS
SELECT person_id AS user_id, kind, score, day, scale_min, scale_max, direction
FROM answer WHERE score IS NOT NULL AND day <= {on}
    AND (kind IN ('csat', 'ces') OR (kind = 'nps' AND scale_max = 10))
QUALIFY row_number() OVER (PARTITION BY person_id, kind
    ORDER BY answered_ts DESC, landing_date DESC, file DESC, line DESC, item DESC) = 1;
"""

_PROFILE = """
WITH week AS (
    SELECT user_id, ({on} - day) // 7 AS week, sum(delivered) AS delivered, sum(opened) AS opened
    FROM mailed WHERE day > {on} - 28 AND day <= {on} GROUP BY ALL
), mail AS (
    SELECT user_id, sum(delivered) AS delivered, sum(opened) AS opened,
        count(*) FILTER (delivered > 0) AS weeks,
        count(*) FILTER (delivered > 0 AND opened > 0) AS read FROM week GROUP BY ALL
), value AS (
    SELECT whose(customer_id) AS customer_id, sum(value) AS value
    FROM worth WHERE value IS NOT NULL GROUP BY ALL
)
SELECT n.customer_id, {on} AS as_of, n.user_id, first_seen_date, last_seen_date,
    coalesce(c.country, 'unknown') AS country, coalesce(c.segment, 'unknown') AS segment,
    coalesce(n.borne, CASE WHEN NOT n.has_paid THEN c.plan END, 'none') AS plan,
    n.mrr_amount, n.orders, n.revenue_amount, n.last_order_date,
    value.value AS expected_value_amount, nps.score AS nps_score, nps.day AS nps_date,
    csat.score AS csat_score, csat.day AS csat_date, csat.scale_min AS csat_scale_min,
    csat.scale_max AS csat_scale_max, ces.score AS ces_score, ces.day AS ces_date,
    ces.scale_min AS ces_scale_min, ces.scale_max AS ces_scale_max,
    ces.direction AS ces_direction, n.tickets, n.open_tickets, n.active_days,
    coalesce(delivered, 0) AS delivered_mails, coalesce(opened, 0) AS opened_mails,
    coalesce(weeks, 0) AS mailed_weeks, coalesce(read, 0) AS opened_weeks,
    CASE WHEN coalesce(weeks, 0) = 0 THEN 'not_mailed' WHEN read = 0 THEN 'never'
        WHEN read = weeks THEN 'every_week' ELSE 'some_weeks' END AS email_habit,
    n.activity AS activity_score, n.satisfaction AS satisfaction_score,
    n.support AS support_score, n.payment AS payment_score,
    n.activity * {w_activity} / n.weight AS activity_points,
    n.satisfaction * {w_satisfaction} / n.weight AS satisfaction_points,
    n.support * {w_support} / n.weight AS support_points,
    n.payment * {w_payment} / n.weight AS payment_points,
    (n.activity IS NOT NULL)::INT + (n.satisfaction IS NOT NULL)::INT
        + (n.support IS NOT NULL)::INT + (n.payment IS NOT NULL)::INT AS components_known,
    n.health AS health_score,
    CASE WHEN n.health >= {good} THEN 'good' WHEN n.health >= {fair} THEN 'fair'
        WHEN n.health IS NULL THEN 'unknown' ELSE 'poor' END AS health_level,
    n.health - b.health AS health_score_change
FROM now n LEFT JOIN before b USING (customer_id) LEFT JOIN seen USING (customer_id)
    LEFT JOIN customer c USING (customer_id) LEFT JOIN value USING (customer_id)
    LEFT JOIN mail ON mail.user_id = n.user_id
    LEFT JOIN now_said nps ON nps.user_id = n.user_id AND nps.kind = 'nps'
    LEFT JOIN now_said csat ON csat.user_id = n.user_id AND csat.kind = 'csat'
    LEFT JOIN now_said ces ON ces.user_id = n.user_id AND ces.kind = 'ces'
"""


def feedback_oracle(con: duckdb.DuckDBPyConnection, data_through: date) -> pl.DataFrame:
    """The table ``feedback_monthly``."""
    con.execute(_CUSTOMER)
    return pl.DataFrame(con.sql(_FEEDBACK.format(on=f"DATE '{data_through}'")).to_arrow_table())


def profiles_oracle(
    con: duckdb.DuckDBPyConnection, settings: Mapping[str, Any], data_through: date
) -> pl.DataFrame:
    """The table ``customer_profiles``, all but churn risk."""
    on = f"DATE '{data_through}'"
    said = {
        "survey_days": settings["health_survey_days"],
        "active_days": settings["health_active_days"],
        "most_tickets": settings["health_open_tickets"],
        "window": settings["churn_inactivity_days"],
        **settings["health_levels"],
        **{f"w_{name}": weight for name, weight in settings["health_weights"].items()},
    }
    con.execute(_CUSTOMER)
    con.execute("""CREATE OR REPLACE TEMP TABLE ticket AS SELECT * FROM landed_tickets
        QUALIFY row_number() OVER (PARTITION BY ticket_id ORDER BY updated_ts DESC NULLS LAST,
            landing_date DESC, file DESC, line DESC, item DESC) = 1""")
    con.execute(_PEOPLE.format(on=on))
    earlier = f"DATE '{data_through - timedelta(days=28)}'"
    for name, day in (("now", on), ("before", earlier)):
        con.execute(_STATE.format(name=name, on=day, **said))
    return pl.DataFrame(con.sql(_PROFILE.format(on=on, **said)).to_arrow_table())
