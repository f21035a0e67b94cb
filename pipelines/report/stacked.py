"""Bars of parts that add to a period and parts that take from it."""

from collections.abc import Mapping

import altair as alt
import polars as pl

from pipelines.report.drawing import (
    INK,
    Drawing,
    amount_axis,
    lighter_so_far,
    palette,
    period_axis,
    values,
)
from pipelines.report.sections import period_label

# Names that fit on one line of a legend.
_MANY = 5


def stacked_bars(
    periods: pl.DataFrame,
    start: str,
    grain: str,
    parts: Mapping[str, tuple[str, str, int]],
    title: str,
) -> Drawing:
    """Bars by period. ``parts`` are column, colour and sign by the name that readers see."""
    labels = [period_label(grain, day) for day in periods[start]]
    rows = [
        {
            "period": label,
            "part": name,
            "order": place,
            "amount": sign * float(row[column]),
            "is_complete": row["is_complete"],
        }
        for label, row in zip(labels, periods.iter_rows(named=True), strict=True)
        for place, (name, (column, _, sign)) in enumerate(parts.items())
    ]
    colours = {name: colour for name, (_, colour, _) in parts.items()}
    bars = (
        alt.Chart(values(rows))
        .mark_bar()
        .encode(
            x=period_axis(labels),
            y=amount_axis("amount", title),
            color=alt.Color(
                "part:N",
                scale=palette(colours),
                sort=list(colours),
                legend=alt.Legend(columns=len(colours) if len(colours) < _MANY else 3),
            ),
            order=alt.Order("order:Q"),
            opacity=lighter_so_far(),
        )
    )
    zero = alt.Chart(values([{"amount": 0}])).mark_rule(color=INK).encode(y="amount:Q")
    return alt.layer(bars, zero)
