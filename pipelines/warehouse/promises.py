"""Whether built rows keep what their schema promises. A broken promise is a fault of ours."""

from functools import cache

import polars as pl

from schemas.base import Table, dtypes, promise_of
from schemas.violations import violations


class BrokenPromiseError(Exception):
    """A built table does not keep its schema: nothing of it is stored."""


def check_promise(frame: pl.DataFrame, table: str, model: type[Table]) -> None:
    """Raise BrokenPromiseError where types, values or the key are not as the schema says."""
    if frame.schema != dtypes(model):
        raise BrokenPromiseError(f"{table}: columns are {frame.schema}, promised {dtypes(model)}")
    if frame.is_empty():
        return
    said, broken = _promises(model)  # type: ignore[arg-type]
    found = frame.select(broken).row(0)
    faults = [text for text, is_broken in zip(said, found, strict=True) if is_broken]
    if faults:
        raise BrokenPromiseError(f"{table}: {'; '.join(faults)}")
    _check_key(frame, table, model)


@cache
def _promises(model: type[Table]) -> tuple[list[str], list[pl.Expr]]:
    """What to say of each broken promise, and whether any row breaks it."""
    said, broken = zip(*violations(model), strict=True)
    any_row = [pl.any_horizontal(False, rows).any().alias(str(i)) for i, rows in enumerate(broken)]
    return list(said), any_row


def _check_key(frame: pl.DataFrame, table: str, model: type[Table]) -> None:
    key = list(promise_of(model).key)
    # Equal hashes are rare: only then the keys themselves are compared.
    if frame.select(pl.struct(key).hash().n_unique()).item() == frame.height:
        return
    twins = frame.select(key).is_duplicated()
    if twins.any():
        example = frame.select(key).filter(twins).row(0)
        raise BrokenPromiseError(f"{table}: the key {key} is not unique, for example {example}")
