"""E-mail campaigns: who got their mails, what they did with them, and what came of it."""

from datetime import date

import polars as pl

from schemas.base import dtypes
from schemas.email_campaigns import KINDS, EmailCampaigns
from transforms.division import ratio
from transforms.fates import counted
from transforms.money import MONEY, total
from transforms.people import as_people

_PERSON = ["campaign", "user_id"]
_OUTCOMES = ["mailed_users", "visiting_users", "converting_users"]


def email_campaigns(
    mail_days: pl.LazyFrame,
    session_days: pl.LazyFrame,
    goal_days: pl.LazyFrame,
    orders: pl.LazyFrame,
    customers: pl.LazyFrame,
    *,
    attribution_days: int,
    data_through: date,
) -> pl.LazyFrame:
    """Every campaign with a mail event, as of the horizon.

    Holds a row for each campaign and person, these people's orders, and the instants of their
    sessions and goals between their first mail and the end of their last window, in memory.
    """
    people = _people(mail_days.filter(pl.col("event_date") <= data_through)).cache()
    mailed = _mailed(people, attribution_days).cache()
    spans = mailed.group_by("user_id").agg(
        first_ts=pl.col("from_ts").min(), last_ts=pl.col("until_ts").max()
    )
    bought = as_people(
        counted(orders).filter(pl.col("event_date") <= data_through), customers
    ).join(spans, on="user_id", how="semi")
    purchases = bought.filter(pl.col("kind") == "purchase").select("user_id", ts="ordered_ts")
    goals = goal_days.filter(pl.col("event_date") <= data_through)
    sessions = session_days.filter(pl.col("date") <= data_through)
    reached = pl.concat([goals.select("user_id", ts="event_ts"), purchases])
    visited = sessions.select("user_id", ts="started_ts")
    followed = _followed(mailed, _in_spans(visited, spans), "visited")
    followed = _followed(followed, _in_spans(reached, spans), "converted")
    return _with_rates(_totals(people), _outcomes(_with_revenue(followed, bought)))


def _people(mail_days: pl.LazyFrame) -> pl.LazyFrame:
    mails = [f"{kind}_mails" for kind in KINDS]
    firsts = ["first_sent_ts", "first_delivered_ts"]
    return mail_days.group_by(_PERSON).agg(pl.col(mails).sum(), pl.col(firsts).min())


def _totals(people: pl.LazyFrame) -> pl.LazyFrame:
    """People and mails of each kind, by campaign."""
    mails = {kind: pl.col(f"{kind}_mails") for kind in KINDS}
    return people.group_by("campaign").agg(
        *((number > 0).sum().cast(pl.Int64).alias(kind) for kind, number in mails.items()),
        *(number.sum() for number in mails.values()),
    )


def _mailed(people: pl.LazyFrame, days: int) -> pl.LazyFrame:
    """Campaign and person of those mailed, with the window that their first mail opens."""
    delivered = people.group_by("campaign").agg(
        is_delivered=pl.col("first_delivered_ts").is_not_null().any()
    )
    first = pl.when("is_delivered").then("first_delivered_ts").otherwise("first_sent_ts")
    return (
        people.join(delivered, on="campaign")
        .select(*_PERSON, from_ts=first)
        .drop_nulls("from_ts")
        .with_columns(until_ts=pl.col("from_ts") + pl.duration(hours=24 * days))
    )


def _in_spans(instants: pl.LazyFrame, spans: pl.LazyFrame) -> pl.LazyFrame:
    """The instants from the start of the person's first window to the end of the last."""
    # What is sorted and searched next would else be all that the recipients ever did.
    return (
        instants.join(spans, on="user_id")
        .filter(pl.col("ts").is_between("first_ts", "last_ts"))
        .select("user_id", "ts")
    )


def _followed(mailed: pl.LazyFrame, instants: pl.LazyFrame, name: str) -> pl.LazyFrame:
    """Add whether one of the person's instants ``ts`` lies in the window."""
    # The first one from the mail on decides: no row is made for each mail and instant.
    return (
        mailed.sort("from_ts")
        .join_asof(
            instants.sort("ts"),
            left_on="from_ts",
            right_on="ts",
            by="user_id",
            strategy="forward",
            coalesce=False,
            check_sortedness=False,
        )
        .with_columns((pl.col("ts") <= pl.col("until_ts")).fill_null(False).alias(name))
        .drop("ts")
    )


def _with_revenue(mailed: pl.LazyFrame, bought: pl.LazyFrame) -> pl.LazyFrame:
    """Add what the person had spent by the end of the window and did not before it."""
    spent = pl.col("amount").cum_sum().over("user_id", order_by="ts")
    running = (
        bought.group_by("user_id", ts="ordered_ts")
        .agg(total(pl.col("amount")))
        .select("user_id", "ts", spent=spent)
        .sort("ts")
    )
    known = mailed
    for name, instant, is_included in (
        ("until", "until_ts", True),
        ("before", "from_ts", False),
    ):
        known = known.sort(instant).join_asof(
            running.rename({"spent": name}),
            left_on=instant,
            right_on="ts",
            by="user_id",
            strategy="backward",
            allow_exact_matches=is_included,
            check_sortedness=False,
        )
    zero = pl.lit(0, MONEY)
    return known.with_columns(
        revenue=pl.col("until").fill_null(zero) - pl.col("before").fill_null(zero)
    )


def _outcomes(followed: pl.LazyFrame) -> pl.LazyFrame:
    return followed.group_by("campaign").agg(
        mailed_users=pl.len().cast(pl.Int64),
        visiting_users=pl.col("visited").sum().cast(pl.Int64),
        converting_users=pl.col("converted").sum().cast(pl.Int64),
        revenue_amount=total(pl.col("revenue")),
    )


def _with_rates(totals: pl.LazyFrame, outcomes: pl.LazyFrame) -> pl.LazyFrame:
    return (
        totals.join(outcomes, on="campaign", how="left")
        .with_columns(
            pl.col(_OUTCOMES).fill_null(0),
            pl.col("revenue_amount").fill_null(pl.lit(0, MONEY)),
            open_rate=ratio("opened", "delivered"),
            click_through_rate=ratio("clicked", "delivered"),
            click_to_open_rate=ratio("clicked", "opened"),
        )
        .select(*dtypes(EmailCampaigns))
    )
