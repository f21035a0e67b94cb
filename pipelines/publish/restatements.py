"""What a publication changes in numbers that readers had already seen.

The log lies beside the tables it tells of and turns with them, so that a run that was killed has
either published and logged a change, or neither. It is no part of what names a publication: the
same tables are the same publication, whatever they were before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from pipelines.warehouse.specs import Spec
from schemas.base import Table, dtypes, is_moving, promise_of, settles_later
from schemas.restatements import Restatements

LOG_SPEC = Spec("restatements", "whole", {}, "ledgers")
LOG = f"{LOG_SPEC.name}.parquet"
_CELL = ["table", "key", "column", "period_start", "old_value", "new_value"]


@dataclass(frozen=True)
class Occasion:
    """When a publication is made, and why numbers of a table may differ from those before."""

    published_at: datetime
    causes: Mapping[str, str]


def is_compared(spec: Spec) -> bool:
    """Whether a table has numbers of periods, which are restated where they change."""
    return "is_complete" in spec.schema and bool(_numbers(spec.model))


def restated(spec: Spec, old: pl.DataFrame, now: pl.DataFrame) -> pl.DataFrame:
    """The numbers of a table that differ from those that were published, one row each.

    A table that is not compared, or had another key before, has none.
    """
    if not is_compared(spec):
        return _none()
    names = _numbers(spec.model)
    key = list(spec.promise.key)
    if not {*key, "is_complete"} <= set(old.columns):
        return _none()
    names = [name for name in names if name in old.columns]
    numbers = [pl.col(name).cast(spec.schema[name], strict=False) for name in names]
    before = old.select(*key, "is_complete", *numbers)
    seen = before.filter("is_complete")
    before, now = without_twins(before, now, [*key, *names], _day(spec))
    come = _come_to(seen, now.join(before, on=key, how="anti"), key)
    complete = before.filter("is_complete").drop("is_complete")
    rows = [_in_both(complete, now, key, names), _gone(complete, now, key, names)]
    return _cells(spec, pl.concat([*rows, _beside_nulls(come, key, names)]), key, names)


def without_twins(
    old: pl.DataFrame, now: pl.DataFrame, columns: Sequence[str], day: str
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Both without rows that have a twin in the other, alike in ``columns``, at the same place.

    Of days that have as many rows as they had most rows stand where they stood, and to compare
    place by place costs little beside a join. Twins that stand elsewhere stay.
    """
    sizes = [frame[day].value_counts(name="rows") for frame in (old, now)]
    days = sizes[0].join(sizes[1], on=[day, "rows"])[day].implode()
    is_old, is_now = (frame[day].is_in(days, nulls_equal=True) for frame in (old, now))
    here, there = old.filter(is_old), now.filter(is_now)
    is_same = pl.all_horizontal(pl.col(name).eq_missing(there[name]) for name in columns)
    is_apart = ~here.select(is_same).to_series()
    return (
        pl.concat([old.filter(~is_old), here.filter(is_apart)]),
        pl.concat([now.filter(~is_now), there.filter(is_apart)]),
    )


def log_of(before: Path, found: Sequence[pl.DataFrame], occasion: Occasion) -> pl.DataFrame:
    """The log with what a publication adds to it."""
    schema = dtypes(Restatements)
    told = pl.read_parquet(before) if before.exists() else pl.DataFrame(schema=schema)
    added = pl.concat([_none(), *found]).with_columns(
        published_at=pl.lit(occasion.published_at, schema["published_at"]),
        cause=pl.col("table").replace_strict(occasion.causes, return_dtype=pl.String),
    )
    return pl.concat([told.select(list(schema)), added.select(list(schema))])


def _numbers(model: type[Table]) -> list[str]:
    """Columns whose change is a restatement: numbers that do not move by themselves."""
    key = promise_of(model).key
    if is_moving(model):
        return []
    return [
        name
        for name, dtype in dtypes(model).items()
        if name not in key and dtype.is_numeric() and not is_moving(model, name)
    ]


def _in_both(
    complete: pl.DataFrame, now: pl.DataFrame, key: list[str], names: list[str]
) -> pl.DataFrame:
    """Complete rows of before that are there now and differ in any number."""
    differing = complete.join(now, on=[*key, *names], how="anti", nulls_equal=True)
    present = now.select(*key, *(pl.col(name).alias(f"{name} now") for name in names))
    return differing.join(present, on=key)


def _gone(
    complete: pl.DataFrame, now: pl.DataFrame, key: list[str], names: list[str]
) -> pl.DataFrame:
    """Rows that left complete periods."""
    return complete.join(now, on=key, how="anti").with_columns(
        pl.lit(None, complete.schema[name]).alias(f"{name} now") for name in names
    )


def _come_to(seen: pl.DataFrame, come: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    """Of rows that came those of periods of which rows were ``seen``."""
    period = [name for name in key if _tells_period(name, come.schema[name])]
    wanted = seen.join(come.select(period).unique(), on=period, how="semi")
    return come.join(wanted, on=period, how="semi")


def _beside_nulls(come: pl.DataFrame, key: list[str], names: list[str]) -> pl.DataFrame:
    """Rows that came, which had no number before."""
    return come.select(
        *key,
        *(pl.lit(None, come.schema[name]).alias(name) for name in names),
        *(pl.col(name).alias(f"{name} now") for name in names),
    )


def _tells_period(name: str, dtype: pl.DataType) -> bool:
    return dtype == pl.Date or name in ("grain", "definition", "period_index")


def _cells(spec: Spec, rows: pl.DataFrame, key: list[str], names: list[str]) -> pl.DataFrame:
    if rows.is_empty():
        return _none()
    cells = [
        rows.filter(_differs(spec.model, name)).select(
            table=pl.lit(spec.name),
            key=pl.struct(key).struct.json_encode(),
            column=pl.lit(name),
            period_start=_day(spec),
            old_value=pl.col(name).cast(pl.Float64),
            new_value=pl.col(f"{name} now").cast(pl.Float64),
        )
        for name in names
    ]
    return pl.concat([_none(), *cells])


def _day(spec: Spec) -> str:
    """The key's first date: the period that a number is of."""
    return next(name for name in spec.promise.key if spec.schema[name] == pl.Date)


def _differs(model: type[Table], name: str) -> pl.Expr:
    old, new = pl.col(name), pl.col(f"{name} now")
    if settles_later(model, name):
        return old.ne_missing(new) & old.is_not_null()
    return old.ne_missing(new)


def _none() -> pl.DataFrame:
    return pl.DataFrame(schema=dtypes(Restatements)).select(_CELL)
