"""Of which columns a column is made: ``python -m pipelines.orchestration.lineage``.

What a transform must read to compute one column is asked of polars: its query is cut down to that
column, and each input notes which of its columns are still wanted. Keys and filters count, and a
column behind a step of Python counts as made from all that the step is given. That takes half a
minute for all tables, so it is done once and kept in ``lineage.json``, which a test compares with
the tables.
"""

import json
import tomllib
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
from polars.io.plugins import register_io_source

from pipelines import registry
from pipelines.commands.sample import SETTINGS
from pipelines.references import REFERENCES
from pipelines.settings import Settings
from pipelines.warehouse.specs import Spec

# Input tables and the columns of them that are read.
Inputs = dict[str, list[str]]
_FILE = Path(__file__).with_name("lineage.json")
_ANY_DAY = date(2025, 3, 31)


@cache
def kept() -> dict[str, dict[str, Inputs]]:
    """By table and column, what the column is made from, as it was written down."""
    groups = json.loads(_FILE.read_text(encoding="utf-8"))
    return {
        table: {column: each["from"] for each in some for column in each["columns"]}
        for table, some in groups.items()
    }


def lineage_of(spec: Spec, settings: Settings) -> dict[str, Inputs]:
    """By column of a table, what must be read to compute it; nothing is read from a disk."""
    wanted: dict[str, set[str]] = {}
    inputs = {name: _noting(name, wanted) for name in spec.reads}
    options: dict[str, Any] = spec.option_values(settings)
    options |= {name: REFERENCES[name].load() for name in spec.references}
    if "data_through" in spec.options:
        options["data_through"] = _ANY_DAY
    query = spec.transform(**inputs, **options)
    found = {}
    for column in spec.schema:
        wanted.clear()
        query.select(column).collect(engine="in-memory")
        found[column] = {name: sorted(wanted[name]) for name in sorted(wanted) if wanted[name]}
    return found


def _noting(table: str, wanted: dict[str, set[str]]) -> pl.LazyFrame:
    """An input without rows that notes which of its columns a query asks for."""
    schema = registry.FILINGS[table].schema

    def give(
        columns: list[str] | None, predicate: pl.Expr | None, rows: int | None, batch: int | None
    ) -> Iterator[pl.DataFrame]:
        del rows, batch
        named = list(schema) if columns is None else columns
        filtered = predicate.meta.root_names() if predicate is not None else []
        wanted.setdefault(table, set()).update(named, filtered)
        yield pl.DataFrame(schema=schema).select(named)

    return register_io_source(give, schema=schema)


def write() -> None:
    """Write down the lineage of every table; columns that are made from the same stand together."""
    settings = Settings(**tomllib.loads(SETTINGS))
    tables = {spec.name: _grouped(lineage_of(spec, settings)) for spec in registry.TABLES}
    lines = [f'"{name}": [\n{_lines(groups)}\n]' for name, groups in tables.items()]
    _FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def _grouped(lineage: dict[str, Inputs]) -> list[dict[str, Any]]:
    groups: dict[str, dict[str, Any]] = {}
    for column, inputs in lineage.items():
        group = groups.setdefault(json.dumps(inputs), {"columns": [], "from": inputs})
        group["columns"].append(column)
    return list(groups.values())


def _lines(groups: list[dict[str, Any]]) -> str:
    return ",\n".join(f" {json.dumps(group)}" for group in groups)


if __name__ == "__main__":
    write()
