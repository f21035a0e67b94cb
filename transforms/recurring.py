"""Stretches of MRR, and which plan bears it at the end of a month and on each day.

A plan that bears no MRR (free, paused, a trial) is no plan here: ``none``.
"""

from datetime import date

import polars as pl

from transforms.fates import counted
from transforms.money import total

NO_PLAN = "none"
# What a plan is called that a source itself names so.
_PLAN_NAMED_NONE = "(none)"


def stretches(subscriptions: pl.LazyFrame) -> pl.LazyFrame:
    """Days on which a plan bears MRR: customer_id, plan, mrr_amount, from_date, until_date.

    ``until_date`` is excluded, and null while no end is known.
    """
    bears = pl.col("mrr_from_date").is_not_null() & (pl.col("mrr_amount") > 0)
    return (
        counted(subscriptions)
        .filter(bears)
        .select(
            "customer_id",
            pl.col("plan").replace(NO_PLAN, _PLAN_NAMED_NONE),
            "mrr_amount",
            from_date="mrr_from_date",
            until_date="mrr_until_date",
        )
    )


def by_month(rows: pl.LazyFrame, data_through: date) -> pl.LazyFrame:
    """A row per month that a stretch touches, up to the month of the horizon: adds ``month``."""
    last_day = pl.min_horizontal(
        pl.col("until_date").dt.offset_by("-1d"), pl.lit(data_through.replace(day=1))
    )
    begun = pl.col("from_date") <= pl.lit(data_through).dt.month_end()
    months = pl.date_ranges(pl.col("from_date").dt.month_start(), last_day, "1mo")
    return rows.filter(begun).with_columns(month=months).explode("month").drop_nulls("month")


def month_ends(subscriptions: pl.LazyFrame, data_through: date) -> pl.LazyFrame:
    """MRR of each customer at each month's end: customer_id, month, plan, mrr_amount.

    The month that holds ``data_through`` is judged at that day. Only rows above zero.
    """
    edge = pl.min_horizontal(pl.col("month").dt.month_end(), pl.lit(data_through))
    goes_on = pl.col("until_date").is_null() | (pl.col("until_date") > edge)
    at_edge = by_month(stretches(subscriptions), data_through).filter(
        pl.col("from_date") <= edge, goes_on
    )
    return with_bearing_plan(at_edge, ["customer_id", "month"])


def with_bearing_plan(rows: pl.LazyFrame, key: list[str]) -> pl.LazyFrame:
    """One row per key: the sum of ``mrr_amount``, and the plan with most of it, then by name."""
    by_plan = rows.group_by(*key, "plan").agg(total(pl.col("mrr_amount")).alias("mrr_amount"))
    most_then_name = pl.struct(-pl.col("mrr_amount"), pl.col("plan"))
    return by_plan.group_by(key).agg(
        pl.col("plan").min_by(most_then_name), total(pl.col("mrr_amount")).alias("mrr_amount")
    )
