"""How a table's promise is written down: the model, its columns, and what is said about both.

One declaration feeds the checks, the storage types, the Parquet footers, the catalogue's comments
and Dagster's column tab. No table is declared here.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, TypeVar

import pandera.polars as pa
import polars as pl

DO_NOT_SUM_DAYS = "Distinct people do not add up: never sum this over dates, periods or segments."
ALL = "all"
UNKNOWN = "unknown"

Timestamp = Annotated[pl.Datetime, "us", "UTC"]
# Four decimals hold every currency, prices of a tenth of a cent, and a month of a yearly price.
Money = Annotated[pl.Decimal, 18, 4]
# What one row may bring: beyond it lies a mistake, and sums of such would not fit.
MOST_MONEY = 10**12
Rate = Annotated[pl.Decimal, 18, 8]


class Table(pa.DataFrameModel):
    """A table of the warehouse. Columns appear in the order in which they are declared."""

    class Config:  # noqa: D106
        strict = True
        ordered = True


@dataclass(frozen=True)
class Promise:
    """What a table says of itself beside its columns."""

    grain: str
    key: tuple[str, ...]
    order: tuple[str, ...]
    slice_by: str | None
    warnings: tuple[str, ...]
    rules: tuple[tuple[str, pl.Expr], ...]
    published: bool


_Model = TypeVar("_Model", bound=type[Table])
_PROMISES: dict[type[Table], Promise] = {}


def table(
    *,
    grain: str,
    key: Iterable[str],
    slice_by: str | None = None,
    order: Iterable[str] | None = None,
    warnings: Iterable[str] = (),
    rules: Iterable[tuple[str, pl.Expr]] = (),
    published: bool = True,
) -> Callable[[_Model], _Model]:
    """State a table's grain and key.

    ``slice_by`` is the date column that files a row under its day or month (None: the table is one
    slice). ``order`` is the stored order where it is not the key's. ``rules`` are promises about
    several columns of a row: what to say when it is broken, and the expression that must hold.
    ``published`` tables appear in bi/.
    """
    keys = tuple(key)
    promise = Promise(
        grain, keys, tuple(order or keys), slice_by, tuple(warnings), tuple(rules), published
    )

    def attach(model: _Model) -> _Model:
        _PROMISES[model] = promise
        return model

    return attach


def promise_of(model: type[Table]) -> Promise:
    """The grain, key and warnings that were stated with :func:`table`."""
    return _PROMISES[model]


def column(
    description: str,
    *,
    unit: str | None = None,
    formula: str | None = None,
    warning: str | None = None,
    settles: str | None = None,
    nullable: bool = False,
    **checks: Any,
) -> Any:
    """A column with its meaning. ``checks`` are pandera's own (ge, le, isin, str_length, ...).

    A ``warning`` that begins with "Moving" says that the number changes as time goes by.
    ``settles`` says when a number is first known, where that is after its period is complete.
    """
    said = {"unit": unit, "formula": formula, "warning": warning, "settles": settles}
    metadata = {name: text for name, text in said.items() if text}
    return pa.Field(
        description=description,
        metadata=metadata,
        nullable=nullable,
        **checks,
    )


def timestamp(description: str, **options: Any) -> Any:
    """A column of instants: microseconds, UTC. Annotate it with ``Timestamp``."""
    return column(description, unit="UTC", **options)


def count(description: str, **options: Any) -> Any:
    """A column of counts, zero or more. Annotate it with ``pl.Int64``."""
    return column(description, ge=0, **{"unit": "count", **options})


def money(description: str, **options: Any) -> Any:
    """An amount in the reporting currency, to four decimals. Annotate it with ``Money``."""
    return column(description, unit="reporting currency", **options)


def share(description: str, *, formula: str, **options: Any) -> Any:
    """A fraction of 0 to 1, null where its denominator is zero. Annotate it with ``pl.Float64``."""
    return column(
        description, unit="fraction", formula=formula, nullable=True, ge=0.0, le=1.0, **options
    )


def dtypes(model: type[Table]) -> dict[str, pl.DataType]:
    """Column names and polars types, in order."""
    return dict(_dtypes(model))  # type: ignore[arg-type]


@cache
def _dtypes(model: type[Table]) -> dict[str, pl.DataType]:
    # pandera hands out a copy of the whole schema each time.
    return {name: spec.dtype.type for name, spec in model.to_schema().columns.items()}


def is_moving(model: type[Table], name: str | None = None) -> bool:
    """Whether a column, or a whole table, changes as time goes by and so is never restated."""
    if name is None:
        warnings: Iterable[str] = promise_of(model).warnings
    else:
        said = model.to_schema().columns[name].metadata or {}
        warnings = [said.get("warning", "")]
    return any(warning.lower().startswith("moving") for warning in warnings)


def settles_later(model: type[Table], name: str) -> bool:
    """Whether a number is first known some time after its period is complete."""
    return "settles" in (model.to_schema().columns[name].metadata or {})


def empty(model: type[Table]) -> pl.LazyFrame:
    """The table without rows."""
    return pl.LazyFrame(schema=dtypes(model))
