"""Numbers that changed after readers had seen them."""

import altair as alt
import polars as pl

from pipelines.pages.words import number, plain_day
from pipelines.publish.restatements import LOG_SPEC
from pipelines.report.drawing import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    RED,
    SHORT,
    SKY,
    drawn,
    palette,
    values,
)
from pipelines.report.published import Published
from pipelines.report.sections import Figure, Numbers, count_column, day_column, text_column

_PUBLICATIONS, _CAUSES, _ROW = 12, 6, 26
_COLOURS = (BLUE, ORANGE, GREEN, SKY, PURPLE, RED, GREY)
_OTHERS = "other causes"
_NONE = "No number of a complete period has changed after it was published."


def restated_figure(published: Published) -> tuple[Figure | None, str]:
    """Restated numbers by publication and cause, and a remark on them."""
    table = published.scan(LOG_SPEC.name)
    if table is None:
        return None, "There is no log of restatements yet."
    found = _by_publication(table)
    if found.is_empty():
        return None, _NONE
    total = found["numbers"].sum()
    remark = (
        f"{number(total)} numbers of complete periods were restated in the last "
        f"{found['published_at'].n_unique()} publications that changed any; "
        "restatements.parquet has "
        "each of them with its old and its new value."
    )
    return _figure(found), remark


def _by_publication(log: pl.LazyFrame) -> pl.DataFrame:
    counts = log.group_by("published_at", "cause").agg(
        numbers=pl.len().cast(pl.Int64),
        tables=pl.col("table").n_unique().cast(pl.Int64),
        first=pl.col("period_start").min(),
        last=pl.col("period_start").max(),
    )
    recent = pl.col("published_at").rank("dense", descending=True) <= _PUBLICATIONS
    rows = counts.filter(recent).sort("published_at", "cause", descending=[True, False]).collect()
    return rows.with_columns(at=pl.col("published_at").dt.strftime("%Y-%m-%d %H:%M:%S"))


def _figure(found: pl.DataFrame) -> Figure:
    order = found["at"].unique(maintain_order=True).to_list()
    totals = found.group_by("cause").agg(pl.col("numbers").sum())
    named = totals.sort("numbers", "cause", descending=[True, False])["cause"].to_list()[:_CAUSES]
    rows = [
        {"at": at, "cause": cause if cause in named else _OTHERS, "numbers": count}
        for at, cause, count in found.select("at", "cause", "numbers").iter_rows()
    ]
    causes = [*named, *([_OTHERS] if totals.height > len(named) else [])]
    colours = dict(zip(causes, _COLOURS, strict=False))
    chart = (
        alt.Chart(values(rows))
        .mark_bar(height=14)
        .encode(
            x=alt.X("sum(numbers):Q", title="numbers", axis=alt.Axis(labelExpr=SHORT, tickCount=4)),
            y=alt.Y("at:N", title=None, sort=order, axis=alt.Axis(domain=False, ticks=False)),
            color=alt.Color(
                "cause:N", scale=palette(colours), sort=causes, legend=alt.Legend(columns=2)
            ),
        )
    )
    last = found.filter(pl.col("published_at") == found["published_at"].max())
    said = ", ".join(
        f"{number(count)} for {cause}"
        for count, cause in last.select("numbers", "cause").iter_rows()
    )
    alternative = (
        f"Bars of restated numbers for the last {len(order)} publications that changed any. "
        "The last "
        f"one, of {plain_day(found['published_at'][0].date())}: {said}."
    )
    return Figure(
        "restated-numbers",
        "Numbers that changed after publication",
        "A row is a publication, named by its time in UTC; its parts are why the numbers changed.",
        drawn(chart, "restated-numbers", alternative, 80 + _ROW * len(order)),
        Numbers(
            [
                text_column("at", "Published at (UTC)"),
                text_column("cause", "Cause"),
                count_column("numbers", "Numbers"),
                count_column("tables", "Tables"),
                day_column("first", "Periods from"),
                day_column("last", "to"),
            ],
            found,
        ),
        LOG_SPEC.name,
    )
