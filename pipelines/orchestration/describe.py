"""What Dagster shows of a table: the words of its schema, and the figures of what is stored."""

import inspect
from datetime import date
from typing import Any

import dagster as dg
import polars as pl

from pipelines.orchestration import lineage
from pipelines.publish.catalog import column_comment
from pipelines.session import Session
from pipelines.warehouse.specs import Spec
from schemas.base import Table, promise_of

OWNERS = ("team:data",)
# All that changes a home: dagster.yaml lets one run at a time into a pool.
POOL = "tidemark_home"
Metadata = dict[str, Any]
_SIGNS = {
    "greater_than_or_equal_to": "\u2265",
    "less_than_or_equal_to": "\u2264",
    "greater_than": ">",
    "less_than": "<",
}


def description_of(model: type[Table]) -> str:
    """Meaning, grain, key and warnings of a table."""
    promise = promise_of(model)
    parts = [inspect.getdoc(model) or "", f"Grain: {promise.grain}. Key: {', '.join(promise.key)}."]
    warnings = [f"**{warning}**" for warning in promise.warnings]
    return "\n\n".join([*parts, *warnings])


def columns_of(model: type[Table]) -> Metadata:
    """The columns tab: types, units, meaning and what is promised of each column."""
    key = promise_of(model).key
    columns = [
        dg.TableColumn(
            name,
            type=_type_of(column.dtype.type),
            description=column_comment(column.description, column.metadata),
            constraints=dg.TableColumnConstraints(
                nullable=column.nullable,
                unique=key == (name,),
                other=[_constraint(str(check.error)) for check in column.checks if check.error],
            ),
        )
        for name, column in model.to_schema().columns.items()
    ]
    return {"dagster/column_schema": dg.TableSchema(columns=columns)}


def _type_of(dtype: object) -> str:
    return "Timestamp (UTC)" if isinstance(dtype, pl.Datetime) else str(dtype)


def _constraint(said: str) -> str:
    """A check of pandera in fewer signs: columns of the page are narrow."""
    for name, sign in _SIGNS.items():
        if said.startswith(f"{name}("):
            return f"{sign} {said[len(name) + 1 : -1]}"
    return said


def made_from(spec: Spec) -> Metadata:
    """Of which columns each column is made: as Dagster's own lineage, and as a table to read."""
    known = lineage.kept().get(spec.name, {})
    columns = {name: known.get(name, {}) for name in spec.schema}
    deps = {
        column: [
            dg.TableColumnDep(asset_key=dg.AssetKey(table), column_name=name)
            for table, names in inputs.items()
            for name in names
        ]
        for column, inputs in columns.items()
    }
    rows = [f"| {name} | {_inputs(inputs)} |" for name, inputs in columns.items()]
    table = "\n".join(["| column | made from, keys and filters included |", "| --- | --- |", *rows])
    return {
        "dagster/column_lineage": dg.TableColumnLineage(deps_by_column=deps),
        "columns_made_from": dg.MetadataValue.md(table),
    }


def _inputs(inputs: lineage.Inputs) -> str:
    said = [f"**{table}**: {', '.join(names)}" for table, names in inputs.items()]
    # Dagster's pages drop all HTML, line breaks within a cell included.
    return "; ".join(said) or "nothing that is stored"


def stored(session: Session, table: str) -> Metadata:
    """Rows, files, bytes and place of a table of the warehouse."""
    files = [file for file in session.manifest.files.values() if file.table == table]
    return {
        "dagster/row_count": sum(file.rows for file in files),
        "files": len(files),
        "bytes": sum(file.bytes for file in files),
        "path": dg.MetadataValue.path(str(session.home.warehouse / table)),
    }


def published_as(session: Session, spec: Spec) -> Metadata:
    """Where readers find a table, if they do."""
    if not spec.promise.published:
        return {}
    file = session.shelf.path_of(f"{spec.name}.parquet")
    return {"published_as": dg.MetadataValue.path(str(file))}


def reach(session: Session, spec: Spec, today: date) -> Metadata:
    """Up to which day a table reaches, and how many days that lies behind today."""
    through = session.data_through(spec)
    if through is None:
        return {}
    return {"data_through": through.isoformat(), "days_late": (today - through).days}


def lines(items: list[str]) -> dg.MarkdownMetadataValue:
    """A list to read."""
    return dg.MetadataValue.md("\n".join(f"- {item}" for item in items) or "none")
