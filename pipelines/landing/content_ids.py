"""Stable ids from what a row says: the same row has the same id wherever and whenever it lands.

The hash is of text built here, of integers and Python's own number format, so that neither the
version of the engine nor a column that the contract gains later changes an id.
"""

from hashlib import blake2b

import polars as pl

from pipelines.landing.sorted_runs import SortedRuns
from pipelines.landing.sources import Source
from schemas.base import dtypes

DEFAULTED = "\0given"
_SEPARATOR = "-"
_PLACE = ("intake", "line", "item")
_RENAMED = "\0renamed"
_HASH = "\0hash"
# Ids that are looked at together for equal ones.
_IDS_AT_ONCE = 4_000_000


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
    renamed = some.select(_several_ids(id_column)).to_series()
    return landed.with_columns(landed[id_column].scatter(suspects, renamed))


def _several_ids(id_column: str) -> pl.Expr:
    nth = pl.int_range(1, pl.len() + 1).over("intake", id_column)
    return (
        pl.when(nth == 1)
        .then(pl.col(id_column))
        .otherwise(pl.col(id_column) + _SEPARATOR + nth.cast(pl.String))
    )


class Occurrences:
    """What :func:`number_occurrences` does, for rows that are too many for memory.

    Some of the ids made from content are looked at together, by their hashes; it holds the places
    and new ids of rows that are equal to an earlier one.
    """

    def __init__(self, runs: SortedRuns, numbered: str) -> None:
        """The column ``numbered`` says by which id a row's likes are told apart."""
        columns = {name for rows in runs.pieces([numbered]) for name in rows[numbered].unique()}
        self._renamed = {
            id_column: _renamed(runs, numbered, id_column) for id_column in sorted(columns - {None})
        }

    def numbered(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The rows with ids that tell equal ones apart."""
        for id_column, renamed in self._renamed.items():
            if renamed.height:
                joined = rows.join(renamed, on=_PLACE, how="left", maintain_order="left")
                said = pl.coalesce(_RENAMED, id_column).alias(id_column)
                rows = joined.with_columns(said).drop(_RENAMED)
        return rows


def _renamed(runs: SortedRuns, numbered: str, id_column: str) -> pl.DataFrame:
    """Places and new ids of rows that are equal to an earlier one of their file."""
    is_numbered = pl.col(numbered) == id_column
    count = sum(rows.select(is_numbered.sum()).item() for rows in runs.pieces([numbered]))
    parts = range(1 + count // _IDS_AT_ONCE)
    return pl.concat(
        _renamed_part(runs, numbered, id_column, pl.col(_HASH) % len(parts) == part)
        for part in parts
    )


def _renamed_part(
    runs: SortedRuns, numbered: str, id_column: str, is_part: pl.Expr
) -> pl.DataFrame:
    """The same of those ids whose hashes are of the part."""
    hashed = pl.col(id_column).hash().alias(_HASH)
    is_numbered = pl.col(numbered) == id_column
    columns = [numbered, id_column]
    hashes = pl.concat(
        rows.filter(is_numbered).select(hashed).filter(is_part)[_HASH]
        for rows in runs.pieces(columns)
    )
    twice = hashes.filter(hashes.is_duplicated()).unique()
    suspects = pl.concat(
        rows.filter(is_numbered & pl.col(id_column).hash().is_in(twice.implode()))
        for rows in runs.pieces([*columns, *_PLACE])
    )
    several = suspects.sort(_PLACE).with_columns(_several_ids(id_column).alias(_RENAMED))
    return several.filter(pl.col(_RENAMED) != pl.col(id_column)).select(*_PLACE, _RENAMED)
