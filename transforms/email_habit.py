"""How many people make a habit of opening mails."""

from datetime import date

import polars as pl

from schemas.base import dtypes
from schemas.email_habit import EmailHabit
from transforms.calendar import (
    DAY,
    MONTH,
    WEEK,
    every_period,
    nth_period,
    period_end,
    period_start,
)
from transforms.division import ratio

_LOOK_BACK = {DAY: 28, WEEK: 4, MONTH: 3}


def email_habit(
    mail_days: pl.LazyFrame, mail_starts: pl.LazyFrame, *, week_start: str, data_through: date
) -> pl.LazyFrame:
    """Every day, week and month from the first delivered mail to the horizon.

    ``mail_days`` reach back over the look back of each period, and ``mail_starts`` to the
    beginning. Groups by person and period.
    """
    known = (
        mail_days.filter(pl.col("event_date") <= data_through)
        .group_by("event_date", "user_id")
        .agg(
            is_delivered=(pl.col("delivered_mails") > 0).any(),
            is_opened=(pl.col("opened_mails") > 0).any(),
        )
    )
    firsts = mail_starts.select(pl.col("first_date").min())
    parts = [
        _changes(known, grain, week_start).with_columns(grain=pl.lit(grain)) for grain in _LOOK_BACK
    ]
    periods = [
        every_period(firsts, grain, week_start=week_start, data_through=data_through).with_columns(
            grain=pl.lit(grain),
            is_complete=period_end(pl.col("period_start"), grain) <= data_through,
        )
        for grain in _LOOK_BACK
    ]
    counts = ["mailed_customers", "some_period_openers", "missing"]
    running = pl.col(counts).fill_null(0).cum_sum().over("grain", order_by="period_start")
    return (
        pl.concat(periods)
        .join(pl.concat(parts), on=["grain", "period_start"], how="left")
        .with_columns(running)
        # Who opened in every period is who did not miss one.
        .with_columns(every_period_openers=pl.col("mailed_customers") - pl.col("missing"))
        .with_columns(
            every_period_open_rate=ratio("every_period_openers", "mailed_customers"),
            some_period_open_rate=ratio("some_period_openers", "mailed_customers"),
        )
        .select(*dtypes(EmailHabit))
    )


def _changes(days: pl.LazyFrame, grain: str, week_start: str) -> pl.LazyFrame:
    """By how much the number of people in the look back changes with a period.

    ``missing`` are the people with a period in which a mail was delivered and none opened.
    """
    persons = (
        days.group_by(
            period_start(pl.col("event_date"), grain, week_start).alias("period"), "user_id"
        )
        .agg(pl.col("is_delivered", "is_opened").any())
        .filter("is_delivered")
    )
    opened = pl.col("is_opened")
    chosen = {
        "mailed_customers": persons,
        "some_period_openers": persons.filter(opened),
        "missing": persons.filter(~opened),
    }
    stretches = [_stretches(some, grain, name) for name, some in chosen.items()]
    return (
        pl.concat(stretches, how="diagonal")
        .group_by("period_start")
        .agg(pl.col(list(chosen)).sum())
    )


def _stretches(persons: pl.LazyFrame, grain: str, name: str) -> pl.LazyFrame:
    """One more where a person enters the look back, one less where they leave it.

    A person stays for as many periods as are looked back over; who comes again before that only
    then begins anew, so that nobody is counted twice.
    """
    start = pl.col("period")
    following = start.shift(-1).over("user_id", order_by="period")
    left = nth_period(start, pl.lit(_LOOK_BACK[grain]), grain)
    known = persons.select(start, stop=pl.min_horizontal(left, following))
    entered = known.group_by(period_start="period").agg(pl.len().cast(pl.Int64).alias(name))
    gone = known.group_by(period_start="stop").agg((-pl.len().cast(pl.Int64)).alias(name))
    return pl.concat([entered, gone])
