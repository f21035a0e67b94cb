"""Newsletters and what becomes of each, as planned before any event is made."""

import polars as pl

from pipelines.sample import actions
from pipelines.sample.columns import derived
from pipelines.sample.dice import Dice, chosen
from pipelines.sample.options import Options
from pipelines.sample.plan import Plan

_MAILS_SHARE = 0.025
_BOUNCE_SHARE, _OPEN_SHARE, _MACHINE_SHARE = 0.02, 0.35, 0.2
_CLICK_SHARE, _UNSUBSCRIBE_SHARE = 0.9, 0.3
# A click is the second event of a day, and leaving the list the third.
_CLICK_AT, _UNSUBSCRIBE_AT = 1, 2


def mails_per_day(plan: Plan, options: Options) -> int:
    """As many each day, to users and to those who are none yet."""
    return -(-round(plan.events * _MAILS_SHARE) // options.days)


def mails(plan: Plan, days: range, options: Options, dice: Dice) -> pl.DataFrame:
    """One row per ``mail``, numbered through all days: to whom, of which campaign, how it ends.

    Who gets them is drawn without a look at the plan's activity, so that most of them go to people
    who are not active that day, some of whom never were. Where ``is_user`` does not hold, nobody
    has signed up yet, and an advertisement takes the mail's place.
    """
    per_day, mail = mails_per_day(plan, options), pl.col("mail")
    numbers = pl.select(pl.int_range(days.start * per_day, days.stop * per_day).alias("mail"))
    rows = derived(
        numbers.with_columns((mail // per_day).cast(pl.Int32).alias("event_day")),
        dice.below(plan.people.height, mail, "mailed").cast(pl.UInt32).alias("person"),
        actions.campaign(mail, dice).alias("campaign"),
        dice.chance(_BOUNCE_SHARE, mail, "bounces").alias("bounces"),
        dice.chance(_OPEN_SHARE, mail, "opens").alias("opens"),
        dice.chance(_MACHINE_SHARE, mail, "machine open").alias("is_machine"),
        dice.chance(_CLICK_SHARE, mail, "clicks").alias("clicks"),
        dice.chance(_UNSUBSCRIBE_SHARE, mail, "unsubscribes").alias("unsubscribes"),
    )
    signup_day = chosen(plan.people["signup_day"], pl.col("person"))
    opens = pl.col("opens") & ~pl.col("bounces")
    return rows.with_columns(
        (signup_day < pl.col("event_day")).fill_null(False).alias("is_user"), opens.alias("opens")
    )


def clicks(sent: pl.DataFrame, activity: pl.DataFrame) -> pl.DataFrame:
    """Of the active days of the plan those on which a mail is clicked: of several the first one."""
    clicked = sent.filter("is_user", "opens", ~pl.col("is_machine"), "clicks")
    first = clicked.unique(["event_day", "person"], keep="first", maintain_order=True)
    days = activity.filter(pl.col("events") > _CLICK_AT).select("day", "person", "events")
    leaves = pl.col("unsubscribes") & (pl.col("events") > _UNSUBSCRIBE_AT)
    joined = first.join(days, left_on=["event_day", "person"], right_on=["day", "person"])
    return joined.select("event_day", "person", mail_campaign="campaign", unsubscribes=leaves).sort(
        "event_day", "person"
    )


def mail_event() -> pl.Expr:
    """What is done of a mail in the event ``nth`` of a day; null in most."""
    is_clicked, nth = pl.col("mail_campaign").is_not_null(), pl.col("nth")
    return (
        pl.when(is_clicked & (nth == _CLICK_AT))
        .then(pl.lit("email_clicked"))
        .when(is_clicked & pl.col("unsubscribes") & (nth == _UNSUBSCRIBE_AT))
        .then(pl.lit("email_unsubscribed"))
    )
