"""The scorecard: one number per month of every metric, beside what is usual elsewhere."""

from typing import Any

import polars as pl

from schemas.base import Table, column, table

UNITS = [
    "fraction",
    "people",
    "points",
    "score",
    "seconds",
    "page views",
    "ratio",
    "reporting currency",
]
_COMPARABLE = "null where either month is not comparable or not known"


def _number(description: str, **options: Any) -> Any:
    return column(description, nullable=True, **{"unit": "that of the row", **options})


@table(
    grain="one row per month, metric, dimension and segment",
    key=["month", "metric", "dimension", "segment"],
    warnings=[
        "Every metric has a unit of its own: never add up values of different metrics.",
        "Ratios and distinct people do not add up: never sum value over months or segments.",
        "Benchmarks are rules of thumb. What is usual in your trade, and your own past, tell more.",
        "clv_to_cac_* hold predictions as of data_through and move with them.",
    ],
    rules=[
        (
            "a month that is not comparable has a change or a verdict",
            pl.col("is_comparable")
            | pl.all_horizontal(
                pl.col("change", "change_on_year", "benchmark_level", "verdict").is_null()
            ),
        ),
        (
            "a month that is not complete is comparable",
            pl.col("is_complete") | ~pl.col("is_comparable"),
        ),
        (
            "there is a value without a denominator",
            pl.col("numerator").is_null()
            | pl.col("value").is_null()
            | (pl.col("denominator") != 0).fill_null(False),
        ),
        (
            "a change is not the difference of two values",
            (pl.col("change") == pl.col("value") - pl.col("previous_value")).fill_null(
                pl.col("change").is_null()
            ),
        ),
    ],
)
class KpiScorecard(Table):
    """What the other tables say of each calendar month, in one shape.

    Which metrics there are, and what of which table each is, stands in ``transforms/kpis.py``. A
    ratio is divided here from its two parts; those of tables by day are summed over the days of
    the month. Dimensions are those of the table. Where it has none, the name of what is measured is
    the segment: ``survey``, ``feature``, ``goal``, ``platform``, ``channel``, ``tier``.

    Scores of surveys stand per survey and never for ``all``: what surveys ask differs, and a score
    of several tells nothing. ``csat_1_5`` and ``ces_effort_1_7`` carry scale and direction in their
    names, since two scales never share a row; NPS is of the scale that ends at 10.

    A month is complete when the metric's own table has it so: a source that came late holds back
    its own metrics and no others. In a table by day it is complete when the table reaches its last
    day. It is comparable when, besides, the history of that table does not begin within it: a month
    of which two weeks were recorded is on no equal footing with the next one. Of retention it is
    the cohort's month that must be whole. Metrics that are taken at the edges of a month (MRR,
    churn, lifetime value) need no whole month. A month without anything known has no row.
    """

    month: pl.Date = column("First day of the calendar month")
    metric: pl.String = column("What is measured, by its name in benchmarks")
    dimension: pl.String = column("Dimension of the metric's table, or all")
    segment: pl.String = column("Value of the dimension, or all")
    value: pl.Float64 = _number(
        "The metric in the month, so far where that is not complete; null where the denominator is "
        "zero",
        formula="numerator / denominator; times 100 for nps and csat; of what is no ratio, itself",
    )
    numerator: pl.Float64 = _number(
        "What is divided; null where the metric is no ratio, and of ces, whose sum is not kept",
        unit="that of the metric's table",
    )
    denominator: pl.Float64 = _number(
        "What it is divided by; null where the metric is no ratio",
        unit="that of the metric's table",
    )
    unit: pl.String = column("What value, its parts and its levels are measured in", isin=UNITS)
    previous_value: pl.Float64 = _number(
        "The value of the month before; null where that month is not comparable or not known"
    )
    change: pl.Float64 = _number(
        f"What the value grew by on the month before; {_COMPARABLE}",
        formula="value - previous_value",
    )
    year_before_value: pl.Float64 = _number(
        "The value of the same month a year before; null where that is not comparable or not known"
    )
    change_on_year: pl.Float64 = _number(
        f"What the value grew by on the same month a year before; {_COMPARABLE}",
        formula="value - year_before_value",
    )
    benchmark_low: pl.Float64 = _number("Lower end of what is usual; null without one")
    benchmark_high: pl.Float64 = _number("Upper end of what is usual; null without one")
    benchmark_levels: pl.String = column(
        "Named thresholds and where they lie, such as good 0; great 20; null without any",
        nullable=True,
    )
    benchmark_level: pl.String = column(
        "The furthest threshold that the value is beyond: above it where higher is better, below "
        "it where lower is; null where none is passed, and while the month is not comparable",
        nullable=True,
    )
    benchmark_direction: pl.String = column(
        "Which way is better; null without a benchmark",
        nullable=True,
        isin=["higher", "lower"],
    )
    benchmark_source: pl.String = column("Where the benchmark is from", nullable=True)
    verdict: pl.String = column(
        "below, within or above the usual range, whose ends belong to it; of thresholds alone, the "
        "level, or below (above, where lower is better) if none is passed; null where the month is "
        "not comparable, and without a value or a benchmark",
        nullable=True,
    )
    is_complete: pl.Boolean = column("The month is complete in the metric's own table")
    is_comparable: pl.Boolean = column(
        "The month is complete and the history of the metric's table does not begin within it"
    )
