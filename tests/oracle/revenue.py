"""Subscriptions and revenue computed a second time, in SQL, day by day.

Written from METRICS.md and not from the transforms: no stretches and no bits. For every day and
every subscription the version in force at the day's last instant is looked up, and everything else
is counted from these days.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import duckdb
import polars as pl

_FACT = """
CREATE TABLE version AS
    SELECT *, lag(state) OVER (
        PARTITION BY subscription_id, started_ts ORDER BY version_ts) IS NOT DISTINCT FROM state
        AND lag(line) OVER (
            PARTITION BY subscription_id, started_ts ORDER BY version_ts) IS NOT NULL AS is_echo
    FROM (
        SELECT *, row(customer_id, plan, amount, currency, interval, interval_count, quantity,
            status, ended_ts, trial_end_ts, cancel_at_ts) AS state
        FROM landed
        QUALIFY row_number() OVER (
            PARTITION BY subscription_id, started_ts, version_ts
            ORDER BY landing_date DESC, file DESC, line DESC) = 1);

CREATE TABLE rated AS
    SELECT v.*, CASE WHEN currency = 'EUR' THEN 100000000::HUGEINT ELSE (
        SELECT (r.rate * 100000000)::HUGEINT FROM rate r
        WHERE r.currency = v.currency AND v.event_date - r.day BETWEEN 0 AND 7
        ORDER BY r.day DESC LIMIT 1) END AS rate
    FROM version v;

