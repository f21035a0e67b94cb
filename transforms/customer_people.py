"""Who is a customer at all: everybody whom a source names, and since when."""

from datetime import date

import polars as pl

from transforms.calendar import local_day
from transforms.customer_facts import as_customers
from transforms.customer_states import Sources
from transforms.fates import counted
from transforms.people import as_people


def everybody(
    sources: Sources, survey_responses: pl.LazyFrame, known_users: pl.LazyFrame, on: date
) -> pl.LazyFrame:
    """customer_id, user_id, ``first_told_date``, and ``last_started_date`` of a subscription.

    A day after ``on`` makes nobody known; a customer without a day is known all the same. What is
    told of a person is told of every customer who is that person.
    """
    of_customers = pl.concat(_of_customers(sources)).filter(_is_by(on))
    of_people = pl.concat(_of_people(survey_responses, known_users)).filter(_is_by(on))
    firsts = (
        as_people(of_people, sources.customers)
        .group_by("user_id")
        .agg(person_day=pl.col("day").min())
    )
    found = pl.concat([of_customers, of_people.with_columns(day=pl.lit(None, pl.Date))])
    customers = (
        as_customers(found, sources.customers)
        .group_by("customer_id")
        .agg(
            customer_day=pl.col("day").min(),
            last_started_date=pl.when("is_start").then("day").max(),
        )
    )
    return (
        as_people(customers, sources.customers)
        .join(firsts, on="user_id", how="left")
        .select(
            "customer_id",
            "user_id",
            "last_started_date",
            first_told_date=pl.min_horizontal("customer_day", "person_day"),
        )
    )


def _is_by(on: date) -> pl.Expr:
    return pl.col("day").is_null() | (pl.col("day") <= on)


def _of_customers(sources: Sources) -> list[pl.LazyFrame]:
    """Ids of customers and the days on which a source tells of them."""
    known = {
        "created_ts": sources.customers,
        "started_ts": sources.subscriptions,
        "ordered_ts": sources.orders,
        "opened_ts": sources.tickets,
    }
    return [
        counted(rows)
        .filter(pl.col("customer_id").is_not_null())
        .select(
            "customer_id",
            day=local_day(pl.col(instant), sources.timezone),
            is_start=pl.lit(instant == "started_ts"),
        )
        for instant, rows in known.items()
    ]


def _of_people(survey_responses: pl.LazyFrame, known_users: pl.LazyFrame) -> list[pl.LazyFrame]:
    """Ids of people, as respondents and as users, and the days on which a source tells of them."""
    is_start = pl.lit(False).alias("is_start")
    asked = pl.min_horizontal("asked_date", "answered_date").alias("day")
    respondents = counted(survey_responses).filter(pl.col("respondent_id").is_not_null())
    return [
        respondents.select(pl.col("respondent_id").alias("customer_id"), asked, is_start),
        known_users.select(
            pl.col("user_id").alias("customer_id"), pl.col("first_date").alias("day"), is_start
        ),
    ]
