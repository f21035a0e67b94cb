"""What the contracts come to: recurring revenue and paying customers at each month's end."""

from datetime import date
from typing import Any

import polars as pl

from pipelines.sample.clock import Clock, day_of
from pipelines.sample.contracts import CHANGE, PAUSE
from pipelines.sample.rates import money_text, reported, with_rate

_MOVEMENTS = ("new", "expansion", "contraction", "churn", "reactivation")


def revenue_truths(
    agreed: pl.DataFrame, rates_in_force: pl.DataFrame, clock: Clock
) -> dict[str, Any]:
    """Paying customers and their MRR at each month's end, and how they came and went."""
    paid = _paid(agreed, rates_in_force)
    months = _customer_months(paid, clock)
    return {
        "subscriptions": agreed.height,
        "paying_daily": _paying_daily(paid, clock),
        "monthly": [_told(month) for month in months.partition_by("month", maintain_order=True)],
    }


def _paid(agreed: pl.DataFrame, rates_in_force: pl.DataFrame) -> pl.DataFrame:
    """Stretches of days, from ``first`` to before ``until``, on whose last instant one paid.

    A price is turned at the rate of the day on which its own row of the subscription starts.
    """
    converted = agreed.filter("converts").with_columns(pl.col("start").alias("priced"))
    turned, paused = pl.col("twist") == CHANGE, pl.col("twist") == PAUSE
    halves = (turned | paused).fill_null(False)
    before = converted.with_columns(
        pl.when(halves).then("turn").otherwise("stop").alias("until"),
        pl.col("paid_from").alias("first"),
    )
    after = converted.filter(halves).with_columns(
        pl.col("stop").alias("until"),
        pl.when(paused).then("back").otherwise("turn").alias("first"),
        pl.when(turned).then("turn").otherwise("start").alias("priced"),
        *(
            pl.when(turned).then(f"new_{name}").otherwise(name).alias(name)
            for name in ("cents", "seats")
        ),
    )
    stretches = with_rate(
        pl.concat([before, after.select(before.columns)]), rates_in_force, "priced"
    )
    mrr = reported(pl.col("cents") * pl.col("seats"), pl.col("multiplier"), pl.col("divisor"))
    return stretches.select(
        "customer_id", day_of(pl.col("first")), day_of(pl.col("until")), mrr.alias("mrr_units")
    )


def _paying_daily(paid: pl.DataFrame, clock: Clock) -> list[dict[str, Any]]:
    """Paying customers at the end of each day on which events land."""
    days = [clock.options.date(day) for day in range(clock.options.days)]
    return [
        {"date": str(day), "customers": paid.filter(_holds(day))["customer_id"].n_unique()}
        for day in days
    ]


def _holds(day: date) -> pl.Expr:
    return (pl.col("first") <= day) & (day < pl.col("until"))


def _customer_months(paid: pl.DataFrame, clock: Clock) -> pl.DataFrame:
    """``opening`` and ``closing`` MRR of every customer who has or had any, month by month.

    ``month``, ``customer_id``, ``had`` (whether there was a closing above zero before).
    """
    by_month = []
    for month, end in clock.month_ends().iter_rows():
        sums = paid.filter(_holds(end)).group_by("customer_id").agg(pl.col("mrr_units").sum())
        by_month.append(sums.with_columns(pl.lit(month).alias("month")))
    grid = clock.month_ends().select("month").join(paid.select("customer_id").unique(), how="cross")
    months = grid.join(pl.concat(by_month), on=["month", "customer_id"], how="left")
    closing = pl.col("closing")
    return (
        months.with_columns(pl.col("mrr_units").fill_null(0).alias("closing"))
        .sort("month", "customer_id")
        .with_columns(
            closing.shift(1, fill_value=0).over("customer_id", order_by="month").alias("opening"),
            (closing.cum_sum() - closing > 0).over("customer_id", order_by="month").alias("had"),
        )
        .with_columns(_movement().alias("movement"))
    )


def _movement() -> pl.Expr:
    opening, closing = pl.col("opening"), pl.col("closing")
    return (
        pl.when((opening == 0) & (closing > 0))
        .then(pl.when("had").then(pl.lit("reactivation")).otherwise(pl.lit("new")))
        .when((opening > 0) & (closing == 0))
        .then(pl.lit("churn"))
        .when(closing > opening)
        .then(pl.lit("expansion"))
        .when(closing < opening)
        .then(pl.lit("contraction"))
    )


def _told(month: pl.DataFrame) -> dict[str, Any]:
    change = pl.col("closing") - pl.col("opening")
    moved = month.drop_nulls("movement").group_by("movement").agg(pl.len(), change.sum())
    found = {name: (people, units) for name, people, units in moved.iter_rows()}
    people = {name: found.get(name, (0, 0))[0] for name in _MOVEMENTS}
    return {
        "month": str(month["month"][0]),
        "customers_start": month.filter(pl.col("opening") > 0).height,
        "customers_end": month.filter(pl.col("closing") > 0).height,
        "new_customers": people["new"],
        "reactivated_customers": people["reactivation"],
        "lost_customers": people["churn"],
        "opening_mrr_amount": money_text(int(month["opening"].sum())),
        "closing_mrr_amount": money_text(int(month["closing"].sum())),
        **{f"{name}_amount": money_text(found.get(name, (0, 0))[1]) for name in _MOVEMENTS},
    }
