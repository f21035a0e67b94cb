"""Who was a customer at the edges of a month, counted: the columns of every churn table."""

from collections.abc import Sequence
from datetime import date

import polars as pl

from transforms.calendar import MONTH, period_end
from transforms.division import ratio

_COUNTS = (
    "customers_start",
    "new_customers",
    "reactivated_customers",
    "lost_customers",
    "customers_end",
)


def edge_counts(opening: pl.Expr, closing: pl.Expr, is_first: pl.Expr) -> list[pl.Expr]:
    """Counts of a group of customer-months: customer at the opening, at the closing, ever before.

    ``is_first`` says that the closing is the first edge ever at which they are a customer.
    """
    is_back = closing & ~opening & ~is_first
    conditions = (opening, closing & is_first, is_back, opening & ~closing, closing)
    return [
        condition.sum().cast(pl.Int64).alias(name)
        for name, condition in zip(_COUNTS, conditions, strict=True)
    ]


def with_churn_rates(cells: pl.LazyFrame, data_through: date, key: Sequence[str]) -> pl.LazyFrame:
    """``key``, the counts of :func:`edge_counts`, what is divided, and ``is_complete``."""
    is_complete = period_end(pl.col("month"), MONTH) <= data_through
    gained = pl.col("new_customers") + pl.col("reactivated_customers")
    return cells.with_columns(retained_customers=pl.col("customers_end") - gained).select(
        *key,
        *_COUNTS,
        "retained_customers",
        ratio("lost_customers", "customers_start").alias("churn_rate"),
        ratio("retained_customers", "customers_start").alias("retention_rate"),
        pl.when(is_complete).then(_annualised()).alias("annualised_churn_rate"),
        is_complete.alias("is_complete"),
    )


def _annualised() -> pl.Expr:
    """``1 - (1 - c)^12`` by products: they are the same everywhere, powers of floats are not."""
    kept = ratio("retained_customers", "customers_start")
    squared = kept * kept
    fourth = squared * squared
    return 1.0 - fourth * fourth * fourth
