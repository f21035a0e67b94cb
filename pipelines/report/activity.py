"""How many people are active, and how often they come."""

from datetime import date

import altair as alt
import polars as pl

from pipelines.pages.words import number, percent, plain_day
from pipelines.report.drawing import (
    BLUE,
    GREEN,
    ORANGE,
    amount_axis,
    day_axis,
    drawn,
    lighter_so_far,
    palette,
    values,
)
from pipelines.report.habits import period_figures
from pipelines.report.published import Published
from pipelines.report.sections import (
    Content,
    Figure,
    Numbers,
    Section,
    count_column,
    day_column,
    share_column,
)
from pipelines.report.topics import Topic

_DAYS, _ROOM = 182, 1.25
_MEASURES = {"day": "dau", "week": "wau", "month": "mau"}
_SHORT = " Lighter: the history is still shorter than the month."
_TOO_HIGH = " The share is too high then; where it leaves the chart, the numbers have it."
_COLOURS = {"day": BLUE, "week": ORANGE, "month": GREEN}


_TOPIC = Topic(
    "activity",
    "Activity",
    "How many people are active, and how often do they come?",
    "A person is active on a day on which they did something themselves: opening a page counts, "
    "being sent an e-mail does not. Everybody counts once in each period, so numbers of days do "
    "not add up to those of weeks and months.",
    "active_users_daily",
    "events",
)


def activity(published: Published) -> Section:
    """Active users of each day with their windows, stickiness, calendar periods and habits."""
    return _TOPIC.section(published, _last_days, lambda days: _content(published, days))


def _content(published: Published, days: pl.DataFrame) -> Content:
    return Content([_windows(days), _stickiness(days), *period_figures(published)])


def _last_days(table: pl.LazyFrame) -> pl.DataFrame:
    columns = ("date", "dau", "wau", "mau", "days_in_window", "stickiness_ratio")
    days = table.filter(dimension="all").select(columns).sort("date")
    full = pl.col("days_in_window") == pl.col("days_in_window").max()
    return days.with_columns(is_complete=full).tail(_DAYS).collect()


def _windows(days: pl.DataFrame) -> Figure:
    rows = [
        {
            "date": str(row["date"]),
            "window": window,
            "people": row[column],
            "is_complete": row["is_complete"] or window != "month",
        }
        for row in days.iter_rows(named=True)
        for window, column in _MEASURES.items()
    ]
    chart = (
        alt.Chart(values(rows))
        .mark_line(strokeWidth=2)
        .encode(
            x=day_axis(),
            y=amount_axis("people", "people"),
            color=alt.Color("window:N", scale=palette(_COLOURS), sort=list(_COLOURS)),
            strokeDash=alt.StrokeDash(
                "window:N",
                sort=list(_COLOURS),
                scale=alt.Scale(domain=list(_COLOURS), range=[[1, 0], [6, 2], [2, 2]]),
            ),
            opacity=lighter_so_far(),
        )
    )
    last = days.row(-1, named=True)
    alternative = (
        f"Line chart of active users from {_from_to(days)}. On the last day {number(last['dau'])} "
        f"people were active, {number(last['wau'])} in the week and {number(last['mau'])} in the "
        "month that ended on it."
    )
    return Figure(
        "active-users",
        "Active people per day, week and month",
        "Each point counts the people of the day, or of the week or month (28 days, if the "
        "settings say nothing else) that ends on it."
        + (
            "" if days["is_complete"].all() else " Lighter: the history is shorter than that month."
        ),
        drawn(chart, "active-users", alternative),
        Numbers(
            [
                day_column("date", "Day"),
                count_column("dau", "Of the day"),
                count_column("wau", "Of the week"),
                count_column("mau", "Of the month"),
                count_column("days_in_window", "Days behind the month"),
            ],
            days.reverse(),
        ),
        _TOPIC.table,
    )


def _stickiness(days: pl.DataFrame) -> Figure:
    rows = [
        {
            "date": str(row["date"]),
            "ratio": row["stickiness_ratio"],
            "is_complete": row["is_complete"],
        }
        for row in days.iter_rows(named=True)
    ]
    y = alt.Y(
        "ratio:Q",
        title="share of the month's people",
        axis=alt.Axis(format="~%", tickCount=5),
        scale=alt.Scale(domain=[0, _top(days)]),
    )
    chart = (
        alt.Chart(values(rows))
        .mark_line(strokeWidth=2, color=BLUE, clip=True)
        .encode(x=day_axis(), y=y, opacity=lighter_so_far())
    )
    last = days.row(-1, named=True)["stickiness_ratio"]
    ends = f"It ends at {percent(last)}." if last is not None else "It ends without a value."
    return Figure(
        "stickiness",
        "Stickiness: how many of the month come on a day",
        "The share of the month's people who came on the day: 20 % is about six days a month for "
        "each." + _remark(days, f"{_SHORT}{_TOO_HIGH}"),
        drawn(chart, "stickiness", f"Line chart of stickiness from {_from_to(days)}. {ends}"),
        Numbers(
            [
                day_column("date", "Day"),
                count_column("dau", "Of the day"),
                count_column("mau", "Of the month"),
                share_column("stickiness_ratio", "Stickiness"),
            ],
            days.reverse(),
        ),
        _TOPIC.table,
    )


def _remark(days: pl.DataFrame, remark: str) -> str:
    """What is said where not every day has its whole month behind it."""
    return "" if days["is_complete"].all() else remark


def _top(days: pl.DataFrame) -> float:
    """Room for the days whose month is whole; the first ones would press them flat."""
    highest = days.filter("is_complete")["stickiness_ratio"].max()
    return min(1.0, _ROOM * float(highest or 0.5))  # type: ignore[arg-type]


def _from_to(days: pl.DataFrame) -> str:
    first: date = days["date"][0]
    last: date = days["date"][-1]
    return f"{plain_day(first)} to {plain_day(last)}"
