"""Events that make nobody active: mail, advertisements, and the visits of machines."""

import polars as pl

from pipelines.sample import actions, keys
from pipelines.sample.columns import DAY_MILLISECONDS, complete, derived, instant
from pipelines.sample.dice import Dice
from pipelines.sample.mails import mails, mails_per_day
from pipelines.sample.options import Options
from pipelines.sample.people import STAFF_COUNT, anonymous_id, home, user_id
from pipelines.sample.plan import Plan

_BOT_SHARE = 0.02
_USERS_PER_BOT = 100
# Newsletters leave right after midnight, UTC, before anybody can have clicked on one.
_SENT_AT = 1_000
_OPENED_WITHIN = 9 * 3_600_000
_BOT_AGENT = "Mozilla/5.0 (compatible; TideBot/1.0; +https://tide.example/bot)"
_CRAWLER = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
FLAG, USER_AGENT, STAFF, TEST = "flag", "user_agent", "staff", "staging"
_RULES = {FLAG: 70, USER_AGENT: 15, STAFF: 10, TEST: 5}
_STAGES = 3


def mail_and_ads(plan: Plan, days: range, options: Options, dice: Dice) -> pl.DataFrame:
    """Newsletters to users of any mood, and advertisements shown to those who are none yet."""
    sent = mails(plan, days, options, dice)
    rows = _rows(keys.PASSIVE, days, _STAGES * mails_per_day(plan, options))
    rows = rows.with_columns((pl.col("nth") // _STAGES).alias("mail"))
    rows = rows.join(sent.drop("event_day"), on="mail", maintain_order="left")
    rows = derived(rows, (pl.col("nth") % _STAGES).alias("stage"), *home(dice))
    rows = derived(rows, _mail_or_ad().alias("event_name"))
    rows = rows.filter(pl.col("event_name").is_not_null())
    return _dressed(rows, options, dice)


def _per_day(plan: Plan, share: float, options: Options) -> int:
    return -(-round(plan.events * share) // options.days)


def _rows(kind: int, days: range, per_day: int) -> pl.DataFrame:
    """Equally many rows for each day, numbered through all days of the sample."""
    nth = pl.int_range(days.start * per_day, days.stop * per_day).alias("nth")
    return pl.select(nth).with_columns(
        keys.row_keys(kind, days.start * per_day).alias("key"),
        (pl.col("nth") // per_day).cast(pl.Int32).alias("event_day"),
    )


def _mail_or_ad() -> pl.Expr:
    stage, is_user = pl.col("stage"), pl.col("is_user")
    return (
        pl.when(~is_user & (stage == 0))
        .then(pl.lit("ad_impression"))
        .when(is_user & (stage == 0))
        .then(pl.lit("email_sent"))
        .when(is_user & (stage == 1) & pl.col("bounces"))
        .then(pl.lit("email_bounced"))
        .when(is_user & (stage == 1))
        .then(pl.lit("email_delivered"))
        .when(is_user & pl.col("opens"))
        .then(pl.lit("email_opened"))
    )


def _dressed(rows: pl.DataFrame, options: Options, dice: Dice) -> pl.DataFrame:
    is_user, person, key = pl.col("is_user"), pl.col("person"), pl.col("key")
    opened = pl.when(pl.col("stage") == 2).then(dice.below(_OPENED_WITHIN, key, "opened"))
    since_midnight = _SENT_AT + pl.col("stage") * 60_000 + opened.otherwise(0)
    return complete(
        derived(
            rows,
            keys.event_id(key, dice).alias("event_id"),
            instant(since_midnight, options).alias("event_ts"),
            pl.when(is_user).then(user_id(person)).alias("user_id"),
            pl.when(~is_user).then(anonymous_id(person, dice)).alias("anonymous_id"),
            pl.when(is_user).then(pl.lit("Email")).otherwise(pl.lit("Display")).alias("channel"),
            pl.lit(False).alias("is_bot"),
            pl.when(pl.col("event_name") == "email_opened")
            .then("is_machine")
            .alias("is_machine_open"),
        )
    )


def bots(plan: Plan, days: range, options: Options, dice: Dice) -> pl.DataFrame:
    """Page views that are nobody's, at all hours.

    Of machines that say so, of crawlers that are known by their user agent alone, of staff, and of
    those who try the next release on a host of its own.
    """
    key, rule = pl.col("key"), pl.col("rule")
    bot = dice.below(-(-options.users // _USERS_PER_BOT), key, "which bot")
    rows = _rows(keys.BOT, days, _per_day(plan, _BOT_SHARE, options))
    rows = derived(
        rows,
        keys.event_id(key, dice).alias("event_id"),
        pl.lit("page_view").alias("event_name"),
        instant(dice.below(DAY_MILLISECONDS, key, "bot's time"), options).alias("event_ts"),
        dice.pick(_RULES, key, "left out by").alias("rule"),
        dice.below(STAFF_COUNT, key, "which of staff").cast(pl.String).alias("nth_of_staff"),
        pl.concat_str(pl.lit("bot"), bot.cast(pl.String)).alias("anonymous_id"),
        pl.lit("web").alias("platform"),
        pl.lit(0).alias("offset_minutes"),
    )
    rows = derived(rows, *actions.pages(pl.col("platform"), key, dice))
    agent = pl.when(rule == FLAG).then(pl.lit(_BOT_AGENT))
    url, host = pl.col("page_url"), "://staging."
    return complete(
        derived(
            rows,
            (rule == FLAG).alias("is_bot"),
            agent.when(rule == USER_AGENT).then(pl.lit(_CRAWLER)).alias("user_agent"),
            pl.when(rule == STAFF).then(pl.format("staff{}", "nth_of_staff")).alias("user_id"),
            pl.when(rule != STAFF).then("anonymous_id").alias("anonymous_id"),
            pl.when(rule == TEST)
            .then(url.str.replace("://", host))
            .otherwise(url)
            .alias("page_url"),
        )
    )
