"""The scorecard: one number per month of every metric, beside what is usual elsewhere."""

from datetime import date

import polars as pl

from schemas.base import dtypes
from schemas.kpi_scorecard import KpiScorecard
from transforms.benchmarks import Benchmarks, with_benchmarks
from transforms.division import ratio
from transforms.kpi_months import DAILY, of_month
from transforms.kpis import KPIS, Kpi

_SERIES = ["metric", "dimension", "segment"]
_ROW = ["month", *_SERIES]
_PARTS = ["numerator", "denominator"]
_FOOTING = ["is_complete", "is_comparable"]


def kpi_scorecard(
    *, benchmarks: Benchmarks, data_through: date, **tables: pl.LazyFrame
) -> pl.LazyFrame:
    """One row per month, metric, dimension and segment of which something is known.

    ``tables`` are those of ``kpis.SCORECARD_READS``. Each metric is as complete as its own table:
    ``data_through`` only helps where a table by day does not say.
    """
    months = {name: of_month(name, tables, data_through) for name in tables}
    rows = pl.concat([_values(kpi, months[kpi.table]) for kpi in KPIS])
    parts_are_known = pl.all_horizontal(pl.col(_PARTS).is_not_null())
    # Read several times below: without a cache all metrics would be planned eight times over.
    known = rows.filter(pl.col("value").is_not_null() | parts_are_known).cache()
    compared = _compared(_compared(known, "1mo", "previous_value"), "1y", "year_before_value")
    value, is_comparable = pl.col("value"), pl.col("is_comparable")
    changed = compared.with_columns(
        change=pl.when(is_comparable).then(value - pl.col("previous_value")),
        change_on_year=pl.when(is_comparable).then(value - pl.col("year_before_value")),
    ).cache()
    return with_benchmarks(changed, benchmarks).select(*dtypes(KpiScorecard))


def _values(kpi: Kpi, rows: pl.LazyFrame) -> pl.LazyFrame:
    """The metric's value and its two parts, in the rows of its table that it is read from."""
    chosen = rows.filter(**kpi.where)
    parts = chosen.select(
        "month",
        "dimension",
        "segment",
        *_FOOTING,
        metric=pl.concat_str(pl.lit(kpi.metric), "suffix"),
        numerator=_part(kpi.numerator),
        denominator=_part(kpi.denominator),
        given=pl.col(kpi.value) if kpi.value else pl.lit(None, pl.Float64),
    )
    if kpi.table in DAILY:
        parts = _summed(parts)
    numerator = ratio(pl.col("numerator"), pl.lit(kpi.parts))
    denominator = pl.col("denominator").cast(pl.Float64)
    divided = ratio(kpi.factor * numerator, denominator)
    value = numerator if kpi.denominator is None else pl.coalesce(divided, "given")
    is_ratio = kpi.denominator is not None
    return parts.select(
        *_ROW,
        *_FOOTING,
        value=value,
        numerator=numerator if is_ratio else pl.lit(None, pl.Float64),
        denominator=denominator,
        unit=pl.lit(kpi.unit),
        family=pl.lit(kpi.family or kpi.metric),
    )


def _part(part: str | pl.Expr | None) -> pl.Expr:
    if part is None:
        return pl.lit(None, pl.Int64)
    return pl.col(part) if isinstance(part, str) else part


def _summed(parts: pl.LazyFrame) -> pl.LazyFrame:
    """Days of a month added up; what no day knows stays unknown."""
    sums = {name: pl.when(pl.col(name).count() > 0).then(pl.col(name).sum()) for name in _PARTS}
    return parts.group_by(*_ROW, *_FOOTING).agg(**sums, given=pl.lit(None, pl.Float64))


def _compared(rows: pl.LazyFrame, age: str, name: str) -> pl.LazyFrame:
    """Beside each row the value of its series so long before, where that month is comparable."""
    earlier = rows.filter("is_comparable").select(
        *_SERIES, pl.col("month").dt.offset_by(age), pl.col("value").alias(name)
    )
    return rows.join(earlier, on=_ROW, how="left")
