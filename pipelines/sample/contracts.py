"""Subscriptions as they were agreed: who pays what from when to when, and what changed on the way.

Each is drawn as a whole life at once: a trial, paid intervals, a twist in the middle, the end. What
the source sends of it, and what it comes to in a month, are read off this plan.
"""

import polars as pl

from pipelines.sample.clock import DAY, HOUR, Clock, instant, seconds
from pipelines.sample.columns import derived
from pipelines.sample.dice import Dice

FIRST, AGAIN, ADDED = 0, 1, 2
PAUSE, PAST_DUE, CHANGE = "pause", "past due", "change"

_SUBSCRIBER_SHARE = 0.42
_BILLED_IN = ["EUR", "USD", "GBP"]
_TRIAL_SHARE, _CONVERTS_SHARE, _TRIAL_DAYS = 0.3, 0.7, 14
_COMES_BACK_SHARE, _ADDED_SHARE = 0.35, 0.15
_TWISTS: dict[str | None, int] = {None: 58, PAUSE: 12, PAST_DUE: 5, CHANGE: 25}
# Paid months before the end; in whole intervals.
_MONTHS: dict[str | int | None, int] = {1: 9, 2: 9, 3: 8, 5: 9, 8: 9, 12: 10, 18: 8, 120: 38}
_INTERVALS: dict[str | int | None, int] = {0: 62, 1: 20, 2: 10, 3: 8}
# How an interval is written, how many months it lasts at least, and what share of it is a month.
INTERVALS = pl.DataFrame(
    {
        "billing": pl.Series(range(4), dtype=pl.Int64),
        "interval": ["month", "year", "month", "week"],
        "interval_count": pl.Series([None, None, 3, 1], dtype=pl.Int64),
        "months": pl.Series([1, 12, 3, 1], dtype=pl.Int64),
        "multiplier": pl.Series([1, 1, 1, 52], dtype=pl.Int64),
        "divisor": pl.Series([1, 12, 3, 12], dtype=pl.Int64),
        "dearness": pl.Series([100, 1_000, 285, 25], dtype=pl.Int64),
    }
)
# Cents a month, before the interval's dearness in hundredths.
PLANS = {"basic": 900, "team": 2_900, "business": 7_900}
ADDED_PLAN, _ADDED_CENTS = "insights", 1_490
_PLAN_WEIGHTS: dict[str | int | None, int] = {0: 55, 1: 32, 2: 13}
_SEATS: dict[str | int | None, int] = {1: 70, 2: 12, 5: 12, 14: 6}
_TWIST_AFTER_DAYS, _TWIST_WITHIN_DAYS = 35, 60
_STEADY_DAYS = 40


def contracts(everybody: pl.DataFrame, clock: Clock, dice: Dice) -> pl.DataFrame:
    """One row per subscription that begins within the sample.

    ``start``, ``paid_from`` (the end of the trial, else the start), ``request`` (when the end was
    asked for) and ``stop`` are seconds; ``converts`` is false where it ended with its trial.
    ``twist`` (null: none) happens at ``turn`` and, a pause or a debt, is over at ``back``; from the
    turn on a change has other ``new_plan``, ``new_cents`` and ``new_seats``.
    """
    first = _drawn(_first(everybody, dice), clock, dice)
    ended = pl.col("converts") & (pl.col("stop") < clock.end)
    again = _drawn(_follow_up(first.filter(ended), AGAIN, _COMES_BACK_SHARE, dice), clock, dice)
    added = _follow_up(first.filter("converts"), ADDED, _ADDED_SHARE, dice)
    return pl.concat([first, again, _drawn(added, clock, dice)])


def _first(everybody: pl.DataFrame, dice: Dice) -> pl.DataFrame:
    person = pl.col("person")
    start = pl.col("since") + HOUR + dice.below(25 * DAY, person, "subscribes when")
    drawn = derived(
        everybody,
        dice.chance(_SUBSCRIBER_SHARE, person, "subscribes").alias("subscribes"),
        start.alias("start"),
        pl.lit(FIRST, dtype=pl.Int64).alias("order"),
    )
    billed = pl.when(pl.col("currency").is_in(_BILLED_IN)).then("currency").otherwise(pl.lit("USD"))
    begun = drawn.filter("subscribes").with_columns(billed.alias("currency"))
    return begun.select("person", "customer_id", "currency", "start", "order")


