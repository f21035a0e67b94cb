"""The numbers of the last complete month, beside those before and what is usual."""

import polars as pl

from pipelines.pages.words import month
from pipelines.report.bullets import bullet_figures
from pipelines.report.metrics import Metric
from pipelines.report.published import Published
from pipelines.report.sections import Column, Content, Headline, Numbers, Section, text_column
from pipelines.report.topics import Topic
from transforms.kpis import KPIS

# Metrics that exist for one survey or goal only.
_ONE_BY_ONE = ("survey", "goal")
# The first of each that has a value stands at the head.
_HEADLINES = (
    "active_users", "month_1_retention", "mrr", "churn_rate", "nps", "csat", "ces",
    "churn_rate_by_inactivity", "session_conversion_rate", "mean_first_reply_seconds",
)  # fmt: skip
_MOST_HEADLINES = 6
_TOPIC = Topic(
    "scorecard",
    "Scorecard",
    "How did the last complete month go?",
    "Each metric in the last month that is complete for it, beside what is usual. Benchmarks are "
    "rules of thumb from other companies: what is usual in your trade, and your own past, tell "
    "more. Shares change by percentage points (pp).",
    "kpi_scorecard",
    empty="no month of any metric is complete yet.",
)
_REMARK = "The same metrics by platform, country, channel, feature and the like stand in {}."


def scorecard(published: Published, currency: str) -> Section:
    """The most important numbers, a bullet per metric with a benchmark, and a row per metric."""
    return _TOPIC.section(published, _last_months, lambda rows: _content(rows, currency))


def _content(rows: pl.DataFrame, currency: str) -> Content:
    named = sorted(rows.iter_rows(named=True), key=lambda row: _place(row["metric"]))
    metrics = [Metric(row, currency) for row in named]
    bullets = [each.bullet for each in metrics if each.has_benchmark]
    return Content(
        bullet_figures(bullets),
        _table(metrics),
        _headlines(metrics),
        [_REMARK.format(_TOPIC.table)],
    )


def _last_months(table: pl.LazyFrame) -> pl.DataFrame:
    """The last complete month of each metric that has values, for everybody or one by one."""
    shown = table.filter(pl.col("dimension").is_in(["all", *_ONE_BY_ONE]) & pl.col("is_complete"))
    own = ("metric", "dimension", "segment")
    last = pl.col("month") == pl.col("month").max().over(own)
    has_values = pl.col("value").is_not_null().any().over(own)
    return shown.filter(last.and_(has_values)).sort("metric", "segment").collect()


def _headlines(metrics: list[Metric]) -> list[Headline]:
    known = [each for each in metrics if each.row["value"] is not None]
    found = [next((each for each in known if each.is_of(name)), None) for name in _HEADLINES]
    return [each.headline for each in found if each][:_MOST_HEADLINES]


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
        Column("change", "Since the month before"),
        Column("change_on_year", "Since the year before"),
        text_column("usual", "Benchmark"),
        text_column("verdict", "Verdict"),
    ]
    return Numbers(columns, rows)
