"""Who comes back."""

from typing import Any

import altair as alt
import polars as pl

from pipelines.pages.words import number, percent
from pipelines.report.drawing import GREY, INK, SOFT, Drawing, drawn, values
from pipelines.report.published import Published
from pipelines.report.retention_curve import retention_curve
from pipelines.report.sections import (
    Content,
    Figure,
    Numbers,
    Section,
    count_column,
    day_column,
    period_label,
    share_column,
    whole_column,
)
from pipelines.report.topics import Topic, by_grain

# As many as have room for their numbers.
_COHORTS, _INDICES = 13, 12
_ROW = 26
_BLUES = ["#e8f1f9", "#9fc3e0", "#4a8cc0", "#0b4a80"]
_TOPIC = Topic(
    "retention",
    "Retention",
    "Do new people come back?",
    "People who were active for the first time in the same period are a cohort. Retention is the "
    "share of a cohort that was active again in a later period.",
    "cohort_retention",
    "events",
)


def retention(published: Published) -> Section:
    """A heat map of cohorts by month, or a finer grain where history is short, and its mean."""
    return _TOPIC.section(published, _cells, _content)


def _cells(table: pl.LazyFrame) -> pl.DataFrame:
    own = table.filter(definition="activity", dimension="all")
    shown = own.filter(pl.col("period_index").is_between(0, _INDICES))
    return shown.sort("cohort_start", "period_index").collect()


def _content(rows: pl.DataFrame) -> Content:
    grain, cells = next(iter(by_grain(rows, "cohort_start").items()))
    recent = cells["cohort_start"].unique().sort().tail(_COHORTS)
    shown = cells.filter(pl.col("cohort_start").is_in(recent.implode()))
    curve = retention_curve(shown, grain)
    return Content([_heat_map(shown), *([curve] if curve else [])])


def _heat_map(cells: pl.DataFrame) -> Figure:
    grain: str = cells["grain"][0]
    returns = cells.filter(pl.col("period_index") > 0)
    rows = [
        {
            "cohort": _cohort(grain, row),
            "index": row["period_index"],
            "rate": row["retention_rate"],
            "shown": number((row["retention_rate"] or 0) * 100),
            "is_complete": row["is_complete"],
        }
        for row in returns.iter_rows(named=True)
    ]
    cohorts = cells.filter(period_index=0).sort("cohort_start")
    labels = [_cohort(grain, row) for row in cohorts.iter_rows(named=True)]
    chart = _map(rows, labels, grain)
    return Figure(
        "retention-map",
        f"Share that came back, by {grain} of first activity",
        f"A row is a cohort with its size; a column is the {grain} so many after its own. The "
        f"number is the share in per cent that was active in that {grain}; the darker, the higher "
        f"among those shown. Grey numbers in dashed cells: the {grain} is not over.",
        drawn(chart, "retention-map", _alternative(cells, grain), 60 + _ROW * len(labels)),
        Numbers(
            [
                day_column("cohort_start", f"{grain.capitalize()} of"),
                count_column("period_index", f"{grain.capitalize()}s after"),
                count_column("cohort_users", "People"),
                count_column("active_users", "Came back"),
                share_column("retention_rate", "Share"),
                whole_column(),
            ],
            cells,
        ),
        _TOPIC.table,
    )


def _cohort(grain: str, row: dict[str, Any]) -> str:
    start, users = row["cohort_start"], row["cohort_users"]
    return f"{period_label(grain, start)} ({users:,})"


def _map(rows: list[dict[str, Any]], labels: list[str], grain: str) -> Drawing:
    over = [row["rate"] or 0 for row in rows if row["is_complete"]] or [0, 1]
    lowest, highest = min(over), max(over)
    base = alt.Chart(values(rows)).encode(
        x=alt.X(
            "index:O",
            title=f"{grain}s after the first",
            axis=alt.Axis(orient="top", labelAngle=0, domain=False, ticks=False),
        ),
        y=alt.Y(
            "cohort:O",
            title=None,
            sort=labels,
            scale=alt.Scale(domain=labels),
            axis=alt.Axis(domain=False, ticks=False),
        ),
    )
    colour = alt.Color(
        "rate:Q", legend=None, scale=alt.Scale(domain=[lowest, highest], range=_BLUES, clamp=True)
    )
    ended = base.transform_filter("datum.is_complete")
    running = base.transform_filter("!datum.is_complete")
    # Where the blue is too dark for dark letters.
    dark = f"datum.rate > {lowest + 0.55 * (highest - lowest)}"
    white = alt.condition(dark, alt.value("white"), alt.value(INK))
    return alt.layer(
        ended.mark_rect(stroke="white").encode(color=colour),
        running.mark_rect(fill="white", stroke=GREY, strokeDash=[2, 2]),
        ended.mark_text(fontSize=12).encode(text="shown:N", color=white),
        running.mark_text(fontSize=12, color=SOFT, fontStyle="italic").encode(text="shown:N"),
    )


def _alternative(cells: pl.DataFrame, grain: str) -> str:
    over = cells.filter(pl.col("is_complete") & (pl.col("period_index") == 1))
    told = (
        f"Heat map of retention for the last {cells['cohort_start'].n_unique()} cohorts by {grain}."
    )
    rates = over["retention_rate"].drop_nulls()
    if rates.is_empty():
        return f"{told} No {grain} after a cohort's own is over yet."
    return (
        f"{told} In the {grain} after their first, between {percent(min(rates))} and "
        f"{percent(max(rates))} came back."
    )
