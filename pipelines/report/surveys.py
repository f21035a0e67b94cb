"""What customers say of the company, with how sure one can be of it."""

from typing import Any

import altair as alt
import polars as pl

from pipelines.pages.words import number
from pipelines.report.drawing import BLUE, Drawing, drawn, hollow_so_far, period_axis, values
from pipelines.report.published import Published
from pipelines.report.sections import (
    Content,
    Figure,
    Numbers,
    Section,
    count_column,
    day_column,
    period_label,
    points_column,
    share_column,
    whole_column,
)
from pipelines.report.topics import Topic

_KEY = ["survey", "kind", "scale_min", "scale_max", "direction"]
_MONTHS, _SURVEYS = 12, 8
_KINDS = {
    "nps": (
        "NPS",
        "the share that would recommend us less the share that would not, \u2212100 to 100",
    ),
    "csat": ("CSAT", "the share of satisfied answers, 0 to 100"),
    "ces": ("effort score", "the mean answer"),
}
_HIGH = {"ease": "easy", "effort": "hard"}


_TOPIC = Topic(
    "surveys",
    "Survey scores",
    "How satisfied are customers, and how sure is that?",
    "Each point is the score of a month; its line is where the score of all customers lies with "
    "95\u00a0% confidence. Two months whose lines overlap widely may well be the same.",
    "survey_scores",
    "surveys",
    "nobody has answered a survey yet.",
)


def surveys(published: Published) -> Section:
    """A chart per survey: its score by month with the 95 % interval."""
    return _TOPIC.section(published, _months, _content)


def _content(months: pl.DataFrame) -> Content:
    each = months.partition_by(_KEY, maintain_order=True)
    # The order of the names stays among those with as many answers.
    each.sort(key=lambda survey: -survey["responses"].sum())
    figures = [_figure(place, survey) for place, survey in enumerate(each[:_SURVEYS], 1)]
    left = len(each) - len(figures)
    remarks = [f"{left} more surveys with fewer answers stand in survey_scores."] if left else []
    return Content(figures, remarks=remarks)


def _months(table: pl.LazyFrame) -> pl.DataFrame:
    rows = table.filter(grain="month", dimension="all").sort(*_KEY, "period_start")
    recent = pl.col("period_start").rank("dense", descending=True).over(_KEY) <= _MONTHS
    has_score = pl.col("score").is_not_null().any().over(_KEY)
    return rows.filter(recent).filter(has_score).collect()


def _figure(place: int, months: pl.DataFrame) -> Figure:
    row = months.row(0, named=True)
    title, meaning = _KINDS[row["kind"]]
    scale = f"{row['scale_min']:g} to {row['scale_max']:g}"
    if row["kind"] == "ces":
        meaning += f" on a scale from {scale}, where high is {_HIGH[row['direction']]}"
    named = f"{row['survey'].replace('_', ' ').capitalize()}: {title}"
    name = f"survey-{place}"
    return Figure(
        name,
        named,
        f"{meaning[0].upper()}{meaning[1:]}. A hollow point is a month that is not over.",
        drawn(_chart(months, row), name, _alternative(months, named), 200),
        Numbers(
            [
                day_column("period_start", "Month of"),
                count_column("responses", "Answers"),
                points_column("score", "Score"),
                points_column("ci_low", "From"),
                points_column("ci_high", "To"),
                count_column("asked", "Asked"),
                share_column("response_rate", "Answered"),
                whole_column(),
            ],
            months.reverse(),
        ),
        _TOPIC.table,
    )


def _chart(months: pl.DataFrame, row: dict[str, Any]) -> Drawing:
    labels = [period_label("month", day) for day in months["period_start"]]
    names = ("score", "ci_low", "ci_high", "is_complete")
    rows = [
        {"period": label, **dict(zip(names, numbers, strict=True))}
        for label, numbers in zip(labels, months.select(names).iter_rows(), strict=True)
        if numbers[0] is not None
    ]
    low, high = {
        "nps": (-100, 100),
        "csat": (0, 100),
        "ces": (row["scale_min"], row["scale_max"]),
    }[row["kind"]]
    y = alt.Y(
        "score:Q",
        title="points" if row["kind"] != "ces" else "score",
        scale=alt.Scale(domain=[low, high]),
        axis=alt.Axis(tickCount=5),
    )
    base = alt.Chart(values(rows)).encode(x=period_axis(labels), y=y)
    interval = base.mark_rule(color=BLUE, strokeWidth=3, opacity=0.45)
    points = base.mark_point(size=60, stroke=BLUE, opacity=1)
    ends = interval.encode(y=alt.Y("ci_low:Q", scale=alt.Scale(domain=[low, high])), y2="ci_high:Q")
    return alt.layer(ends, points.encode(fill=hollow_so_far(BLUE)))


def _alternative(months: pl.DataFrame, named: str) -> str:
    last = months.filter(pl.col("score").is_not_null()).row(-1, named=True)
    return (
        f"{named}, by month for the last {months.height} months, each with its 95 % interval. In "
        f"{period_label('month', last['period_start'])} it was {number(last['score'], 1)}, between "
        f"{number(last['ci_low'], 1)} and {number(last['ci_high'], 1)}, of "
        f"{number(last['responses'])} answers."
    )
