"""The customers: users since they signed up or longer, and others who never use the product.

A customer has the id of the user, but for some, whose users the source ``customers`` maps.
"""

import polars as pl

from pipelines.sample.clock import DAY, HISTORY_DAYS, Clock
from pipelines.sample.columns import derived
from pipelines.sample.dice import Dice
from pipelines.sample.exports import Export
from pipelines.sample.people import STAFF_COUNT, home, user_id
from pipelines.sample.plan import Plan

# Those who come with the launch may have been customers before anything was tracked.
_LAUNCH_DAYS = 10
_OLD_SHARE = 0.7
_OFFLINE_PER_USERS = 4
_MAPPED_SHARE = 0.05
_MOVED_SHARE = 0.06
_STAFF_KEYS = 1 << 40
_SEGMENTS: dict[str | None, int] = {"small": 55, "middle": 25, "large": 8, None: 12}
_CURRENCIES: dict[str | None, int] = {"EUR": 62, "USD": 22, "GBP": 12, "AED": 4}


def customers(plan: Plan, clock: Clock, dice: Dice) -> pl.DataFrame:
    """One row per customer, in the order of ``person``.

    ``person`` is a number, ``since`` the second at which they became one, ``respondent_id`` the id
    by which others than the shop know them, ``currency`` what they pay in.
    """
    person = pl.col("person")
    everybody = pl.concat([_users(plan, clock, dice), _offline(plan, clock, dice)])
    of_day = dice.below(DAY, person, "customer since")
    everybody = derived(
        everybody.with_columns(pl.lit(0, dtype=pl.Int32).alias("event_day")),
        (pl.col("since_day") * DAY + of_day).alias("since"),
        pl.when("is_user").then(user_id(person)).otherwise(_id("k")).alias("respondent_id"),
        (pl.col("is_user") & dice.chance(_MAPPED_SHARE, person, "mapped")).alias("is_mapped"),
        dice.pick(_SEGMENTS, person, "segment").alias("segment"),
        dice.pick(_CURRENCIES, person, "currency").alias("currency"),
        home(dice)[0],
    )
    own = pl.when("is_mapped").then(_id("c")).otherwise("respondent_id").alias("customer_id")
    return everybody.with_columns(own).select(
        "person",
        "customer_id",
        "respondent_id",
        "is_mapped",
        "since",
        "segment",
        "country",
        "currency",
    )


def _id(letter: str) -> pl.Expr:
    return pl.concat_str(pl.lit(letter), pl.col("person").cast(pl.String).str.zfill(7))


def _users(plan: Plan, clock: Clock, dice: Dice) -> pl.DataFrame:
    people = plan.people.drop_nulls("signup_day").with_columns(pl.col("person").cast(pl.Int64))
    person = pl.col("person")
    is_old = (pl.col("first_day") < _LAUNCH_DAYS) & dice.chance(_OLD_SHARE, person, "old customer")
    before = clock.history + dice.below(HISTORY_DAYS, person, "old since")
    since_day = pl.when(is_old).then(before).otherwise(clock.first + pl.col("signup_day"))
    return derived(people, since_day.alias("since_day"), pl.lit(True).alias("is_user")).select(
        "person", "since_day", "is_user"
    )


def _offline(plan: Plan, clock: Clock, dice: Dice) -> pl.DataFrame:
    """Customers who are not among the people of the events."""
    first, count = plan.people.height, -(-clock.options.users // _OFFLINE_PER_USERS)
    since_day = clock.history + dice.below(
        HISTORY_DAYS + clock.options.days, pl.col("person"), "offline since"
    )
    people = pl.DataFrame({"person": pl.int_range(first, first + count, eager=True)})
    return derived(people, since_day.alias("since_day"), pl.lit(False).alias("is_user"))


def customer_rows(everybody: pl.DataFrame, clock: Clock, dice: Dice) -> Export:
    """Each customer when they come, some again when they move to another segment, and staff."""
    person = pl.col("person")
    moves = dice.chance(_MOVED_SHARE, person, "moved")
    when = pl.col("since") + DAY * (20 + dice.below(120, person, "moved when"))
    moved = derived(everybody, moves.alias("moves"), when.alias("at")).filter(
        pl.col("moves") & (pl.col("at") < clock.end)
    )
    first = everybody.with_columns(pl.col("since").alias("at"), (person * 2).alias("key"))
    again = moved.with_columns(pl.lit("large").alias("segment"), (person * 2 + 1).alias("key"))
    rows = pl.concat([first, again.select(first.columns)]).select(
        "customer_id",
        pl.when("is_mapped").then("respondent_id").alias("user_id"),
        pl.col("since").alias("created_ts"),
        "country",
        "segment",
        pl.lit(False).alias("is_staff"),
        "at",
        "key",
    )
    return Export(
        "customers",
        pl.concat([rows, _staff(rows, clock)]),
        identity=("customer_id",),
        arrival_decides=True,
        flaws={"customer_missing": {"customer_id": None}},
        truths={"customers": everybody.height, "staff": STAFF_COUNT},
    )


def _staff(rows: pl.DataFrame, clock: Clock) -> pl.DataFrame:
    """People of the company, who are in the events besides."""
    start = clock.history * DAY
    staff = {
        "customer_id": [f"staff{number}" for number in range(STAFF_COUNT)],
        "key": [_STAFF_KEYS + number for number in range(STAFF_COUNT)],
    }
    said = {"created_ts": start, "is_staff": True, "at": start}
    every = pl.DataFrame(staff).with_columns(
        pl.lit(value).alias(name) for name, value in said.items()
    )
    return pl.concat([rows.clear(), every], how="diagonal_relaxed").cast(rows.schema)
