"""What recurring revenue is, and what moved it."""

import altair as alt
import polars as pl

from pipelines.pages.words import number, percent
from pipelines.report.drawing import (
    BLUE,
    GREEN,
    ORANGE,
    PURPLE,
    RED,
    SKY,
    amount_axis,
    drawn,
    hollow_so_far,
    period_axis,
    values,
)
from pipelines.report.published import Published
from pipelines.report.sections import (
    Content,
    Figure,
    Numbers,
    Section,
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
_MOVEMENTS = {
    "new": ("new_mrr_amount", GREEN, 1),
    "reactivation": ("reactivation_mrr_amount", SKY, 1),
    "expansion": ("expansion_mrr_amount", BLUE, 1),
    "contraction": ("contraction_mrr_amount", ORANGE, 1),
    "churn": ("churn_mrr_amount", RED, 1),
}


_TOPIC = Topic(
    "revenue",
    "Revenue",
    "What recurs as revenue, and what moved it?",
    "Monthly recurring revenue (MRR) is what subscriptions bring in a month, counted on the "
    "month's last day. Opening MRR and all movements make the closing MRR, to the cent.",
    "mrr_movements_monthly",
    "subscriptions",
)


def revenue(published: Published, currency: str) -> Section:
    """Movements of the monthly recurring revenue, and what each month closed with."""
    return _TOPIC.section(
        published,
        lambda table: table.filter(dimension="all").sort("month").collect().tail(_MONTHS),
        lambda months: Content([_movements(months, currency), _closing(months, currency)]),
    )


def _movements(months: pl.DataFrame, currency: str) -> Figure:
    chart = stacked_bars(months, "month", "month", _MOVEMENTS, currency)
    last = months.row(-1, named=True)
    moves = [money_column(column, name.capitalize()) for name, (column, *_) in _MOVEMENTS.items()]
    parts = ", ".join(f"{name} {number(last[column])}" for name, (column, *_) in _MOVEMENTS.items())
    alternative = (
        f"Stacked bars of MRR movements in {currency} for the last {months.height} months. In "
        f"{month_so_far(last)}: {parts}."
    )
    return Figure(
        "mrr-movements",
        "What moved MRR in each month",
        "Above zero: customers who pay for the first time, again, or more. Below: "
        "customers who pay "
        "less, or left. Lighter: the month is not over.",
        drawn(chart, "mrr-movements", alternative, 280),
        Numbers(
            [
                day_column("month", "Month of"),
                money_column("opening_mrr_amount", "Opening"),
                *moves,
                money_column("closing_mrr_amount", "Closing"),
                whole_column(),
            ],
            months.reverse(),
        ),
        _TOPIC.table,
    )


def _closing(months: pl.DataFrame, currency: str) -> Figure:
    labels = [period_label("month", day) for day in months["month"]]
    rows = [
        {
            "period": label,
            "amount": float(row["closing_mrr_amount"]),
            "is_complete": row["is_complete"],
        }
        for label, row in zip(labels, months.iter_rows(named=True), strict=True)
    ]
    base = alt.Chart(values(rows)).encode(x=period_axis(labels), y=amount_axis("amount", currency))
    points = base.mark_point(filled=False, size=45, stroke=PURPLE, opacity=1)
    chart = alt.layer(
        base.mark_line(color=PURPLE, strokeWidth=2), points.encode(fill=hollow_so_far(PURPLE))
    )
    last = months.row(-1, named=True)
    kept = last["net_revenue_retention_rate"]
    alternative = (
        f"Line chart of closing MRR for the last {months.height} months, "
        f"{number(last['closing_mrr_amount'])} "
        f"{currency} in {month_so_far(last)}"
    )
    alternative += f", with net revenue retention of {percent(kept)}." if kept is not None else "."
    return Figure(
        "mrr-closing",
        "MRR at the end of each month",
        "MRR on the last day of each month; a hollow point is what there is so far. Net "
        "retention in "
        "the numbers is what customers of the opening pay at the close, as a share of what "
        "they paid.",
        drawn(chart, "mrr-closing", alternative, 280),
        Numbers(
            [
                day_column("month", "Month of"),
                money_column("closing_mrr_amount", "Closing"),
                share_column("gross_revenue_retention_rate", "Gross retention"),
                share_column("net_revenue_retention_rate", "Net retention"),
                whole_column(),
            ],
            months.reverse(),
        ),
        _TOPIC.table,
    )
