"""Lifetime value computed a second time, in SQL, from plain orders and customer-months.

Written from METRICS.md and the papers, not from the transforms: likelihoods customer by customer,
and the hypergeometric function as the sum of its series.
"""

from collections.abc import Mapping
from datetime import date

import duckdb
import polars as pl

_HISTORY = """
CREATE TABLE counting AS SELECT * FROM orders WHERE fate = 'counts' AND event_date <= $through;

CREATE TABLE bought_day AS
    SELECT customer_id, event_date AS day, sum(amount) AS amount
    FROM counting GROUP BY ALL HAVING bool_or(kind = 'purchase');

CREATE MACRO history_at(until) AS TABLE
    SELECT customer_id,
        count(*) - 1 AS frequency,
        max(day) - min(day) AS recency_days,
        until - min(day) AS tenure_days,
        count(*) FILTER (day > first_day AND amount > 0) AS valued_days,
        coalesce(sum(amount) FILTER (day > first_day AND amount > 0), 0) AS valued_amount
    FROM (SELECT *, min(day) OVER (PARTITION BY customer_id) AS first_day
        FROM bought_day WHERE day <= until)
    GROUP BY customer_id;
"""

# 2F1 of equation 10 (Fader, Hardie and Lee 2005), term by term.
_SERIES = """
CREATE MACRO hyper(a, b, c, z) AS list_sum(list_transform(range(0, 400), lambda term:
    exp(lgamma(a + term) - lgamma(a) + lgamma(b + term) - lgamma(b) - lgamma(c + term)
        + lgamma(c) - lgamma(term + 1) + term * ln(z))));
CREATE MACRO ahead(r, alpha, a, b, x, t_x, t, weeks) AS
    (a + b + x - 1) / (a - 1)
    * (1 - pow((alpha + t) / (alpha + t + weeks), r + x)
        * hyper(r + x, b + x, a + b + x - 1, weeks / (alpha + t + weeks)))
    / (1 + CASE WHEN x > 0 THEN a / (b + x - 1) * pow((alpha + t) / (alpha + t_x), r + x)
        ELSE 0 END);
"""

_BUYERS = """
SELECT c.customer_id, $through AS as_of, 'bg_nbd' AS model,
    count(DISTINCT order_id) FILTER (kind = 'purchase') AS orders,
    sum(c.amount) AS revenue_amount,
    min(event_date) FILTER (kind = 'purchase') AS first_order_date,
    max(event_date) FILTER (kind = 'purchase') AS last_order_date,
    any_value(frequency) AS frequency, any_value(recency_days) AS recency_days,
    any_value(tenure_days) AS tenure_days, any_value(valued_days) AS valued_days,
    any_value(valued_amount) AS valued_amount,
    any_value(1 / (1 + CASE WHEN frequency IS NULL THEN NULL
        WHEN frequency > 0 THEN m.a / (m.b + frequency - 1)
            * pow((m.alpha + tenure_days / 7) / (m.alpha + recency_days / 7), m.r + frequency)
        ELSE 0 END)) AS alive_probability,
    any_value(ahead(m.r, m.alpha, m.a, m.b, frequency, recency_days / 7, tenure_days / 7,
        $months * 365.25 / 84)) AS expected_orders,
    any_value((m.p * (m.v + valued_amount::DOUBLE)) / (m.p * valued_days + m.q - 1)
        * list_sum(list_transform(range(1, $months + 1), lambda k: (
            ahead(m.r, m.alpha, m.a, m.b, frequency, recency_days / 7, tenure_days / 7,
                k * 365.25 / 84)
            - CASE WHEN k = 1 THEN 0 ELSE ahead(m.r, m.alpha, m.a, m.b, frequency,
                recency_days / 7, tenure_days / 7, (k - 1) * 365.25 / 84) END)
            / pow(1 + $discount, k / 12)))) AS expected_value_amount
FROM counting c LEFT JOIN history_at($through) h USING (customer_id), model m
GROUP BY c.customer_id
"""

