"""What the churn models learn from computed a second time, in SQL: features and outcomes.

Reads the tables of ``oracle.profiles``, whose names of customers and persons it shares.
"""

from datetime import date, timedelta

import duckdb
import polars as pl

_STATES = """
CREATE OR REPLACE MACRO logarithm(value) AS ln(1 + greatest(0, value));
CREATE OR REPLACE MACRO payers(day) AS TABLE
    SELECT whose(customer_id) AS customer_id, min(from_date) AS begun,
        sum(mrr_amount) FILTER (coalesce(until_date > day, true)) AS mrr,
        coalesce(bool_or(status = 'past_due') FILTER (coalesce(until_date > day, true)), false)
            AS is_late
    FROM bears WHERE from_date <= day AND mrr_amount > 0 GROUP BY ALL HAVING mrr > 0;
CREATE OR REPLACE MACRO buyers(day, days) AS TABLE
    SELECT whose(customer_id) AS customer_id, sum(amount) AS spent,
        min(event_date) FILTER (kind = 'purchase') AS begun,
        max(event_date) FILTER (kind = 'purchase') AS latest,
        count(DISTINCT event_date) FILTER (kind = 'purchase') AS bought
    FROM ordered WHERE event_date <= day GROUP BY ALL HAVING day - latest < days;
CREATE OR REPLACE MACRO help(day) AS TABLE
    SELECT whose(customer_id) AS customer_id, count(*) AS tickets FROM ticket
    WHERE customer_id IS NOT NULL AND opened_ts::DATE <= day
        AND coalesce(coalesce(resolved_ts, closed_ts)::DATE > day, true) GROUP BY ALL;
CREATE OR REPLACE MACRO deeds(day_of) AS TABLE
    SELECT user_id, count(DISTINCT day) FILTER (day > day_of - 28) AS days, max(day) AS latest
    FROM active WHERE day <= day_of GROUP BY ALL;
"""

_SHARED = """
    coalesce(d.days, 0) / 28 AS active_share_feature,
    logarithm(coalesce(least(365, $day - d.latest), 365)) AS inactivity_feature,
    logarithm(coalesce(h.tickets, 0)) AS open_tickets_feature,
    customer_id NOT IN (SELECT customer_id FROM {later}) AS is_lost
FROM {now} n LEFT JOIN help($day) h USING (customer_id)
    LEFT JOIN deeds($day) d ON d.user_id = person(n.customer_id)
"""

_SUBSCRIPTIONS = """
SELECT customer_id, logarithm($day - begun) AS tenure_feature,
    logarithm(mrr::DOUBLE) AS amount_feature, is_late::DOUBLE AS past_due_feature,
"""

_ORDERS = """
SELECT customer_id, logarithm($day - begun) AS tenure_feature,
    logarithm(spent::DOUBLE / bought) AS amount_feature, logarithm(bought - 1) AS repeats_feature,
    logarithm($day - n.latest) AS recency_feature,
"""


def outcomes_oracle(
    con: duckdb.DuckDBPyConnection, model: str, on: date, days: int
) -> pl.DataFrame:
    """Customers of a day, their features, and whether they were lost; after ``profiles_oracle``."""
    con.execute(_STATES)
    then = f"DATE '{on + timedelta(days=days)}'"
    if model == "subscriptions":
        query = _SUBSCRIPTIONS + _SHARED.format(now="payers($day)", later=f"payers({then})")
    else:
        later = f"buyers({then}, {days})"
        query = _ORDERS + _SHARED.format(now=f"buyers($day, {days})", later=later)
    query = query.replace("$day", f"DATE '{on}'")
    return pl.DataFrame(con.sql(query).to_arrow_table())
