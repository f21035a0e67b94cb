"""``tidemark export``: a published table as a file for spreadsheets."""

from datetime import date
from pathlib import Path

import polars as pl

from pipelines import registry
from pipelines.commands.console import console
from pipelines.errors import TidemarkError
from pipelines.export.sheet import write_xlsx
from pipelines.export.text import write_csv
from pipelines.home import Home
from pipelines.landing.nearest import did_you_mean
from pipelines.publish.restatements import LOG_SPEC
from pipelines.publish.shelf import Shelf
from pipelines.warehouse.disk import sync_file_system
from pipelines.warehouse.specs import Spec

_WRITERS = {"csv": write_csv, "xlsx": write_xlsx}
_SPECS = {spec.name: spec for spec in (*registry.PUBLISHED, LOG_SPEC)}


def export_table(
    home: Home,
    table: str,
    form: str,
    output: Path | None = None,
    first: date | None = None,
    last: date | None = None,
) -> None:
    """Write a published table as ``form`` to ``output``, or to a file of its name, and say so.

    ``first`` and ``last`` bound the day on which its periods start. Raises TidemarkError where
    there is no such table, or it does not fit.
    """
    spec = _spec(table)
    path = output or Path(f"{table}.{form}")
    if not path.parent.is_dir():
        raise TidemarkError(f"there is no folder {path.parent} to write {path.name} to")
    rows = pl.scan_parquet(_published(home, spec))
    if first or last:
        rows = rows.filter(_between(spec, first, last))
    fresh = path.with_name(f".{path.name}.new")
    try:
        written = _WRITERS[form](spec, rows, fresh)
        sync_file_system(path.parent)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
    console.print(f"Wrote {written:,} rows of {table} to {path}.")


def _spec(table: str) -> Spec:
    if table in _SPECS:
        return _SPECS[table]
    if table in registry.BY_NAME:
        raise TidemarkError(
            f"{table} is not published, it only serves to make others: "
            f"{did_you_mean(table, list(_SPECS))}"
        )
    raise TidemarkError(f"there is no table {table}: {did_you_mean(table, list(_SPECS))}")


def _published(home: Home, spec: Spec) -> Path:
    """The file in the publication of now: under its own name, which does not turn while it is read.

    A home that was copied without its links has the file itself.
    """
    shelf = Shelf(home.bi)
    name = f"{spec.name}.parquet"
    current = shelf.current_id
    path = shelf.folder_of(current) / name if current else shelf.path_of(name)
    if not path.exists():
        sources = ", ".join(registry.sources_of(spec))
        made = f"; it is made from {sources}" if sources else ""
        raise TidemarkError(
            f"{spec.name} is not published in {home.bi}: `tidemark run` publishes it once files "
            f"have landed{made}"
        )
    return path


def _between(spec: Spec, first: date | None, last: date | None) -> pl.Expr:
    days = [name for name in spec.promise.key if spec.schema[name] == pl.Date]
    if not days:
        raise TidemarkError(
            f"{spec.name} has no day in its key, so that --from and --to do not apply to it"
        )
    return pl.col(days[0]).is_between(first or date.min, last or date.max)
