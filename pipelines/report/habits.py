"""How many people are active in calendar periods, and on how many days of them."""

import altair as alt
import polars as pl

from pipelines.pages.words import number
from pipelines.report.drawing import (
    BLUE,
    SKY,
    amount_axis,
    drawn,
    lighter_so_far,
    period_axis,
    values,
)
from pipelines.report.published import Published
from pipelines.report.sections import (
    Figure,
    Numbers,
    count_column,
    day_column,
    period_label,
    points_column,
    whole_column,
)
from pipelines.report.topics import by_grain

_PERIODS = 24
_ACTIVE, _HISTOGRAM = "active_users_periodic", "active_days_histogram"


def period_figures(published: Published) -> list[Figure]:
    """Active people of calendar months or weeks, and on how many days of the last they came."""
    active, histogram = published.scan(_ACTIVE), published.scan(_HISTOGRAM)
    figures = []
    if active is not None:
        rows = active.filter(dimension="all").sort("period_start").collect()
        figures += [_periods(each.tail(_PERIODS)) for each in list(by_grain(rows).values())[:1]]
    if histogram is not None:
        rows = histogram.sort("period_start", "active_days").collect()
        figures += [_days(_last(each)) for each in list(by_grain(rows).values())[:1]]
    return figures


def _last(rows: pl.DataFrame) -> pl.DataFrame:
    """The last period that is over; the running one where none is."""
    over = rows.filter("is_complete")
    shown = rows if over.is_empty() else over
    return shown.filter(pl.col("period_start") == pl.col("period_start").max())


def _periods(periods: pl.DataFrame) -> Figure:
    grain: str = periods["grain"][0]
    labels = [period_label(grain, day) for day in periods["period_start"]]
    rows = [
        {"period": label, "people": row["active_users"], "is_complete": row["is_complete"]}
        for label, row in zip(labels, periods.iter_rows(named=True), strict=True)
    ]
    chart = (
        alt.Chart(values(rows))
        .mark_bar(color=BLUE)
        .encode(x=period_axis(labels), y=amount_axis("people", "people"), opacity=lighter_so_far())
    )
    last = periods.row(-1, named=True)
    running = "" if last["is_complete"] else " so far"
    alternative = (
        f"Bar chart of people active in each of the last {periods.height} calendar {grain}s. In "
        f"the last one, {labels[-1]}, there were {number(last['active_users'])}{running}."
    )
    return Figure(
        "active-periods",
        f"Active people per calendar {grain}",
        f"Everybody counts once a {grain}, however often they came. A lighter bar is a {grain} "
        "that is not over.",
        drawn(chart, "active-periods", alternative),
        Numbers(
            [
                day_column("period_start", f"{grain.capitalize()} of"),
                count_column("active_users", "People"),
                points_column("mean_dau", "On a mean day"),
                whole_column(),
            ],
            periods.reverse(),
        ),
        _ACTIVE,
    )


def _days(days: pl.DataFrame) -> Figure:
    first = days.row(0, named=True)
    grain, over = first["grain"], first["is_complete"]
    label = period_label(grain, first["period_start"]) + ("" if over else " so far")
    period = f"the {grain} of {label}"
    rows = [
        {"days": row["active_days"], "people": row["users"]} for row in days.iter_rows(named=True)
    ]
    most = int(days["active_days"].max())  # type: ignore[arg-type]
    x = alt.X(
        "days:O",
        title=f"days of {period} on which they were active",
        scale=alt.Scale(domain=list(range(1, most + 1))),
        axis=alt.Axis(labelAngle=0, labelOverlap=True, labelSeparation=6),
    )
    chart = (
        alt.Chart(values(rows)).mark_bar(color=SKY).encode(x=x, y=amount_axis("people", "people"))
    )
    once = int(days.filter(active_days=1)["users"].sum())
    alternative = (
        f"Bar chart of people by the number of days of {period} on which they were active. Of "
        f"{number(days['users'].sum())} people {number(once)} came on one day only; the most was "
        f"{most} days."
    )
    return Figure(
        "active-days",
        f"On how many days of the {grain} people came",
        f"Each bar counts the people who were active on exactly that many days of {period}.",
        drawn(chart, "active-days", alternative),
        Numbers([count_column("active_days", "Days"), count_column("users", "People")], days),
        _HISTOGRAM,
    )
