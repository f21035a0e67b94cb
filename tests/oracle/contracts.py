"""Lifetime value under contract computed a second time, in SQL, from the months that were paid.

Written from METRICS.md and the paper (Fader and Hardie 2007), not from the transforms. ``paid`` has
customer_id, month, mrr_amount, plan, country: a row for each month at whose end somebody paid.
"""

from collections.abc import Mapping
from datetime import date

import duckdb
import polars as pl

# A stretch is broken by a month that was not paid: months since 1970 less their place are equal.
_STRETCHES = """
CREATE MACRO number_of(day) AS year(day) * 12 + month(day);
CREATE MACRO whole_month(day) AS
    date_trunc('month', (day + INTERVAL 1 DAY)) - INTERVAL 1 MONTH;
CREATE MACRO stretches(until) AS TABLE
    SELECT customer_id, min(month) AS first_month, max(month) AS last_month,
        max(month) < any_value(until) AS is_lost
    FROM (SELECT *, number_of(month) - row_number() OVER (
            PARTITION BY customer_id ORDER BY month) AS stretch
        FROM paid WHERE month <= until)
    GROUP BY customer_id, stretch;
CREATE MACRO stays(alpha, beta, t) AS
    exp(lgamma(beta + t) + lgamma(alpha + beta) - lgamma(alpha + beta + t) - lgamma(beta));
"""

_SUBSCRIBERS = """
WITH state AS (
    SELECT customer_id, is_lost, greatest(0, number_of(least(last_month,
        whole_month($through::DATE))) - number_of(first_month)) AS passed
    FROM stretches(date_trunc('month', $through::DATE))
    QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY first_month DESC) = 1),
billed AS (
    SELECT customer_id, count(*) AS orders, sum(mrr_amount) AS revenue_amount,
        min(month) AS first_order_date, max(month) AS last_order_date,
        arg_max(mrr_amount, month) AS mrr_amount
    FROM paid WHERE month <= $through GROUP BY customer_id)
SELECT customer_id, $through::DATE AS as_of, 'sbg' AS model, orders, revenue_amount,
    first_order_date, last_order_date, passed AS frequency,
    CASE WHEN is_lost THEN 0 ELSE mrr_amount END AS monetary_amount,
    CASE WHEN is_lost THEN 0 ELSE 1 END AS alive_probability,
    CASE WHEN is_lost THEN 0 ELSE list_sum(list_transform(range(1, $months + 1), lambda k:
        stays($alpha, $beta, passed + k) / stays($alpha, $beta, passed))) END AS expected_orders,
    CASE WHEN is_lost THEN 0 ELSE mrr_amount::DOUBLE * list_sum(list_transform(
        range(1, $months + 1), lambda k: stays($alpha, $beta, passed + k)
            / stays($alpha, $beta, passed) / pow(1 + $discount, k / 12))) END
        AS expected_value_amount
FROM billed JOIN state USING (customer_id)
"""

_MONTHLY = """
WITH known AS (
    SELECT *, lag(plan) OVER earlier AS plan_before, lag(month) OVER earlier AS month_before,
        lead(month) OVER earlier AS month_after,
        row_number() OVER earlier = 1 AS is_new
    FROM paid WHERE month <= $through WINDOW earlier AS (PARTITION BY customer_id ORDER BY month)),
placed AS (
    SELECT *, 'all' AS dimension, 'all' AS segment FROM known
    UNION ALL SELECT *, 'country', country FROM known
    UNION ALL SELECT *, 'plan', plan FROM known),
cell AS (
    SELECT dimension, segment, unnest(generate_series(min(month),
        date_trunc('month', $through::DATE), INTERVAL 1 MONTH))::DATE AS month
    FROM placed GROUP BY dimension, segment),
-- Who paid at a month's start is filed under the plan that was paid then.
edges AS (
    SELECT dimension, segment, (month + INTERVAL 1 MONTH)::DATE AS month,
        coalesce(month_after, DATE '9999-01-01') > month + INTERVAL 1 MONTH AS is_lost
    FROM placed WHERE last_day(month + INTERVAL 1 MONTH) <= $through),
churn AS (
    SELECT dimension, segment, month, count(*) FILTER (is_lost) / count(*) AS rate
    FROM edges GROUP BY ALL),
means AS (
    SELECT dimension, segment, c.month, avg(rate) AS mean_churn_rate
    FROM cell c JOIN churn h USING (dimension, segment)
    WHERE h.month BETWEEN c.month - INTERVAL 11 MONTH AND c.month GROUP BY ALL)
SELECT c.*, count(p.customer_id) AS customers, coalesce(sum(p.mrr_amount), 0) AS revenue_amount,
    count(*) FILTER (p.is_new) AS new_customers,
    count(w.worth) FILTER (p.is_new) AS predicted_customers,
    coalesce(sum(w.worth) FILTER (p.is_new), 0) AS predicted_total_amount,
    any_value(m.mean_churn_rate) AS mean_churn_rate,
    1 / (12 * nullif(any_value(m.mean_churn_rate), 0)) AS mean_lifetime_years,
    last_day(c.month) <= $through AS is_complete
FROM cell c LEFT JOIN placed p USING (dimension, segment, month)
    LEFT JOIN worth w USING (customer_id)
    LEFT JOIN means m USING (dimension, segment, month)
GROUP BY c.month, c.dimension, c.segment
"""

_LIKELIHOOD = """
SELECT sum(ln(CASE WHEN is_lost
    THEN stays($alpha, $beta, passed) - stays($alpha, $beta, passed + 1)
    ELSE stays($alpha, $beta, passed) END))
FROM (SELECT is_lost, number_of(last_month) - number_of(first_month) AS passed
    FROM stretches(whole_month($cutoff::DATE)))
"""


class Contracts:
    """Paid months in DuckDB, and what is asked of them."""

    def __init__(self, paid: pl.DataFrame, through: date) -> None:
        self.through = through
        self.con = duckdb.connect()
        self.con.register("paid", paid.to_arrow())
        for statement in _STRETCHES.split(";\n"):
            if statement.strip():
                self.con.execute(statement)

    def subscribers(
        self, parameters: Mapping[str, float], *, months: int, discount: float
    ) -> pl.DataFrame:
        """``customer_lifetime_value`` of subscriptions."""
        values = {"through": self.through, "months": months, "discount": discount, **parameters}
        return pl.DataFrame(self.con.sql(_SUBSCRIBERS, params=values).to_arrow_table())

    def monthly(self, worth: pl.DataFrame) -> pl.DataFrame:
        """``clv_monthly`` of subscriptions; ``worth``: customer_id, and what they are worth."""
        self.con.register("worth", worth.to_arrow())
        values = {"through": self.through}
        return pl.DataFrame(self.con.sql(_MONTHLY, params=values).to_arrow_table())

    def log_likelihood(self, parameters: Mapping[str, float], cutoff: date) -> float:
        """Of the stretches up to the last month that had ended by ``cutoff``, one by one."""
        row = self.con.execute(_LIKELIHOOD, {**parameters, "cutoff": cutoff}).fetchone()
        assert row is not None
        return float(row[0])
