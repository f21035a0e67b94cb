"""What the source ``subscriptions`` sends of the contracts: a row for each change, and no more."""

import polars as pl

from pipelines.sample.clock import Clock
from pipelines.sample.contracts import CHANGE, PAST_DUE, PAUSE
from pipelines.sample.dice import Dice
from pipelines.sample.exports import Export, Flaw
from pipelines.sample.rates import price
from pipelines.sample.revenue import revenue_truths

_MOST_STATES = 8
_FLAWS: dict[str, Flaw] = {
    "currency_bad": {"currency": pl.lit("E")},
    "customer_missing": {"customer_id": None},
    "interval_bad": {"interval": pl.lit("fortnight")},
    "amount_negative": {"amount": -pl.col("amount") - 1},
}


def subscription_rows(
    agreed: pl.DataFrame, rates_in_force: pl.DataFrame, clock: Clock, dice: Dice
) -> Export:
    """The states of all subscriptions as they come to be known."""
    states = _states(agreed, dice).filter(pl.col("updated_ts") < clock.end)
    number = pl.col("contract").cast(pl.String).str.zfill(8)
    rows = states.sort("contract", "state").select(
        pl.concat_str(pl.lit("sub"), number).alias("subscription_id"),
        "customer_id",
        "plan",
        price(pl.col("cents")).alias("amount"),
        "currency",
        "interval",
        "interval_count",
        pl.col("seats").alias("quantity"),
        "status",
        "started_ts",
        "ended_ts",
        "trial_end_ts",
        "cancel_at_ts",
        "updated_ts",
        pl.col("updated_ts").alias("at"),
        (pl.col("contract") * _MOST_STATES + pl.col("state")).alias("key"),
    )
    return Export(
        "subscriptions",
        rows,
        identity=("subscription_id", "started_ts", "updated_ts"),
        flaws=_FLAWS,
        truths=revenue_truths(agreed, rates_in_force, clock),
    )


def _states(agreed: pl.DataFrame, dice: Dice) -> pl.DataFrame:
    """All states, numbered in the order in which they follow one another."""
    turn, back, stop = pl.col("turn"), pl.col("back"), pl.col("stop")
    is_changed = (pl.col("twist") == CHANGE).fill_null(False)
    first = _first_states(agreed)
    active = first.with_columns(pl.lit("active").alias("status"))
    changed = active.filter(is_changed).with_columns(
        turn.alias("started_ts"),
        pl.lit(None, dtype=pl.Int64).alias("trial_end_ts"),
        *(pl.col(f"new_{name}").alias(name) for name in ("plan", "cents", "seats")),
    )
    # Of some plans that were left, the end is said; of the others the next start tells it.
    closed = first.filter(is_changed & dice.chance(0.5, pl.col("contract"), "end is said"))
    last = pl.concat([active.filter(~is_changed), changed])
    held = first.filter(pl.col("twist").is_in([PAUSE, PAST_DUE]))
    return pl.concat(
        [
            first,
            _state(active.filter("has_trial", "converts"), 1, pl.col("paid_from")),
            _state(first.filter(~pl.col("converts")), 1, stop, "canceled", ended_ts=stop),
            _state(closed, 2, turn, "canceled", ended_ts=turn),
            _state(changed, 3, turn),
            _state(held.filter(twist=PAUSE), 2, turn, "paused"),
            _state(held.filter(twist=PAST_DUE), 2, turn, "past_due"),
            _state(held, 3, back, "active"),
            _state(last.filter("converts"), 4, pl.col("request"), cancel_at_ts=stop),
            _state(last.filter("converts"), 5, stop, "canceled", cancel_at_ts=stop, ended_ts=stop),
        ]
    )


def _first_states(agreed: pl.DataFrame) -> pl.DataFrame:
    """The subscriptions as they begin."""
    nothing = pl.lit(None, dtype=pl.Int64)
    status = pl.when("has_trial").then(pl.lit("trialing")).otherwise(pl.lit("active"))
    return agreed.with_columns(
        pl.col("start").alias("started_ts"),
        nothing.alias("ended_ts"),
        pl.when("has_trial").then("paid_from").alias("trial_end_ts"),
        nothing.alias("cancel_at_ts"),
        status.alias("status"),
        pl.col("start").alias("updated_ts"),
        pl.lit(0, dtype=pl.Int64).alias("state"),
    )


def _state(
    rows: pl.DataFrame, state: int, at: pl.Expr, status: str | None = None, **ends: pl.Expr
) -> pl.DataFrame:
    said = {} if status is None else {"status": pl.lit(status)}
    return rows.with_columns(**said, **ends, updated_ts=at, state=pl.lit(state, dtype=pl.Int64))