CREATE TABLE priced AS
    SELECT * EXCLUDE (above, below, rate), rate IS NULL AS is_awaiting,
        above // below + CASE
            WHEN 2 * (above % below) > below THEN 1
            WHEN 2 * (above % below) = below AND (above // below) % 2 = 1 THEN 1 ELSE 0 END AS mrr
    FROM (
        SELECT *, 100000000::HUGEINT * (amount * 10000)::HUGEINT * quantity
                * CASE interval WHEN 'week' THEN 52 WHEN 'day' THEN 365 ELSE 12 END AS above,
            rate * interval_count * CASE interval WHEN 'year' THEN 144 ELSE 12 END AS below
        FROM rated);

CREATE TABLE period AS
    SELECT subscription_id, started_ts,
        lead(started_ts) OVER (PARTITION BY subscription_id ORDER BY started_ts) AS next_start,
        CASE WHEN status = 'canceled' THEN coalesce(least(ended_ts, cancel_at_ts), version_ts)
            ELSE least(ended_ts, cancel_at_ts) END AS last_end
    FROM (
        SELECT * FROM version
        QUALIFY row_number() OVER (
            PARTITION BY subscription_id, started_ts ORDER BY version_ts DESC) = 1);
"""

# METRICS.md: a day's MRR is the one at its last instant.
_DAYS = """
CREATE TABLE in_force AS
    SELECT c.day, c.last_instant, v.*
    FROM calendar c JOIN period p ON p.started_ts <= c.last_instant
        AND (p.next_start IS NULL OR p.next_start > c.last_instant)
        AND (p.last_end IS NULL OR p.last_end > c.last_instant)
    JOIN priced v USING (subscription_id, started_ts)
    QUALIFY row_number() OVER (
        PARTITION BY c.day, subscription_id, started_ts
        ORDER BY v.version_ts > c.last_instant,
            CASE WHEN v.version_ts <= c.last_instant THEN v.version_ts END DESC,
            v.version_ts) = 1;

CREATE TABLE bearing AS
    SELECT day, subscription_id, started_ts, customer_id,
        CASE plan WHEN 'none' THEN '(none)' ELSE plan END AS plan, mrr
    FROM in_force
    WHERE NOT is_awaiting AND mrr > 0
        AND NOT (status = 'trialing' AND trial_end_ts IS NULL)
        AND coalesce(trial_end_ts <= last_instant, true)
        AND NOT (status = 'paused' AND version_ts <= last_instant)
        AND NOT (status = 'canceled' AND last_instant
            >= coalesce(least(ended_ts, cancel_at_ts), version_ts));
"""

_MONTHS = """
CREATE TABLE at_end AS
    SELECT date_trunc('month', day)::DATE AS month, customer_id, sum(mrr)::HUGEINT AS mrr,
        (SELECT b.plan FROM bearing b WHERE b.day = o.day AND b.customer_id = o.customer_id
         GROUP BY b.plan ORDER BY sum(b.mrr) DESC, b.plan LIMIT 1) AS plan
    FROM bearing o
    WHERE day = least(last_day(day), DATE '{through}')
    GROUP BY day, customer_id;

CREATE TABLE customer_months AS
    WITH change AS (
        SELECT customer_id, month, coalesce(o.mrr, 0) AS opening, coalesce(c.mrr, 0) AS closing,
            coalesce(o.plan, 'none') AS opening_plan, coalesce(c.plan, 'none') AS plan
        FROM at_end c FULL JOIN (
            SELECT customer_id, (month + INTERVAL 1 MONTH)::DATE AS month, mrr, plan FROM at_end
        ) o USING (customer_id, month)
        WHERE month <= DATE '{through}'),
    first AS (SELECT customer_id, min(month) AS first_month FROM at_end GROUP BY ALL)
    SELECT customer_id, month, opening / 10000 AS opening_mrr_amount, closing / 10000 AS mrr_amount,
        (closing - opening) / 10000 AS change_amount,
        CASE WHEN month = first_month THEN 'new' WHEN opening = 0 THEN 'reactivation'
            WHEN closing = 0 THEN 'churn' WHEN closing > opening THEN 'expansion'
            WHEN closing < opening THEN 'contraction' ELSE 'none' END AS movement,
        opening_plan, plan, coalesce(country, 'unknown') AS country,
        coalesce(segment, 'unknown') AS segment, last_day(month) <= DATE '{through}' AS is_complete,
        opening, closing
    FROM change JOIN first USING (customer_id) LEFT JOIN customer USING (customer_id);
"""

_SEEN = """
    SELECT month, opening, closing, movement, '{name}' AS dimension, {segment} AS segment
    FROM customer_months"""

_CELLS = """
CREATE TABLE seen AS {seen};

CREATE TABLE cell AS
    SELECT DISTINCT date_trunc('month', day)::DATE AS month, dimension, segment
    FROM (SELECT dimension, segment, min(month) AS first_month FROM seen GROUP BY ALL), calendar
    WHERE day BETWEEN first_month AND DATE '{through}';
"""

_CHURN = """
    SELECT month, dimension, segment,
        count(*) FILTER (opening > 0) AS customers_start,
        count(*) FILTER (movement = 'new') AS new_customers,
        count(*) FILTER (movement = 'reactivation') AS reactivated_customers,
        count(*) FILTER (movement = 'churn') AS lost_customers,
        count(*) FILTER (closing > 0) AS customers_end,
        count(*) FILTER (opening > 0 AND closing > 0) AS retained_customers,
        lost_customers / nullif(customers_start, 0) AS churn_rate,
        retained_customers / nullif(customers_start, 0) AS retention_rate,
        CASE WHEN last_day(month) <= DATE '{through}'
            THEN 1 - (1 - churn_rate) ** 12 END AS annualised_churn_rate,
        last_day(month) <= DATE '{through}' AS is_complete
    FROM cell LEFT JOIN seen USING (month, dimension, segment)
    GROUP BY month, dimension, segment"""

_MOVED = """
    SELECT month, dimension, segment, coalesce(sum(opening), 0) / 10000 AS opening_mrr_amount,
        {sums},
        coalesce(sum(closing), 0) / 10000 AS closing_mrr_amount,
        coalesce(sum(least(opening, closing)), 0) / 10000 AS retained_mrr_amount,
        coalesce(sum(closing) FILTER (opening > 0), 0) / 10000 AS net_retained_mrr_amount,
        coalesce(sum(greatest(opening - closing, 0)), 0) / 10000 AS lost_mrr_amount,
        retained_mrr_amount / nullif(opening_mrr_amount, 0) AS gross_revenue_retention_rate,
        net_retained_mrr_amount / nullif(opening_mrr_amount, 0) AS net_revenue_retention_rate,
        lost_mrr_amount / nullif(opening_mrr_amount, 0) AS revenue_churn_rate,
        last_day(month) <= DATE '{through}' AS is_complete
    FROM cell LEFT JOIN seen USING (month, dimension, segment)
    GROUP BY month, dimension, segment"""

_COHORTS = """
    WITH cohort AS (SELECT customer_id, min(month) AS cohort_month FROM at_end GROUP BY ALL),
    size AS (
        SELECT cohort_month, count(*) AS cohort_customers, sum(mrr) AS cohort_mrr
        FROM cohort JOIN at_end ON at_end.customer_id = cohort.customer_id AND month = cohort_month
        GROUP BY ALL)
    SELECT cohort_month, date_diff('month', cohort_month, s.month) AS period_index,
        cohort_customers, count(a.customer_id) AS customers,
        customers / cohort_customers AS customer_retention_rate,
        cohort_mrr / 10000 AS cohort_mrr_amount, coalesce(sum(mrr), 0) / 10000 AS mrr_amount,
        mrr_amount / cohort_mrr_amount AS mrr_retention_rate,
        last_day(s.month) <= DATE '{through}' AS is_complete
    FROM size JOIN (SELECT DISTINCT date_trunc('month', day)::DATE AS month FROM calendar) s
        ON s.month >= cohort_month AND s.month <= DATE '{through}'
    LEFT JOIN (at_end JOIN cohort USING (customer_id)) a USING (cohort_month, month)
    GROUP BY cohort_month, s.month, cohort_customers, cohort_mrr"""

# The month of the horizon is whole: what is known to be due stands in it.
_PLANS = """
    WITH paid AS (
        SELECT day, coalesce(user_id, b.customer_id) AS user_id, plan, sum(mrr) AS mrr
        FROM bearing b LEFT JOIN customer c USING (customer_id)
        GROUP BY ALL),
    plan AS (
        SELECT day, user_id, plan FROM paid
        QUALIFY row_number() OVER (PARTITION BY day, user_id ORDER BY mrr DESC, plan) = 1),
    known AS (
        SELECT c.day, user_id FROM calendar c
        JOIN (SELECT user_id, min(day) AS first_day FROM plan GROUP BY ALL) ON day >= first_day
        WHERE c.day <= last_day(DATE '{through}'))
    SELECT date_trunc('month', day)::DATE AS month, user_id, coalesce(plan, 'none') AS plan,
        coalesce((SELECT c.country FROM customer c WHERE c.user_id = known.user_id
                  ORDER BY c.customer_id LIMIT 1), 'unknown') AS country,
        sum(1::BIGINT << (day(day) - 1))::BIGINT AS plan_days
    FROM known LEFT JOIN plan USING (day, user_id)
    GROUP BY ALL"""

_INACTIVITY = """
    WITH edge AS (
        SELECT date_trunc('month', day)::DATE AS month, max(day) AS day
        FROM calendar WHERE day <= DATE '{through}' GROUP BY 1),
    present AS (
        SELECT DISTINCT month, customer_id FROM edge JOIN orders
            ON event_date > day - {days} AND event_date <= day
        WHERE kind = 'purchase' AND fate = 'counts'),
    first AS (SELECT customer_id, min(month) AS first_month FROM present GROUP BY ALL),
    state AS (
        SELECT month, customer_id, bool_or(is_start) AS opening, bool_or(NOT is_start) AS closing
        FROM (SELECT month, customer_id, false AS is_start FROM present UNION ALL
              SELECT (month + INTERVAL 1 MONTH)::DATE, customer_id, true FROM present)
        GROUP BY ALL)
    SELECT month, count(*) FILTER (opening) AS customers_start,
        count(*) FILTER (closing AND month = first_month) AS new_customers,
        count(*) FILTER (closing AND NOT opening AND month > first_month) AS reactivated_customers,
        count(*) FILTER (opening AND NOT closing) AS lost_customers,
        count(*) FILTER (closing) AS customers_end,
        count(*) FILTER (closing AND opening) AS retained_customers,
        lost_customers / nullif(customers_start, 0) AS churn_rate,
        retained_customers / nullif(customers_start, 0) AS retention_rate,
        CASE WHEN last_day(month) <= DATE '{through}'
            THEN 1 - (1 - churn_rate) ** 12 END AS annualised_churn_rate,
        last_day(month) <= DATE '{through}' AS is_complete
    FROM edge LEFT JOIN (state JOIN first USING (customer_id)) USING (month)
    WHERE month >= (SELECT min(month) FROM present)
    GROUP BY month"""

_MOVEMENTS = ("new", "reactivation", "expansion", "contraction", "churn")


def calendar(first: date, last: date, timezone: str) -> pl.DataFrame:
    """Days of a zone with their last microsecond, in UTC without a zone."""
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return pl.DataFrame(
        {
            "day": days,
            "last_instant": [_midnight(day + timedelta(days=1), timezone) for day in days],
        },
        schema={"day": pl.Date, "last_instant": pl.Datetime("us")},
    ).with_columns(pl.col("last_instant") - pl.duration(microseconds=1))


def _midnight(day: date, timezone: str) -> datetime:
    local = datetime.combine(day, time(), ZoneInfo(timezone))
    return local.astimezone(UTC).replace(tzinfo=None)


def _noon(day: date, timezone: str) -> datetime:
    local = datetime.combine(day, time(12), ZoneInfo(timezone))
    return local.astimezone(UTC).replace(tzinfo=None)


def revenue_oracle(
    landed: pl.DataFrame,
    customers: pl.DataFrame,
    rates: pl.DataFrame,
    *,
    timezone: str,
    data_through: date,
    dimensions: Sequence[str],
    until: date,
) -> dict[str, pl.DataFrame]:
    """Every table of subscriptions, in euros, by name; ``bearing_days`` holds each day's MRR.

    ``customers`` brings customer_id, user_id, country and segment, ``rates`` day, currency and
    rate. ``until`` is the last day that is looked at.
    """
    noons = {day: _noon(day, timezone) for day in landed["landing_date"].unique()}
    naive = landed.with_columns(pl.selectors.datetime().dt.replace_time_zone(None))
    version_ts = pl.coalesce(
        "updated_ts", pl.col("landing_date").replace_strict(noons, return_dtype=pl.Datetime("us"))
    )
    earliest = landed["event_date"].min() or data_through
    assert isinstance(earliest, date)
    through = data_through
    segment_of = {
        "all": "'all'",
        "plan": "CASE opening_plan WHEN 'none' THEN plan ELSE opening_plan END",
        "country": "country",
        "segment": "segment",
    }
    seen = " UNION ALL ".join(
        _SEEN.format(name=name, segment=segment_of[name]) for name in ("all", *dimensions)
    )
    sums = ", ".join(
        f"coalesce(sum(closing - opening) FILTER (movement = '{name}'), 0) / 10000"
        f" AS {name}_mrr_amount"
        for name in _MOVEMENTS
    )
    with duckdb.connect(config={"threads": 1}) as con:
        con.register("landed", naive.with_columns(version_ts=version_ts).to_arrow())
        con.register("customer", customers.to_arrow())
        con.register("rate", rates.to_arrow())
        days = calendar(earliest.replace(day=1), until, timezone)
        con.register("calendar", days.to_arrow())
        con.execute(_FACT + _DAYS + _MONTHS.format(through=through))
        con.execute(_CELLS.format(seen=seen, through=through))
        return {
            "fates": con.sql("""
                SELECT l.landing_date, l.file, l.line, CASE WHEN p.line IS NULL OR is_echo
                    THEN 'duplicate' WHEN is_awaiting THEN 'awaiting_rate' ELSE 'counts' END AS fate
                FROM landed l LEFT JOIN priced p USING (landing_date, file, line)""").pl(),
            "bearing_days": con.sql("""
                SELECT day, subscription_id, started_ts, mrr / 10000 AS mrr FROM bearing""").pl(),
            "customer_months": con.sql(
                "SELECT * EXCLUDE (opening, closing) FROM customer_months"
            ).pl(),
            "churn_monthly": con.sql(_CHURN.format(through=through)).pl(),
            "mrr_movements_monthly": con.sql(_MOVED.format(through=through, sums=sums)).pl(),
            "revenue_cohorts": con.sql(_COHORTS.format(through=through)).pl(),
            "plan_months": con.sql(_PLANS.format(through=through)).pl(),
        }


def inactivity_oracle(orders: pl.DataFrame, *, days: int, data_through: date) -> pl.DataFrame:
    """``churn_by_inactivity_monthly`` from orders with customer_id, kind, event_date and fate."""
    earliest = orders["event_date"].min() or data_through
    assert isinstance(earliest, date)
    with duckdb.connect(config={"threads": 1}) as con:
        con.register("orders", orders.to_arrow())
        con.register("calendar", calendar(earliest.replace(day=1), data_through, "UTC").to_arrow())
        return con.sql(_INACTIVITY.format(days=days, through=data_through)).pl()
