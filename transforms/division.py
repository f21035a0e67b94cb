"""The one place where anything is divided."""

import polars as pl


def ratio(numerator: str | pl.Expr, denominator: str | pl.Expr) -> pl.Expr:
    """``numerator / denominator`` as Float64; null where the denominator is zero or either is null.

    A plain string names a column.
    """
    above = pl.col(numerator) if isinstance(numerator, str) else numerator
    below = pl.col(denominator) if isinstance(denominator, str) else denominator
    dividend = above.cast(pl.Float64)
    # Polars divides by one number as it multiplies by the inverse: 35.7 s came out as
    # 35.699999999999996, and by how many rows there were. By a column it is a division.
    quotient = dividend / (below.cast(pl.Float64) + dividend * 0)
    return pl.when(below != 0).then(quotient)
