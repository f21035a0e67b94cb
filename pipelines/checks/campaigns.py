"""What must hold between the tables of campaigns and mails and what they are made from."""

import polars as pl

from pipelines.checks.check import Check, Tables
from schemas.base import ALL
from transforms.fates import counted

# Tables whose last days lie within the horizon of every source that campaigns_daily has.
WITNESSES = ("clv_monthly", "lifecycle")


def differing_campaigns(tables: Tables) -> pl.LazyFrame:
    """Days on which the campaigns' costs or revenue are not those of the facts."""
    day = pl.col("event_date").alias("date")
    last = _last_whole_day(tables)
    daily = tables["campaigns_daily"].group_by("date")
    costs = counted(tables["campaign_costs"]).group_by(day)
    orders = counted(tables["orders"]).group_by(day)
    known = (
        daily.agg(pl.col("cost_amount", "revenue_amount").sum())
        .join(costs.agg(spent=pl.col("cost_amount").sum()), on="date", how="full", coalesce=True)
        .join(orders.agg(earned=pl.col("amount").sum()), on="date", how="full", coalesce=True)
        .join(last, how="cross")
        .filter(pl.col("date") <= pl.col("last"))
    )
    return known.filter(_is_apart("cost_amount", "spent") | _is_apart("revenue_amount", "earned"))


def differing_new_customers(tables: Tables) -> pl.LazyFrame:
    """Months whose campaigns did not win the new customers of ``clv_monthly``."""
    month = pl.col("date").dt.month_start().alias("month")
    won = tables["campaigns_daily"].group_by(month).agg(won=pl.col("new_customers").sum())
    months = tables["clv_monthly"].filter("is_complete", model="bg_nbd", dimension=ALL)
    return (
        months.select("month", "new_customers")
        .join(_last_whole_day(tables), how="cross")
        .filter(pl.col("month").dt.month_end() <= pl.col("last"))
        .join(won, on="month", how="left")
        .filter(_is_apart("new_customers", "won"))
    )


def differing_mailed(tables: Tables) -> pl.LazyFrame:
    """The last day, if those mailed in its 28 days are not whom a mail was delivered to."""
    first, last = pl.col("day") - pl.duration(days=27), pl.col("day")
    days = tables["lifecycle"].filter(grain="day").select(day=pl.col("period_start").max())
    habit = tables["email_habit"].filter(grain="day")
    people = (
        tables["mail_days"]
        .filter(pl.col("delivered_mails") > 0)
        .join(days, how="cross")
        .filter(pl.col("event_date").is_between(first, last))
        .select(delivered_to=pl.col("user_id").n_unique().cast(pl.Int64))
    )
    return (
        days.drop_nulls()
        .join(habit, left_on="day", right_on="period_start", how="left")
        .select("day", "mailed_customers")
        .join(people, how="cross")
        .filter(_is_apart("mailed_customers", "delivered_to"))
    )


def _last_whole_day(tables: Tables) -> pl.LazyFrame:
    """One row, ``last``: up to this day ``campaigns_daily`` must be whole; null if none is known.

    Its own last day may come too early, on days without anything. The end of the last complete
    month of lifetime value lies within the horizons of orders and costs, the last day of the
    lifecycle within that of events.
    """
    own = tables["campaigns_daily"].select(own=pl.col("date").max())
    months = tables["clv_monthly"].filter("is_complete")
    ended = months.select(ended=pl.col("month").max().dt.month_end())
    days = tables["lifecycle"].filter(grain="day").select(seen=pl.col("period_start").max())
    both = pl.col("ended").is_not_null() & pl.col("seen").is_not_null()
    within = pl.when(both).then(pl.min_horizontal("ended", "seen"))
    return pl.concat([own, ended, days], how="horizontal").select(
        last=pl.max_horizontal("own", within)
    )


def _is_apart(left: str, right: str) -> pl.Expr:
    """Two counts or amounts differ; what is not there is zero."""
    return pl.col(left).fill_null(0) != pl.col(right).fill_null(0)


CAMPAIGNS_CHECKS = (
    Check(
        "campaigns_are_costs_and_orders",
        "campaigns_daily",
        ("campaign_costs", "orders", *WITNESSES),
        "Costs and revenue of the campaigns of a day are those that count.",
        differing_campaigns,
    ),
    Check(
        "campaigns_win_the_new_customers",
        "campaigns_daily",
        WITNESSES,
        "The new customers of a month's campaigns are those of clv_monthly.",
        differing_new_customers,
    ),
    Check(
        "mailed_customers_got_mails",
        "email_habit",
        ("mail_days", "lifecycle"),
        "Those mailed in the last 28 days are the people to whom a mail was delivered.",
        differing_mailed,
    ),
)
