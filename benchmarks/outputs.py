"""The tables that every contender makes, and whether two of them agree cell by cell.

They are what Tidemark publishes, less the columns that only Tidemark has: it computes and
validates those all the same.
"""

from pathlib import Path

import polars as pl

from benchmarks.names import OUTPUTS, SESSION_DIMENSIONS
from pipelines.home import open_home
from pipelines.session import reading
from tests.oracle.compare import assert_equal_tables

# user_days is a spine: every one of the others is made from it, or beside it.
SELECTED = tuple(name for name in OUTPUTS if name != "user_days")


def tidemark_tables(home: Path) -> dict[str, pl.LazyFrame]:
    """What a home holds of the outputs."""
    tables = {name: pl.scan_parquet(home / "bi" / f"{name}.parquet") for name in SELECTED}
    is_asked = pl.col("dimension").is_in(["all", *SESSION_DIMENSIONS])
    tables["sessions_daily"] = tables["sessions_daily"].filter(is_asked)
    with reading(open_home(home)) as session:
        rows = session.scan("user_days")
    by_day = rows.group_by("event_date", "user_id").agg(pl.col("active_events").sum())
    tables["user_days"] = by_day.collect().lazy()
    return {name: tables[name].select(columns) for name, columns in OUTPUTS.items()}


def assert_agree(expected: Path, folder: Path) -> None:
    """Fails with the first table of a contender's folder that is not as in the expected one."""
    for name, columns in OUTPUTS.items():
        found = _read(expected / f"{name}.parquet", columns)
        assert_equal_tables(name, found, _read(folder / f"{name}.parquet", columns))


def _read(path: Path, columns: tuple[str, ...]) -> pl.DataFrame:
    """A table of one file, or of a folder as Spark writes it; instants are UTC, without a zone."""
    table = pl.scan_parquet(path if path.is_file() else path / "*.parquet").select(columns)
    instants = [
        pl.col(name).dt.replace_time_zone(None).dt.cast_time_unit("us")
        for name, dtype in table.collect_schema().items()
        if isinstance(dtype, pl.Datetime)
    ]
    return table.with_columns(instants).collect()
