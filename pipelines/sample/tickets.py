"""Support tickets: opened, replied to, resolved, sometimes reopened and resolved again, closed."""

from typing import Any

import polars as pl

from pipelines.sample.clock import DAY, HOUR, Clock, month_of
from pipelines.sample.columns import derived
from pipelines.sample.dice import Dice
from pipelines.sample.exports import Export

_PER_CUSTOMER: dict[str | int | None, int] = {0: 55, 1: 24, 2: 12, 3: 6, 5: 3}
_MOST_TICKETS = 8
_CHANNELS: dict[str | None, int] = {"email": 45, "chat": 35, "phone": 15, None: 5}
_TIERS: dict[str | None, int] = {"standard": 75, "priority": 20, None: 5}
_STATES = ("opened", "replied", "resolved", "reopened", "resolved_again", "closed")


def tickets(everybody: pl.DataFrame, clock: Clock, dice: Dice) -> pl.DataFrame:
    """One row per ticket: at which second it came into which state (null: it never does)."""
    person = pl.col("person")
    many = dice.pick(_PER_CUSTOMER, person, "tickets").cast(pl.Int64)
    rows = derived(everybody, many.alias("many")).with_columns(
        pl.int_ranges(0, pl.col("many"), dtype=pl.Int64).alias("nth")
    )
    rows = rows.filter(pl.col("many") > 0).explode("nth")
    rows = rows.with_columns((person * _MOST_TICKETS + pl.col("nth")).alias("ticket"))
    key = pl.col("ticket")
    share = dice.below(1_000_000, key, "opened when")
    opened = pl.col("since") + (clock.end - pl.col("since")) * share // 1_000_000
    opened_rows = derived(
        rows,
        opened.alias("opened"),
        dice.pick(_CHANNELS, key, "ticket's channel").alias("channel"),
        dice.pick(_TIERS, person, "tier").alias("tier"),
    )
    return _followed(opened_rows, dice)


def _followed(rows: pl.DataFrame, dice: Dice) -> pl.DataFrame:
    """Most are replied to and resolved; a few are closed without either, a few stay open."""
    key = pl.col("ticket")
    is_easy = dice.chance(0.4, key, "easy")
    work = pl.when(is_easy).then(dice.below(4 * HOUR, key, "short work"))
    rows = derived(
        rows,
        (pl.col("opened") + 120 + dice.below(9 * HOUR, key, "reply")).alias("replied"),
        work.otherwise(dice.below(6 * DAY, key, "long work")).alias("work"),
        dice.pick({"solved": 88, "dropped": 4, "open": 8}, key, "ending").alias("ending"),
        dice.chance(0.08, key, "reopened").alias("returns"),
        dice.below(3 * DAY, key, "reopened when").alias("rest"),
        dice.below(2 * DAY, key, "solved again").alias("more_work"),
    )
    solved = pl.col("ending") == "solved"
    returns = solved & pl.col("returns")
    rows = rows.with_columns(
        pl.when(pl.col("ending") != "dropped").then("replied").alias("replied"),
        pl.when(solved).then(pl.col("replied") + 300 + pl.col("work")).alias("resolved"),
    )
    rows = rows.with_columns(
        pl.when(returns).then(pl.col("resolved") + HOUR + pl.col("rest")).alias("reopened")
    )
    again = pl.col("reopened") + HOUR + pl.col("more_work")
    rows = rows.with_columns(again.alias("resolved_again"))
    settled = pl.coalesce("resolved_again", "resolved") + 3 * DAY
    dropped = pl.col("opened") + 10 * DAY
    closed = pl.when(solved).then(settled).when(pl.col("ending") == "dropped").then(dropped)
    return rows.with_columns(closed.alias("closed"))


def ticket_rows(made: pl.DataFrame, clock: Clock) -> Export:
    """A row whenever a ticket changes its state, which the source says whole each time."""
    states = pl.concat(
        _state(made.filter(pl.col(name) < clock.end), place) for place, name in enumerate(_STATES)
    )
    return Export(
        "tickets",
        states.sort("key"),
        identity=("ticket_id",),
        flaws={"ticket_missing": {"ticket_id": None}, "opened_missing": {"opened_ts": None}},
        truths=_truths(made, clock),
    )


def _state(rows: pl.DataFrame, place: int) -> pl.DataFrame:
    """The tickets as they were known when they came into a state."""
    at = pl.col(_STATES[place])

    def known(name: str) -> pl.Expr:
        return pl.when(pl.col(name) <= at).then(name)

    is_reopened = (known("reopened").is_not_null()) & (known("resolved_again").is_null())
    resolved = pl.coalesce(known("resolved_again"), known("resolved"))
    return rows.select(
        pl.concat_str(pl.lit("t"), pl.col("ticket").cast(pl.String).str.zfill(7)).alias(
            "ticket_id"
        ),
        "customer_id",
        "channel",
        "tier",
        pl.col("opened").alias("opened_ts"),
        known("replied").alias("first_reply_ts"),
        pl.when(~is_reopened).then(resolved).alias("resolved_ts"),
        known("closed").alias("closed_ts"),
        known("reopened").is_not_null().cast(pl.Int64).alias("reopened_count"),
        at.alias("updated_ts"),
        at.alias("at"),
        (pl.col("ticket") * len(_STATES) + place).alias("key"),
    )


def settled(made: pl.DataFrame, clock: Clock) -> pl.DataFrame:
    """``done``: when a ticket was last resolved, else closed, as it stands at the end."""
    known = [pl.when(pl.col(name) < clock.end).then(name).alias(name) for name in _STATES]
    seen = made.filter(pl.col("opened") < clock.end).with_columns(known)
    is_open = pl.col("reopened").is_not_null() & pl.col("resolved_again").is_null()
    resolved = pl.when(~is_open).then(pl.coalesce("resolved_again", "resolved"))
    return seen.with_columns(pl.coalesce(resolved, "closed").alias("done"))


def _truths(made: pl.DataFrame, clock: Clock) -> dict[str, Any]:
    seen = settled(made, clock)
    done = seen.drop_nulls("done").with_columns(month_of(pl.col("done")).alias("month"))
    opened = seen.with_columns(month_of(pl.col("opened")).alias("month"))
    resolved = done.group_by("month").agg(
        pl.len().alias("resolved"),
        pl.col("reopened").count(),
        pl.col("replied").count(),
        (pl.col("done") - pl.col("opened")).sum().alias("resolution_seconds"),
        (pl.col("replied") - pl.col("opened")).sum().alias("first_reply_seconds"),
    )
    begun = opened.group_by("month").agg(
        pl.len().alias("opened"), pl.col("done").is_null().sum().alias("still_open")
    )
    months = clock.month_ends().select("month").join(begun, on="month", how="left")
    months = months.join(resolved, on="month", how="left").fill_null(0).sort("month")
    return {
        "tickets": seen.height,
        "reopened": seen["reopened"].count(),
        "monthly": [{**row, "month": str(row["month"])} for row in months.iter_rows(named=True)],
    }