def _follow_up(before: pl.DataFrame, order: int, share: float, dice: Dice) -> pl.DataFrame:
    """Another subscription of some: some time after the end, or beside the first one."""
    person = pl.col("person")
    origin = pl.col("stop" if order == AGAIN else "paid_from")
    start = origin + DAY * (35 + dice.below(90, person, f"next start {order}"))
    drawn = derived(
        before.select("person", "customer_id", "currency", "paid_from", "stop"),
        dice.chance(share, person, f"has another {order}").alias("has"),
        start.alias("start"),
        pl.lit(order, dtype=pl.Int64).alias("order"),
    )
    return drawn.filter("has").select("person", "customer_id", "currency", "start", "order")


def _drawn(begun: pl.DataFrame, clock: Clock, dice: Dice) -> pl.DataFrame:
    """The whole lives of subscriptions of which the start is known."""
    begun = begun.filter(pl.col("start") < clock.end)
    begun = begun.with_columns((pl.col("person") * 4 + pl.col("order")).alias("contract"))
    key, is_first = pl.col("contract"), pl.col("order") == FIRST
    trial = is_first & dice.chance(_TRIAL_SHARE, key, "trial")
    drawn = derived(
        begun,
        trial.alias("has_trial"),
        (~trial | dice.chance(_CONVERTS_SHARE, key, "converts")).alias("converts"),
        dice.pick(_INTERVALS, key, "interval").cast(pl.Int64).alias("billing"),
        dice.pick(_MONTHS, key, "paid months").cast(pl.Int64).alias("paid_months"),
        dice.pick(_SEATS, key, "seats").cast(pl.Int64).alias("seats"),
        dice.pick(_PLAN_WEIGHTS, key, "plan").cast(pl.Int64).alias("level"),
    )
    drawn = drawn.join(INTERVALS, on="billing", how="left", maintain_order="left")
    return _twisted(_ended(drawn, dice), dice)


def _ended(drawn: pl.DataFrame, dice: Dice) -> pl.DataFrame:
    """With the end of the last paid interval, asked for in its last weeks; or of the trial."""
    months = -(-pl.col("paid_months") // pl.col("months")) * pl.col("months")
    paid_from = pl.col("start") + pl.when("has_trial").then(_TRIAL_DAYS * DAY).otherwise(0)
    stop = seconds(instant(pl.col("paid_from")).dt.offset_by(pl.format("{}mo", months)))
    asked = pl.col("stop") - dice.below(25 * DAY, pl.col("contract"), "asked when") - HOUR
    drawn = drawn.with_columns(paid_from.alias("paid_from"))
    drawn = drawn.with_columns(
        pl.when("converts").then(stop).otherwise("paid_from").cast(pl.Int64).alias("stop")
    )
    return derived(drawn, pl.max_horizontal(asked, pl.col("paid_from") + HOUR).alias("request"))


def _twisted(drawn: pl.DataFrame, dice: Dice) -> pl.DataFrame:
    """With what happens in the middle, where there is time for it."""
    key = pl.col("contract")
    turn = pl.col("paid_from") + _TWIST_AFTER_DAYS * DAY
    turn = turn + dice.below(_TWIST_WITHIN_DAYS * DAY, key, "turn")
    drawn = derived(drawn, turn.alias("turn"))
    back = pl.col("turn") + 10 * DAY + dice.below(40 * DAY, key, "back")
    drawn = derived(drawn, back.alias("back"))
    fits = (
        pl.col("converts")
        & (pl.col("order") == FIRST)
        & (pl.col("back") + _STEADY_DAYS * DAY < pl.col("stop"))
    )
    twist = pl.when(fits).then(dice.pick(_TWISTS, key, "twist"))
    level = dice.below(len(PLANS), key, "new plan")
    drawn = derived(drawn, twist.alias("twist"), level.alias("new_level"))
    same = pl.col("new_level") == pl.col("level")
    # Who stays on their plan buys as many seats again.
    return drawn.with_columns(
        *_priced("level", "plan", "cents"),
        *_priced("new_level", "new_plan", "new_cents"),
        pl.when(same).then(2 * pl.col("seats")).otherwise("seats").alias("new_seats"),
    )


def _priced(level: str, plan: str, cents: str) -> list[pl.Expr]:
    names, prices = pl.Series(list(PLANS)), pl.Series(list(PLANS.values()))
    is_added = pl.col("order") == ADDED
    price = pl.when(is_added).then(_ADDED_CENTS).otherwise(pl.lit(prices).gather(pl.col(level)))
    name = pl.when(is_added).then(pl.lit(ADDED_PLAN)).otherwise(pl.lit(names).gather(pl.col(level)))
    return [
        name.alias(plan),
        (price.cast(pl.Int64) * pl.col("dearness") // 100).alias(cents),
    ]
