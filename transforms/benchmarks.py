"""What is usual elsewhere, and how a value stands to it.

No benchmark is set here: they are the setting ``benchmarks``.
"""

from collections.abc import Mapping
from typing import Any

import polars as pl

from schemas.base import ALL

Benchmarks = Mapping[str, Mapping[str, Any]]

_KEY = ["month", "metric", "dimension", "segment"]
_COLUMNS = {
    "benchmark": pl.String,
    "benchmark_low": pl.Float64,
    "benchmark_high": pl.Float64,
    "benchmark_levels": pl.String,
    "benchmark_direction": pl.String,
    "benchmark_source": pl.String,
}
_LEVELS = {"benchmark": pl.String, "level": pl.String, "at": pl.Float64, "rank": pl.Int64}
HIGHER = "higher"


def with_benchmarks(rows: pl.LazyFrame, benchmarks: Benchmarks) -> pl.LazyFrame:
    """Add the benchmark of each row, the level that its value has reached, and the verdict.

    ``rows`` have the scorecard's key, ``family``, ``denominator``, ``value`` and
    ``is_comparable``. A metric's own benchmark goes before that of its family. What is
    no ratio has one for everybody only: it speaks of the size of the whole.
    """
    named = [name for name, each in benchmarks.items() if _ordered(each) or _has_range(each)]
    own = pl.when(pl.col("metric").is_in(named)).then("metric").otherwise("family")
    is_meant = (pl.col("dimension") == ALL) | pl.col("denominator").is_not_null()
    known = rows.with_columns(benchmark=pl.when(is_meant).then(own)).join(
        _frame({name: benchmarks[name] for name in named}), on="benchmark", how="left"
    )
    return known.join(_reached(known, benchmarks), on=_KEY, how="left").with_columns(
        verdict=_verdict()
    )


def _has_range(benchmark: Mapping[str, Any]) -> bool:
    return benchmark["low"] is not None or benchmark["high"] is not None


def _ordered(benchmark: Mapping[str, Any]) -> list[tuple[str, float]]:
    """Levels from the one that is reached first to the furthest."""
    levels: Mapping[str, float] = benchmark["levels"]
    is_higher = benchmark["direction"] == HIGHER
    return sorted(levels.items(), key=lambda level: level[1] if is_higher else -level[1])


def _frame(benchmarks: Benchmarks) -> pl.LazyFrame:
    rows = [
        (
            name,
            each["low"],
            each["high"],
            "; ".join(f"{level} {at:g}" for level, at in _ordered(each)) or None,
            each["direction"],
            each["source"] or None,
        )
        for name, each in sorted(benchmarks.items())
    ]
    return pl.LazyFrame(rows, schema=_COLUMNS, orient="row")


def _reached(rows: pl.LazyFrame, benchmarks: Benchmarks) -> pl.LazyFrame:
    """The furthest level beyond which each comparable value lies, where there is one."""
    levels = [
        (name, level, at, rank)
        for name, each in sorted(benchmarks.items())
        for rank, (level, at) in enumerate(_ordered(each))
    ]
    thresholds = pl.LazyFrame(levels, schema=_LEVELS, orient="row")
    is_higher = pl.col("benchmark_direction") == HIGHER
    beyond = pl.when(is_higher).then(pl.col("value") > pl.col("at"))
    return (
        rows.filter("is_comparable")
        .join(thresholds, on="benchmark")
        .filter(beyond.otherwise(pl.col("value") < pl.col("at")))
        .group_by(_KEY)
        .agg(benchmark_level=pl.col("level").sort_by("rank").last())
    )


def _verdict() -> pl.Expr:
    value, low, high = pl.col("value"), pl.col("benchmark_low"), pl.col("benchmark_high")
    is_higher = pl.col("benchmark_direction") == HIGHER
    missed = pl.when(is_higher).then(pl.lit("below")).otherwise(pl.lit("above"))
    has_range = low.is_not_null() | high.is_not_null()
    in_range = (
        pl.when(value < low)
        .then(pl.lit("below"))
        .when(value > high)
        .then(pl.lit("above"))
        .otherwise(pl.lit("within"))
    )
    by_level = pl.when(pl.col("benchmark_levels").is_not_null()).then(
        pl.col("benchmark_level").fill_null(missed)
    )
    is_judged = pl.col("is_comparable") & value.is_not_null()
    return pl.when(is_judged).then(pl.when(has_range).then(in_range).otherwise(by_level))
