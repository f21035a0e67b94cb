"""Stable ids from what a row says: the same row has the same id wherever and whenever it lands.

The hash is of text built here, of integers and Python's own number format, so that neither the
version of the engine nor a column that the contract gains later changes an id.
"""

from hashlib import blake2b

import polars as pl

from pipelines.landing.sources import Source
from schemas.base import dtypes

DEFAULTED = "\0given"
_SEPARATOR = "-"


def content_ids(landed: pl.DataFrame, source: Source, id_column: str) -> pl.Series:
    """The ids of the rows: their own, else blake2b of their content, 32 hexadecimal digits."""
    own = landed[id_column]
    lacking = own.is_null()
    if not lacking.any():
        return own
    texts = _contents(landed.filter(lacking), source, id_column)
    made = [blake2b(text.encode(), digest_size=16).hexdigest() for text in texts]
    return own.scatter(lacking.arg_true(), pl.Series(made, dtype=pl.String))


def _contents(rows: pl.DataFrame, source: Source, id_column: str) -> pl.Series:
    if source.received:
        # A default says when the file landed, not what the row says.
        given = pl.when(DEFAULTED).then(pl.col(source.received))
        rows = rows.with_columns(given)
    names = [name for name in dtypes(source.contract) if name != id_column]
    parts = []
    for name in [*names, "extra"]:
        if rows[name].null_count() < rows.height:
            text = _canonical(rows[name])
            said = pl.lit(text)
            # Lengths make it unambiguous: no value can pass for two.
            length = said.str.len_bytes().cast(pl.String)
            parts.append(pl.concat_str(pl.lit(name + ":"), length, pl.lit(":"), said))
    return rows.select(pl.concat_str(parts, separator=";", ignore_nulls=True)).to_series()


def _canonical(values: pl.Series) -> pl.Series:
    if values.dtype == pl.String:
        return values
    if values.dtype.is_float():
        said = [None if value is None else repr(value + 0.0) for value in values]
        return pl.Series(values.name, said, dtype=pl.String)
    if values.dtype == pl.Boolean:
        return values.cast(pl.Int8).cast(pl.String)
    return values.to_physical().cast(pl.String)


def number_occurrences(landed: pl.DataFrame, id_column: str, numbered: pl.Series) -> pl.DataFrame:
    """Equal rows of one file as several: the second's id ends in -2, the third's in -3.

    Rows of a file must stand in the order of their lines.
    """
    hashes = landed[id_column].hash()
    suspects = (numbered & hashes.is_duplicated()).arg_true()
    if not len(suspects):
        return landed
    some = landed[suspects].select("intake", id_column)
    nth = some.select(pl.int_range(1, pl.len() + 1).over("intake", id_column)).to_series()
    renamed = some.select(
        pl.when(nth == 1)
        .then(pl.col(id_column))
        .otherwise(pl.col(id_column) + _SEPARATOR + pl.lit(nth).cast(pl.String))
    ).to_series()
    return landed.with_columns(landed[id_column].scatter(suspects, renamed))
