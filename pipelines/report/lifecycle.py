"""Where the active people of a period come from, and how many stayed away."""

import polars as pl

from pipelines.pages.words import number
from pipelines.report.drawing import BLUE, GREEN, ORANGE, RED, drawn
from pipelines.report.published import Published
from pipelines.report.sections import (
    Content,
    Figure,
    Numbers,
    Section,
    count_column,
    day_column,
    period_label,
    whole_column,
)
from pipelines.report.stacked import stacked_bars
from pipelines.report.topics import Topic, by_grain

_PERIODS = 24
_PARTS = {
    "retained": ("retained_users", BLUE, 1),
    "resurrected": ("resurrected_users", ORANGE, 1),
    "new": ("new_users", GREEN, 1),
    "dormant": ("dormant_users", RED, -1),
}
_TOPIC = Topic(
    "lifecycle",
    "Lifecycle",
    "Where do active people come from, and how many stay away?",
    "New people are active for the first time; retained ones were active in the period before too; "
    "resurrected ones had been away. Dormant people were active in the period before and stayed "
    "away in this one.",
    "lifecycle",
    "events",
)


def lifecycle(published: Published) -> Section:
    """New, retained, resurrected and dormant people by month and by week."""
    return _TOPIC.section(published, _rows, _content)


def _rows(table: pl.LazyFrame) -> pl.DataFrame:
    return table.filter(dimension="all").sort("period_start").collect()


def _content(rows: pl.DataFrame) -> Content:
    return Content([_bars(periods.tail(_PERIODS)) for periods in by_grain(rows).values()])


def _bars(periods: pl.DataFrame) -> Figure:
    grain: str = periods["grain"][0]
    chart = stacked_bars(periods, "period_start", grain, _PARTS, "people")
    over = periods.filter("is_complete")
    told = f"Stacked bars of people by {grain}, the last {periods.height}; dormant ones below zero."
    if over.height:
        last = over.row(-1, named=True)
        parts = ", ".join(f"{number(last[column])} {name}" for name, (column, *_) in _PARTS.items())
        told += (
            f" The last {grain} that is over, {period_label(grain, last['period_start'])}: {parts}."
        )
    name = f"lifecycle-{grain}s"
    return Figure(
        name,
        f"People by {grain}",
        f"What stands above zero adds up to the active people of the {grain}; what hangs below is "
        f"who stayed away. Lighter: the {grain} is not over, and more of them may still come.",
        drawn(chart, name, told, 280),
        Numbers(
            [
                day_column("period_start", f"{grain.capitalize()} of"),
                *(count_column(column, name.capitalize()) for name, (column, *_) in _PARTS.items()),
                count_column("active_users", "Active"),
                whole_column(),
            ],
            periods.reverse(),
        ),
        _TOPIC.table,
    )
