"""``bi/catalog.duckdb``: every published table as a view, with comments on it and its columns.

The views name the stable files by absolute path, because DuckDB resolves relative ones against the
reader's working directory. So the catalogue changes only when tables come, go or change their
columns, or when the home was moved; on most nights it is left as it is, open or not.
"""

from collections.abc import Sequence
from pathlib import Path

import duckdb

from pipelines.warehouse.digests import code_version, digest_of
from pipelines.warehouse.disk import sync_file_system
from pipelines.warehouse.specs import Spec

CATALOG = "catalog.duckdb"


def catalog_digest(specs: Sequence[Spec], folder: Path) -> bytes:
    """What the catalogue is made from."""
    tables = [spec.name.encode() + code_version(f"schemas.{spec.name}") for spec in specs]
    return digest_of([duckdb.__version__.encode(), str(folder).encode(), *tables])


def replace_catalog(specs: Sequence[Spec], folder: Path) -> None:
    """Write the catalogue of the tables in ``folder``, in place of the one before in one step."""
    fresh = folder / f".{CATALOG}.new"
    fresh.unlink(missing_ok=True)
    _write(fresh, specs, folder)
    sync_file_system(folder)
    fresh.rename(folder / CATALOG)


def _write(path: Path, specs: Sequence[Spec], folder: Path) -> None:
    # DuckDB opens the files of a view when it is made: they must be there before.
    with duckdb.connect(str(path)) as connection:
        for spec in specs:
            connection.execute(_view(spec, folder / f"{spec.name}.parquet"))
            connection.execute(f"COMMENT ON VIEW {spec.name} IS {_quoted(table_comment(spec))}")
            for name, column in spec.model.to_schema().columns.items():
                comment = _quoted(column_comment(column.description, column.metadata))
                connection.execute(f'COMMENT ON COLUMN {spec.name}."{name}" IS {comment}')


def table_comment(spec: Spec) -> str:
    """What is said of a table: what it is, its grain, its warnings."""
    summary = (spec.model.__doc__ or "").strip().split("\n")[0]
    return " ".join([summary, f"Grain: {spec.promise.grain}.", *spec.promise.warnings])


def column_comment(description: str, metadata: dict[str, str] | None) -> str:
    """What is said of a column: meaning, unit, formula, warning."""
    said = metadata or {}
    parts = [description]
    parts += [f"{key}: {said[key]}" for key in ("unit", "formula", "warning") if key in said]
    return "; ".join(parts)


def _view(spec: Spec, file: Path) -> str:
    columns = ", ".join(f'"{name}"' for name in spec.schema)
    return f"CREATE VIEW {spec.name} AS SELECT {columns} FROM read_parquet({_quoted(str(file))})"


def _quoted(text: str) -> str:
    escaped = text.replace("'", "''")
    return f"'{escaped}'"
