"""A small chart of a table's first number, as a line of text: it is shown wherever text is."""

from datetime import date

import polars as pl

from pipelines.warehouse.specs import Spec
from schemas.base import ALL

_BARS = "▁▂▃▄▅▆▇█"
_PERIODS = 60
# The row of everybody, in the finest grain that a table has.
_EVERYBODY = ("dimension", "segment", "channel", "tier")


def chart(spec: Spec, rows: pl.LazyFrame) -> str | None:
    """The last periods of a table that has one row of everybody per period; None of another.

    The number is the first that the table declares.
    """
    schema, key = spec.schema, spec.promise.key
    period = next((name for name in key if schema[name] == pl.Date), None)
    number = next((name for name in schema if name not in key and schema[name].is_numeric()), None)
    choices = {name: ALL for name in _EVERYBODY if name in key}
    others = set(key) - {period, "grain", *choices}
    if period is None or number is None or others:
        return None
    chosen = rows.filter(**choices)
    if "grain" in key:
        # day, month, quarter, week: where there are days, they come first.
        chosen = chosen.filter(pl.col("grain") == pl.col("grain").min())
    found = chosen.select(period, pl.col(number).cast(pl.Float64)).sort(period)
    last = found.drop_nulls().tail(_PERIODS).collect()
    return _drawn(number, last[period].to_list(), last[number].to_list())


def _drawn(number: str, periods: list[date], values: list[float]) -> str | None:
    if not values:
        return None
    low, high = min(values), max(values)
    step = (high - low) / (len(_BARS) - 1) or 1
    bars = "".join(_BARS[round((value - low) / step)] for value in values)
    return f"{bars} {number}, {periods[0]} to {periods[-1]}: {low:,.10g} to {high:,.10g}"
