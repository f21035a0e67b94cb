"""The numbers of the last complete month, beside those before and what is usual."""

from typing import Any

import polars as pl

from pipelines.pages.words import month
from pipelines.report.bullets import bullet_figures
from pipelines.report.metrics import Metric
from pipelines.report.published import Published
from pipelines.report.sections import Column, Numbers, Section, text_column
from transforms.kpis import KPIS

_BY_SURVEY = "survey"


def scorecard(published: Published, currency: str) -> Section:
    """A row per metric, and a bullet per metric that has a benchmark."""
    reading = (
        "Each metric in the last month that is complete for it. Benchmarks are rules of thumb from "
        "other companies: what is usual in your trade, and your own past, tell more."
    )
    table = published.scan("kpi_scorecard")
    rows = [] if table is None else _last_months(table)
    if not rows:
        missing = published.why_missing("kpi_scorecard", "events")
        if table is not None:
            missing = "no month of any metric is complete yet."
        return Section("scorecard", "Scorecard", reading, missing=missing)
    metrics = [Metric(row, currency) for row in rows]
    bullets = [each.bullet for each in metrics if each.has_benchmark]
    figures = bullet_figures(bullets)
    return Section("scorecard", "Scorecard", reading, figures, table=_table(metrics))


def _last_months(table: pl.LazyFrame) -> list[dict[str, Any]]:
    """The last complete month of each metric for everybody; of surveys, of each of them."""
    shown = table.filter(pl.col("dimension").is_in(["all", _BY_SURVEY]) & pl.col("is_complete"))
    last = pl.col("month") == pl.col("month").max().over("metric", "dimension", "segment")
    rows = shown.filter(last).sort("metric", "segment").collect().rows(named=True)
    return sorted(rows, key=lambda row: _place(row["metric"]))


def _place(metric: str) -> int:
    """Where the declarations have a metric; those of surveys have their scale at the end."""
    names = [kpi.metric for kpi in KPIS]
    found = metric if metric in names else metric.partition("_")[0]
    return names.index(found) if found in names else len(names)


def _table(metrics: list[Metric]) -> Numbers:
    rows = [
        {
            "label": each.label,
            "month": month(each.row["month"]),
            "value": each.cell("value"),
            "change": each.cell("change", is_change=True),
            "change_on_year": each.cell("change_on_year", is_change=True),
            "usual": each.usual,
            "verdict": each.verdict,
        }
        for each in metrics
    ]
    columns = [
        text_column("label", "Metric"),
        text_column("month", "Month"),
        Column("value", "Value"),
        Column("change", "On the month before"),
        Column("change_on_year", "On the year before"),
        text_column("usual", "Benchmark"),
        text_column("verdict", "Verdict"),
    ]
    return Numbers(columns, rows)
