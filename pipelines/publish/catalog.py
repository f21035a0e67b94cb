"""``bi/catalog.duckdb``: every published table as a view, with comments on it and its columns.

A catalogue belongs to one publication and turns with it. Its views name the files of just that
publication: DuckDB opens a file more than once for a query, and under a stable name it could meet
the footer of one night and the rows of the next. Who holds a catalogue open keeps seeing its night,
whole, for as long as the shelf keeps it. The paths are absolute, because DuckDB resolves relative
ones against the reader's working directory; after a home was moved the next run mends them.
"""

from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from pipelines.errors import TidemarkError
from pipelines.warehouse.digests import code_version, digest_of
from pipelines.warehouse.disk import remove, sync_file_system
from pipelines.warehouse.specs import Spec

CATALOG = "catalog.duckdb"


def catalog_digest(specs: Sequence[Spec], folder: Path) -> bytes:
    """What the catalogue is made from."""
    parts = [duckdb.__version__.encode(), str(folder).encode()]
    for spec in specs:
        columns = ",".join(_columns(folder, spec))
        parts += [f"{spec.name}: {columns}".encode(), code_version(f"schemas.{spec.name}")]
    return digest_of(parts)


def replace_catalog(specs: Sequence[Spec], folder: Path) -> None:
    """Write the catalogue of the tables in ``folder``, in place of the one before in one step."""
    fresh = folder / f".{CATALOG}.new"
    # What a killed run left of it: a log would be played into the new file.
    remove([fresh, fresh.with_name(f"{fresh.name}.wal")])
    try:
        _write(fresh, specs, folder)
    except duckdb.OperationalError as error:
        raise TidemarkError(
            f"{folder / CATALOG} cannot be written: {str(error).splitlines()[0]}. Make room or "
            "permissions, and run again"
        ) from error
    sync_file_system(folder)
    fresh.rename(folder / CATALOG)


def _write(path: Path, specs: Sequence[Spec], folder: Path) -> None:
    # DuckDB opens the files of a view when it is made: they must be there before.
    with duckdb.connect(str(path), config={"threads": 1}) as connection:
        connection.execute(";".join(["BEGIN", *(_statements(each, folder) for each in specs)]))
        connection.execute("COMMIT")


def _statements(spec: Spec, folder: Path) -> str:
    """What makes the view of a table, and comments on it and its columns."""
    columns = _columns(folder, spec)
    statements = [
        _view(spec, folder, columns),
        f"COMMENT ON VIEW {spec.name} IS {_quoted(table_comment(spec))}",
    ]
    described = spec.model.to_schema().columns
    for name in filter(described.__contains__, columns):
        said = column_comment(described[name].description, described[name].metadata)
        statements.append(f'COMMENT ON COLUMN {spec.name}."{name}" IS {_quoted(said)}')
    return ";".join(statements)


def table_comment(spec: Spec) -> str:
    """What is said of a table: what it is, what counts in it, its grain, its warnings."""
    summary = (spec.model.__doc__ or "").strip().split("\n")[0]
    return " ".join([spec.title, summary, f"Grain: {spec.promise.grain}.", *spec.promise.warnings])


def column_comment(description: str, metadata: dict[str, str] | None) -> str:
    """What is said of a column: meaning, unit, formula, warning."""
    said = metadata or {}
    parts = [description]
    parts += [
        f"{key}: {said[key]}" for key in ("unit", "formula", "warning", "settles") if key in said
    ]
    return "; ".join(parts)


def _columns(folder: Path, spec: Spec) -> list[str]:
    """Columns of the published file; a table that waits may lack what its schema promises now."""
    return list(pq.read_schema(folder / f"{spec.name}.parquet").names)


def _view(spec: Spec, folder: Path, names: Sequence[str]) -> str:
    columns = ", ".join(f'"{name}"' for name in names)
    file = folder / f"{spec.name}.parquet"
    return f"CREATE VIEW {spec.name} AS SELECT {columns} FROM read_parquet({_quoted(str(file))})"


def _quoted(text: str) -> str:
    escaped = text.replace("'", "''")
    return f"'{escaped}'"
