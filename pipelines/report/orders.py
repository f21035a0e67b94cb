"""What customers order, and how many customers that makes."""

import altair as alt
import polars as pl

from pipelines.pages.words import number
from pipelines.report.drawing import (
    BLUE,
    GREEN,
    RED,
    SKY,
    amount_axis,
    drawn,
    lighter_so_far,
    period_axis,
    values,
)
from pipelines.report.published import Published
from pipelines.report.sections import (
    Content,
    Figure,
    Numbers,
    Section,
    count_column,
    day_column,
    money_column,
    month_so_far,
    period_label,
    share_column,
    whole_column,
)
from pipelines.report.stacked import stacked_bars
from pipelines.report.topics import Topic

_MONTHS = 24
_CUSTOMERS = "churn_by_inactivity_monthly"
_MOVES = {
    "new": ("new_customers", GREEN, 1),
    "back again": ("reactivated_customers", SKY, 1),
    "lost": ("lost_customers", RED, -1),
}

_TOPIC = Topic(
    "orders",
    "Orders",
    "What do customers buy, and do they go on buying?",
    "Orders of each month, less what was given back in it. Whoever bought in the last 90 days, if "
    "the settings say nothing else, is a customer, and is lost when that is over.",
    "clv_monthly",
    "orders",
)


def orders(published: Published, currency: str) -> Section:
    """Orders and their worth by month, and the customers that were won and lost."""
    return _TOPIC.section(
        published,
        lambda table: table.filter(model="bg_nbd", dimension="all").sort("month").collect(),
        lambda months: Content([_worth(months.tail(_MONTHS), currency), *_customers(published)]),
    )


def _worth(months: pl.DataFrame, currency: str) -> Figure:
    labels = [period_label("month", day) for day in months["month"]]
    rows = [
        {
            "period": label,
            "amount": float(row["revenue_amount"]),
            "is_complete": row["is_complete"],
        }
        for label, row in zip(labels, months.iter_rows(named=True), strict=True)
    ]
    chart = (
        alt.Chart(values(rows))
        .mark_bar(color=BLUE)
        .encode(x=period_axis(labels), y=amount_axis("amount", currency), opacity=lighter_so_far())
    )
    last = months.row(-1, named=True)
    alternative = (
        f"Bar chart of orders in {currency} for the last {months.height} months. In "
        f"{month_so_far(last)} they brought {number(last['revenue_amount'])}; their number was "
        f"{number(last['orders'])}."
    )
    return Figure(
        "order-worth",
        "What orders brought in each month",
        "Each bar is the worth of the month's orders, less refunds. Lighter: the month is not "
        "over.",
        drawn(chart, "order-worth", alternative, 280),
        Numbers(
            [
                day_column("month", "Month of"),
                count_column("orders", "Orders"),
                money_column("revenue_amount", "Worth"),
                money_column("mean_order_amount", "Mean order"),
                count_column("customers", "Customers at the end"),
                whole_column(),
            ],
            months.reverse(),
        ),
        _TOPIC.table,
    )


def _customers(published: Published) -> list[Figure]:
    table = published.scan(_CUSTOMERS)
    months = pl.DataFrame() if table is None else table.sort("month").collect().tail(_MONTHS)
    return [] if months.is_empty() else [_moves(months)]


def _moves(months: pl.DataFrame) -> Figure:
    chart = stacked_bars(months, "month", "month", _MOVES, "customers")
    last = months.row(-1, named=True)
    parts = ", ".join(f"{number(last[column])} {name}" for name, (column, *_) in _MOVES.items())
    alternative = (
        f"Stacked bars of customers won and lost in the last {months.height} months. In "
        f"{month_so_far(last)}: {parts}, {number(last['customers_end'])} at the end."
    )
    moves = [count_column(column, name.capitalize()) for name, (column, *_) in _MOVES.items()]
    return Figure(
        "order-customers",
        "Customers won and lost in each month",
        "Above zero: who bought for the first time, or again after being lost. Below: who "
        "stopped buying. Lighter: the month is not over, and more may be lost.",
        drawn(chart, "order-customers", alternative, 280),
        Numbers(
            [
                day_column("month", "Month of"),
                count_column("customers_start", "At the start"),
                *moves,
                count_column("customers_end", "At the end"),
                share_column("churn_rate", "Lost of those at the start"),
                whole_column(),
            ],
            months.reverse(),
        ),
        _CUSTOMERS,
    )
