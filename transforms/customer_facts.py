"""What each source tells of customers as of the end of a day, one row per customer or person.

Whatever happened after the day is left out; what a source says of the past is taken as it is known
now. A customer is named by the ``customer_id`` of the source customers: an id that is only a
``user_id`` there stands for that customer, the first by name where there are several.
"""

from datetime import date, timedelta

import polars as pl

from schemas.base import ALL
from transforms.bits import highest, until
from transforms.calendar import local_day
from transforms.fates import ARRIVAL, counted
from transforms.money import MONEY, total
from transforms.recurring import stretches, with_bearing_plan

ACTIVITY_DAYS = 28
_KINDS = ("nps", "csat", "ces")
_ANSWER = {
    "score": "score",
    "date": "answered_date",
    "scale_min": "scale_min",
    "scale_max": "scale_max",
    "direction": "direction",
}


def as_customers(rows: pl.LazyFrame, customers: pl.LazyFrame) -> pl.LazyFrame:
    """The rows with their ``customer_id`` replaced by that of the source customers."""
    known = counted(customers)
    named = (
        known.group_by(customer_id=pl.col("user_id"))
        .agg(named=pl.col("customer_id").min())
        .join(known.select("customer_id"), on="customer_id", how="anti")
    )
    return (
        rows.join(named, on="customer_id", how="left")
        .with_columns(customer_id=pl.coalesce("named", "customer_id"))
        .drop("named")
    )


def activity(user_months: pl.LazyFrame, on: date) -> pl.LazyFrame:
    """user_id, first and last active date, ``active_days`` of the 28 days that end on the day."""
    month, bits = pl.col("month"), pl.col("active_days")
    first = on - timedelta(days=ACTIVITY_DAYS - 1)
    before = pl.lit((1 << (first.day - 1)) - 1, pl.Int64)
    # Of the month in which the window begins the days before it are taken off.
    within = pl.when(month == first.replace(day=1)).then(bits - (bits & before)).otherwise(bits)
    in_window = pl.when(month >= first.replace(day=1)).then(within).otherwise(0)
    return (
        until(user_months.filter(pl.col("dimension") == ALL), ["active_days"], on)
        .select(
            "user_id",
            first_active_date=month + pl.duration(days=bits.bitwise_trailing_zeros()),
            last_active_date=month + pl.duration(days=highest(bits)),
            active_days=in_window.bitwise_count_ones().cast(pl.Int64),
        )
        .group_by("user_id")
        .agg(
            pl.col("first_active_date").min(),
            pl.col("last_active_date").max(),
            pl.col("active_days").sum(),
        )
    )


def contracts(subscriptions: pl.LazyFrame, customers: pl.LazyFrame, on: date) -> pl.LazyFrame:
    """customer_id, ``first_paid_date``; of the day ``mrr_amount``, ``borne_plan``, ``is_past_due``.

    One row for each customer who bore MRR on or before the day; the plan is null on a day without.
    """
    begun = stretches(subscriptions).filter(pl.col("from_date") <= on)
    firsts = (
        as_customers(begun, customers)
        .group_by("customer_id")
        .agg(first_paid_date=pl.col("from_date").min())
    )
    bearing = begun.filter(pl.col("until_date").is_null() | (pl.col("until_date") > on))
    borne = with_bearing_plan(as_customers(bearing, customers), ["customer_id"])
    late = counted(subscriptions).filter(
        pl.col("status") == "past_due",
        pl.col("mrr_amount") > 0,
        pl.col("mrr_from_date") <= on,
        pl.col("mrr_until_date").is_null() | (pl.col("mrr_until_date") > on),
    )
    past_due = as_customers(late.select("customer_id"), customers).unique()
    return (
        firsts.join(borne.rename({"plan": "borne_plan"}), on="customer_id", how="left")
        .join(past_due.with_columns(is_past_due=pl.lit(True)), on="customer_id", how="left")
        .with_columns(
            pl.col("mrr_amount").fill_null(pl.lit(0, MONEY)),
            pl.col("is_past_due").fill_null(False),
        )
    )


