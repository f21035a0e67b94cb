"""Sorting many rows by text and numbers: as numbers packed together."""

from collections.abc import Sequence
from typing import cast

import polars as pl

_WORD_BITS = 63
_FEW_ROWS = 10_000
_FEW = 1_000


def rank_of(values: pl.Series) -> pl.Series:
    """Each text's place among the distinct ones in their order; null where it is null."""
    is_head = values.ne_missing(values.shift(1))
    if 2 * cast(int, is_head.sum()) < values.len():
        # Each value comes several times in a row. Its first row is alike to what is above it only
        # where that is the null above the first of all.
        if values[0] is None:
            is_head[0] = True
        return _rank_by_sorting(values.filter(is_head)).gather(is_head.cum_sum() - 1)
    if is_mostly_distinct(values):
        return _rank_by_sorting(values)
    return values.cast(pl.Enum(values.drop_nulls().unique().sort())).to_physical().cast(pl.UInt32)


def is_mostly_distinct(values: pl.Series) -> bool:
    """Whether most values come once only."""
    return 2 * cast(int, values.approx_n_unique()) > values.len()


def _rank_by_sorting(values: pl.Series) -> pl.Series:
    return values.rank("dense").cast(pl.UInt32) - 1


def sorted_by(rows: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """The rows as ``rows.sort(by)`` gives them, nulls first; at once where they came so."""
    if rows.height < _FEW_ROWS:
        return rows.sort(by)
    keys = rows.select(by).rechunk()
    return rows if is_sorted(keys, by) else rows_at(rows, order_of(keys, by))


def rows_at(rows: pl.DataFrame, places: pl.Series) -> pl.DataFrame:
    """The rows at some places, in the order of these.

    To fetch from many pieces takes longer than to put them together, which is done column by
    column: the whole frame in one piece would be a second one.
    """
    return pl.DataFrame(column.rechunk().gather(places) for column in rows.iter_columns())


def is_sorted(rows: pl.DataFrame, by: Sequence[str]) -> bool:
    """Whether rows are in an order, nulls first; of those that are not, a few mostly tell."""
    few = rows.head(_FEW)
    return all(part.select(_follows(by).all()).item() for part in (few, rows))


def order_of(rows: pl.DataFrame, by: Sequence[str]) -> pl.Series:
    """Numbers of the rows in the order of some columns, nulls first.

    Text of few values counts by its rank. A column in which most values differ is looked at only
    where the columns before it are alike.
    """
    words, rest = _packed(rows, by)
    keys = pl.DataFrame(words).with_row_index("row")
    if not words:
        return rows.select(by).with_row_index("row").sort(by)["row"]
    names = [word.name for word in words]
    ordered = keys.sort(names)
    if not rest:
        return ordered["row"]
    is_again = pl.all_horizontal(pl.col(name) == pl.col(name).shift(1) for name in names)
    is_again = is_again.fill_null(False)
    tied = ordered.select(is_again | is_again.shift(-1, fill_value=False)).to_series()
    # Tied rows lie together: sorted by the rest too, they fill the same places.
    alike = ordered.filter(tied)
    by_rest = alike.hstack(rows.select(rest)[alike["row"]]).sort(*names, *rest)
    return ordered["row"].scatter(tied.arg_true(), by_rest["row"])


def _packed(rows: pl.DataFrame, by: Sequence[str]) -> tuple[list[pl.Series], Sequence[str]]:
    """Leading columns as few numbers that sort as they do, and the columns that are not in them."""
    words: list[pl.Series] = []
    free = 0
    for place, name in enumerate(by):
        numbers = _numbers(rows[name])
        if numbers is None:
            return words, by[place:]
        if numbers.null_count() == numbers.len():
            continue
        low, high = cast(int, numbers.min()), cast(int, numbers.max())
        bits = (high - low + 1).bit_length()
        if bits > _WORD_BITS:
            return words, by[place:]
        value = (numbers - low + 1).fill_null(0)
        if bits > free:
            words.append(value.alias(f"word_{len(words)}"))
            free = _WORD_BITS - bits
        else:
            words[-1] = words[-1] * 2**bits + value
            free -= bits
    return words, ()


def _numbers(values: pl.Series) -> pl.Series | None:
    """Integers in the same order; None where there are none, or they are dearly bought."""
    if values.dtype == pl.String:
        return None if is_mostly_distinct(values) else rank_of(values).cast(pl.Int64)
    if values.dtype.is_temporal() or values.dtype == pl.Boolean:
        return values.to_physical().cast(pl.Int64)
    fits = values.dtype.is_integer() and values.dtype not in (pl.UInt64, pl.Int128)
    return values.cast(pl.Int64) if fits else None


def _follows(by: Sequence[str]) -> pl.Expr:
    """Whether a row does not belong before the one above it."""
    follows = pl.lit(True)
    for name in reversed(by):
        above, here = pl.col(name).shift(1), pl.col(name)
        is_less = (above < here).fill_null(above.is_null() & here.is_not_null())
        follows = is_less | (above.eq_missing(here) & follows)
    return follows
