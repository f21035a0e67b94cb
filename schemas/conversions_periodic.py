"""Goals that sessions reach, by calendar week and month."""

import polars as pl

from schemas.base import DO_NOT_SUM_DAYS, Table, column, table
from schemas.conversion_counts import COUNT_RULES, ConversionCounts


class _Period(Table):
    grain: pl.String = column("Length of the period", isin=["week", "month"])
    period_start: pl.Date = column("First day of the period")


@table(
    grain="one row per week or month, goal, dimension and segment",
    key=["grain", "period_start", "goal", "dimension", "segment"],
    slice_by="period_start",
    warnings=[
        DO_NOT_SUM_DAYS,
        "Sessions and visitors stand beside every goal: never sum them over goals.",
    ],
    rules=COUNT_RULES,
)
class ConversionsPeriodic(ConversionCounts, _Period):
    """Conversions of the sessions that start in a calendar week or month.

    People are counted once however often they convert. A running period shows what there is so far,
    marked as not complete.
    """

    is_complete: pl.Boolean = column("The period's last day is not after data_through")