# METRICS.md: the table clv_monthly; a customer of a shop has an order in the N days up to the edge.
_MONTHLY = """
WITH line AS (
    SELECT *, 'all' AS dimension, 'all' AS segment FROM counting
    UNION ALL SELECT *, 'channel', coalesce(channel, 'unknown') FROM counting),
firsts AS (
    SELECT *, row_number() OVER (
        PARTITION BY customer_id ORDER BY ordered_ts, order_id, line_id, line) AS place
    FROM counting WHERE kind = 'purchase'),
newcomer AS (
    SELECT customer_id, date_trunc('month', event_date)::DATE AS month, channel
    FROM firsts WHERE place = 1),
segments AS (
    SELECT dimension, segment, date_trunc('month', min(event_date))::DATE AS first_month
    FROM line GROUP BY ALL),
cell AS (
    SELECT dimension, segment, unnest(generate_series(
        first_month, $through::DATE, INTERVAL 1 MONTH))::DATE AS month FROM segments),
edge AS (SELECT *, least(last_day(month), $through) AS last FROM cell),
sums AS (
    SELECT e.dimension, e.segment, e.month,
        coalesce(sum(amount) FILTER (date_trunc('month', event_date) = e.month), 0)
            AS revenue_amount,
        count(DISTINCT customer_id) FILTER (kind = 'purchase'
            AND event_date BETWEEN e.last - $days + 1 AND e.last) AS customers
    FROM edge e JOIN line l USING (dimension, segment) GROUP BY ALL),
begun AS (
    SELECT dimension, segment, order_id, date_trunc('month', min(event_date))::DATE AS month
    FROM line WHERE kind = 'purchase' GROUP BY ALL),
cost AS (
    SELECT date_trunc('month', event_date)::DATE AS month, channel, cost_amount FROM costs
    WHERE fate = 'counts' AND event_date <= $through)
SELECT *, 12 * orders / nullif(customers, 0) AS orders_per_customer_year FROM (
SELECT s.month, s.dimension, s.segment, s.revenue_amount, s.customers,
    (SELECT count(*) FROM begun b WHERE b.month = s.month AND b.dimension = s.dimension
        AND b.segment = s.segment) AS orders,
    (SELECT count(*) FROM newcomer n WHERE n.month = s.month AND (s.dimension = 'all'
        OR coalesce(n.channel, 'unknown') = s.segment)) AS new_customers,
    (SELECT sum(w.revenue_amount + w.expected_value_amount) FROM newcomer n
        JOIN worth w USING (customer_id) WHERE n.month = s.month AND (s.dimension = 'all'
        OR coalesce(n.channel, 'unknown') = s.segment)) AS predicted,
    (SELECT sum(cost_amount) FROM cost c WHERE c.month = s.month AND (s.dimension = 'all'
        OR c.channel = s.segment)) AS cost_amount,
    last_day(s.month) <= $through AS is_complete
FROM sums s)
"""

# Log-likelihoods of the papers, of each customer by itself.
_LIKELIHOOD = """
SELECT
    (SELECT sum(lgamma($r + x) - lgamma($r) + $r * ln($alpha)
        + lgamma($a + $b) + lgamma($b + x) - lgamma($b) - lgamma($a + $b + x)
        + ln(pow($alpha + t, -($r + x)) + CASE WHEN x > 0 THEN
            $a / ($b + x - 1) * pow($alpha + t_x, -($r + x)) ELSE 0 END))
    FROM (SELECT frequency AS x, recency_days / 7 AS t_x, tenure_days / 7 AS t
        FROM history_at($cutoff))) AS bg_nbd,
    (SELECT sum(lgamma($p * x + $q) - lgamma($p * x) - lgamma($q) + $q * ln($v)
        + ($p * x - 1) * ln(z) + $p * x * ln(x) - ($p * x + $q) * ln(x * z + $v))
    FROM (SELECT valued_days AS x, valued_amount::DOUBLE / valued_days AS z
        FROM history_at($cutoff) WHERE valued_days > 0)) AS gamma_gamma
"""


class Oracle:
    """Orders in DuckDB, and what is asked of them."""

    def __init__(self, orders: pl.DataFrame, through: date) -> None:
        self.through = through
        self.con = duckdb.connect()
        naive = orders.with_columns(pl.col("ordered_ts").dt.replace_time_zone(None))
        self.con.register("orders", naive.to_arrow())
        for statement in f"{_HISTORY}{_SERIES}".split(";\n"):
            if statement.strip():
                values = {"through": through} if "$through" in statement else {}
                self.con.execute(statement, values)

    def buyers(
        self, parameters: Mapping[str, float], *, months: int, discount: float
    ) -> pl.DataFrame:
        """``customer_lifetime_value`` of orders."""
        named = ", ".join(f"{value}::DOUBLE AS {name}" for name, value in parameters.items())
        self.con.execute(f"CREATE OR REPLACE TABLE model AS SELECT {named}")
        values = {"through": self.through, "months": months, "discount": discount}
        return pl.DataFrame(self.con.sql(_BUYERS, params=values).to_arrow_table())

    def monthly(self, costs: pl.DataFrame, worth: pl.DataFrame, *, days: int) -> pl.DataFrame:
        """``clv_monthly`` of orders: its sums, before anything is divided."""
        self.con.register("costs", costs.to_arrow())
        self.con.register("worth", worth.to_arrow())
        values = {"through": self.through, "days": days}
        return pl.DataFrame(self.con.sql(_MONTHLY, params=values).to_arrow_table())

    def log_likelihoods(self, parameters: Mapping[str, float], cutoff: date) -> dict[str, float]:
        """Of the histories up to ``cutoff``, by model."""
        row = self.con.execute(_LIKELIHOOD, {**parameters, "cutoff": cutoff}).fetchone()
        assert row is not None
        return dict(zip(("bg_nbd", "gamma_gamma"), row, strict=True))
