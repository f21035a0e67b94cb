"""Breakdowns by what customers are: which there are, and the months that each segment has.

A customer-month belongs to the segment at its opening edge, else to that at its closing one.
"""

from collections.abc import Sequence
from datetime import date

import polars as pl

from schemas.base import ALL
from transforms.money import MONEY
from transforms.recurring import NO_PLAN

CUSTOMER_DIMENSIONS = frozenset({"country", "segment", "plan"})
CELL = ["month", "dimension", "segment"]


def customer_dimensions(dimensions: Sequence[str]) -> list[str]:
    """Those of the setting ``dimensions`` that customers have, each once, in its order."""
    return [name for name in dict.fromkeys(dimensions) if name in CUSTOMER_DIMENSIONS]


def by_segment(
    customer_months: pl.LazyFrame, dimensions: Sequence[str], *sums: pl.Expr
) -> pl.LazyFrame:
    """``sums`` over the customers of each month, of everybody and of each segment."""
    opening, closing = pl.col("opening_plan"), pl.col("plan")
    edge = pl.when(opening != NO_PLAN).then(opening).otherwise(closing)
    values = {name: edge if name == "plan" else pl.col(name) for name in dimensions}
    everybody = {ALL: pl.lit(ALL)}
    return pl.concat(
        customer_months.group_by("month", segment.alias("segment"))
        .agg(*sums)
        .with_columns(dimension=pl.lit(name))
        .select(*CELL, pl.exclude(CELL))
        for name, segment in {**everybody, **values}.items()
    )


def every_month(cells: pl.LazyFrame, data_through: date, *keys: str) -> pl.LazyFrame:
    """Each month of each segment from its first to that of the horizon, zero where none was.

    ``month`` is the period, ``keys`` name what it is divided by; every other column is a count or
    an amount.
    """
    months = pl.date_ranges(pl.col("month").min(), pl.lit(data_through), "1mo")
    laid_out = cells.group_by(keys).agg(months.first()) if keys else cells.select(months)
    return (
        laid_out.explode("month")
        .drop_nulls("month")
        .join(cells, on=["month", *keys], how="left")
        .with_columns(
            pl.selectors.integer().fill_null(0),
            pl.selectors.decimal().fill_null(pl.lit(0, MONEY)),
        )
    )
