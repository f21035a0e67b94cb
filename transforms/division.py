"""The one place where anything is divided."""

import polars as pl


def ratio(numerator: str | pl.Expr, denominator: str | pl.Expr) -> pl.Expr:
    """``numerator / denominator`` as Float64; null where the denominator is zero or either is null.

    A plain string names a column.
    """
    above = pl.col(numerator) if isinstance(numerator, str) else numerator
    below = pl.col(denominator) if isinstance(denominator, str) else denominator
    quotient = above.cast(pl.Float64) / below.cast(pl.Float64)
    return pl.when(below != 0).then(quotient)
