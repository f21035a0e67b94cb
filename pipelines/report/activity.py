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
    period_axis,
    values,
)
from pipelines.report.published import Published
from pipelines.report.sections import (
    Figure,
    Numbers,
    Section,
    count_column,
    day_column,
    period_label,
    share_column,
    whole_column,
)

_DAYS, _MONTHS = 182, 24
_MEASURES = {"day": "dau", "week": "wau", "month": "mau"}
_COLOURS = {"day": BLUE, "week": ORANGE, "month": GREEN}


def activity(published: Published) -> Section:
    """Active users of each day with their windows, stickiness, and calendar months."""
    reading = (
        "A person is active on a day on which they did something themselves: opening a "
        "page counts, "
        "being sent an e-mail does not. Everybody counts once in each period, so numbers of days "
        "do not add up to those of weeks and months."
    )
    table = published.scan("active_users_daily")
    daily = pl.DataFrame() if table is None else _last_days(table)
    if daily.is_empty():
        missing = published.why_missing("active_users_daily", "events")
        return Section("activity", "Activity", reading, missing=missing)
    figures = [_windows(daily), _stickiness(daily)]
    periodic = published.scan("active_users_periodic")
    months = pl.DataFrame() if periodic is None else _last_months(periodic)
    if not months.is_empty():
        figures.append(_months(months))
    return Section("activity", "Activity", reading, figures)


def _last_days(table: pl.LazyFrame) -> pl.DataFrame:
    columns = ("date", "dau", "wau", "mau", "days_in_window", "stickiness_ratio")
    days = table.filter(dimension="all").select(columns).sort("date").collect()
    full = days["days_in_window"] == days["days_in_window"].max()
    return days.with_columns(is_complete=full).tail(_DAYS)


def _last_months(table: pl.LazyFrame) -> pl.DataFrame:
    months = table.filter(grain="month", dimension="all").sort("period_start")
    return (
        months.select("period_start", "active_users", "mean_dau", "is_complete")
        .collect()
        .tail(_MONTHS)
    )


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
        "settings "
        "say nothing else) that ends on it. Lighter: the history is still shorter than that month.",
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
        title="share",
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
        "Stickiness",
        "The share of the month's people who came on the day: 20 % is about six days a month for "
        "each. Lighter: the history is still shorter than the month, which makes the share "
        "too high; "
        "where that leaves the chart, the numbers have it.",
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
    )


def _top(days: pl.DataFrame) -> float:
    """Room for the days whose month is whole; the first ones would press them flat."""
    highest = days.filter("is_complete")["stickiness_ratio"].max()
    return min(1.0, 2 * float(highest or 0.5))  # type: ignore[arg-type]


def _months(months: pl.DataFrame) -> Figure:
    labels = [period_label("month", day) for day in months["period_start"]]
    rows = [
        {"period": label, "people": row["active_users"], "is_complete": row["is_complete"]}
        for label, row in zip(labels, months.iter_rows(named=True), strict=True)
    ]
    chart = (
        alt.Chart(values(rows))
        .mark_bar(color=BLUE)
        .encode(x=period_axis(labels), y=amount_axis("people", "people"), opacity=lighter_so_far())
    )
    last = months.row(-1, named=True)
    running = "" if last["is_complete"] else " so far"
    alternative = (
        f"Bar chart of people active in each of the last {months.height} calendar months. In the "
        f"last one, {labels[-1]}, there were {number(last['active_users'])}{running}."
    )
    return Figure(
        "active-months",
        "Active people per calendar month",
        "Everybody counts once a month, however often they came. A lighter bar is a month that is "
        "not over.",
        drawn(chart, "active-months", alternative),
        Numbers(
            [
                day_column("period_start", "Month of"),
                count_column("active_users", "People"),
                whole_column(),
            ],
            months.reverse(),
        ),
    )


def _from_to(days: pl.DataFrame) -> str:
    first: date = days["date"][0]
    last: date = days["date"][-1]
    return f"{plain_day(first)} to {plain_day(last)}"
