"""Whether two computations of a table agree, cell by cell."""

import polars as pl

_LAST_BITS = 1e-12


def assert_equal_tables(name: str, found: pl.DataFrame, expected: pl.DataFrame) -> None:
    """The same rows in any order; ratios may differ in the last bits of one division."""
    typed = expected.select(found.columns).cast(dict(found.schema))
    floats = [column for column, dtype in found.schema.items() if dtype == pl.Float64]
    exact = [column for column in found.columns if column not in floats]
    left, right = found.sort(exact), typed.sort(exact)
    assert left.height == right.height, f"{name}: {left.height} rows against {right.height}"
    assert left.select(exact).equals(right.select(exact)), name
    for column in floats:
        assert left[column].is_null().equals(right[column].is_null()), f"{name}.{column}"
        apart = (left[column] - right[column]).abs().max()
        assert apart is None or float(apart) < _LAST_BITS, f"{name}.{column}: {apart}"