def purchases(orders: pl.LazyFrame, customers: pl.LazyFrame, on: date) -> pl.LazyFrame:
    """customer_id, ``orders``, ``revenue_amount``, first and last day of purchase, their number."""
    is_purchase = pl.col("kind") == "purchase"
    day = pl.when(is_purchase).then("event_date")
    order = pl.when(is_purchase).then("order_id")
    return (
        as_customers(counted(orders).filter(pl.col("event_date") <= on), customers)
        .group_by("customer_id")
        .agg(
            orders=order.drop_nulls().n_unique().cast(pl.Int64),
            revenue_amount=total(pl.col("amount")),
            first_purchase_date=day.min(),
            last_purchase_date=day.max(),
            purchase_days=day.drop_nulls().n_unique().cast(pl.Int64),
        )
    )


def support(
    tickets: pl.LazyFrame, customers: pl.LazyFrame, timezone: str, on: date
) -> pl.LazyFrame:
    """customer_id, ``tickets``, those open at the day's end, first and last day of opening."""
    opened = local_day(pl.col("opened_ts"), timezone)
    resolved = local_day(pl.coalesce("resolved_ts", "closed_ts"), timezone)
    is_open = ~(resolved <= on).fill_null(False)
    known = counted(tickets).filter(pl.col("customer_id").is_not_null(), opened <= on)
    return (
        as_customers(known.select("customer_id", opened=opened, is_open=is_open), customers)
        .group_by("customer_id")
        .agg(
            tickets=pl.len().cast(pl.Int64),
            open_tickets=pl.col("is_open").sum().cast(pl.Int64),
            first_ticket_date=pl.col("opened").min(),
            last_ticket_date=pl.col("opened").max(),
        )
    )


def answers(survey_responses: pl.LazyFrame, on: date) -> pl.LazyFrame:
    """user_id, ``last_answer_date``, and of each kind the latest answer: ``nps_score``, ...

    Recommendation is taken on a scale that ends at ten, as in survey_scores. Reviews are answers,
    but no score here.
    """
    given = counted(survey_responses).filter(
        pl.col("answered_date") <= on, pl.col("person_id").is_not_null()
    )
    found = given.group_by(user_id="person_id").agg(last_answer_date=pl.col("answered_date").max())
    for kind in _KINDS:
        found = found.join(_latest(given, kind), on="user_id", how="left")
    return found


def _latest(given: pl.LazyFrame, kind: str) -> pl.LazyFrame:
    is_scored = pl.col("scale_max") == 10 if kind == "nps" else pl.lit(True)
    order = pl.struct("answered_ts", *ARRIVAL)
    parts = [pl.col(column).alias(f"{kind}_{part}") for part, column in _ANSWER.items()]
    latest = pl.struct(parts).max_by(order).alias("latest")
    of_kind = given.filter(pl.col("kind") == kind, is_scored)
    return of_kind.group_by(user_id="person_id").agg(latest).unnest("latest")


def mails(mail_days: pl.LazyFrame, on: date) -> pl.LazyFrame:
    """user_id, mails delivered and opened in the 28 days that end on the day, and weeks with such.

    The weeks are the four of seven days that end on it. ``opened_weeks`` are of the weeks in which
    a mail was delivered.
    """
    day, first = pl.col("event_date"), on - timedelta(days=ACTIVITY_DAYS - 1)
    weeks = (
        mail_days.filter(day.is_between(first, on))
        .group_by("user_id", week=(pl.lit(on) - day).dt.total_days() // 7)
        .agg(pl.col("delivered_mails", "opened_mails").sum())
    )
    has_mail = pl.col("delivered_mails") > 0
    return weeks.group_by("user_id").agg(
        pl.col("delivered_mails", "opened_mails").sum(),
        mailed_weeks=has_mail.sum().cast(pl.Int64),
        opened_weeks=(has_mail & (pl.col("opened_mails") > 0)).sum().cast(pl.Int64),
    )
