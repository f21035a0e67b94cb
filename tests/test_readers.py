"""Every published table opens in DuckDB, pyarrow, polars, pandas and Hyper with equal values."""

import math
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from homes import ROOT, make_home, run_home, scratch

from pipelines import registry
from pipelines.sample import ALL_SOURCES, write_sample
from pipelines.warehouse.specs import Spec

SETTINGS = """\
key_features = ["dashboard", "export"]
clv_holdout_weeks = 8
retention_periods = {days = 20, weeks = 4, months = 1}
[[retentions]]
name = "visitors"
start_events = ["signup"]
return_events = ["page_view"]
entry = "recurring"
"""
# DESIGN's list: what every BI tool can read.
ALLOWED = {
    pa.int64(),
    pa.float64(),
    pa.bool_(),
    pa.string(),
    pa.large_string(),
    pa.date32(),
    pa.timestamp("us", tz="UTC"),
}
Values = dict[str, list[Any]]

# Alerts need sixty days of history, more than the sample here has: that table has no row.
FILLED = [spec for spec in registry.PUBLISHED if spec.name != "metric_alerts"]
tables = pytest.mark.parametrize("spec", FILLED, ids=lambda spec: spec.name)


@pytest.fixture(scope="module")
def bi() -> Iterator[Path]:
    """The tables of a sample: every type of value and null that is lifelike."""
    with scratch() as folder:
        home = make_home(folder / "home", SETTINGS)
        (home / "landing" / "events").rmdir()
        truths = folder / "truths.json"
        write_sample(home / "landing", truths, days=45, users=800, seed=5, sources=ALL_SOURCES)
        run_home(home)
        yield home / "bi"


def plain(value: Any) -> Any:
    """A value as Python has it, whatever reader it comes from."""
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, float) and math.isnan(value):
        return None
    if isinstance(value, pd.Timestamp):
        value = value.to_pydatetime()
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    return value.item() if hasattr(value, "item") else value


def through_polars(path: Path) -> Values:
    return pl.read_parquet(path).to_dict(as_series=False)


def through_pyarrow(path: Path) -> Values:
    return dict(pq.read_table(path).to_pydict())


def through_pandas(path: Path) -> Values:
    frame = pd.read_parquet(path)
    return {name: list(frame[name]) for name in frame.columns}


def through_duckdb(path: Path) -> Values:
    with duckdb.connect(config={"threads": 1}) as connection:
        # Without a stated order DuckDB gives the rows as they are stored.
        result = connection.execute(f"SELECT * FROM '{path}'")
        names = [column[0] for column in result.description]
        rows = result.fetchall()
    return {name: [row[place] for row in rows] for place, name in enumerate(names)}


def through_catalog(path: Path) -> Values:
    catalog = str(path.parent / "catalog.duckdb")
    with duckdb.connect(catalog, read_only=True, config={"threads": 1}) as connection:
        result = connection.execute(f"SELECT * FROM {path.stem}")
        names = [column[0] for column in result.description]
        rows = result.fetchall()
    return {name: [row[place] for row in rows] for place, name in enumerate(names)}


@tables
def test_all_readers_read_the_same_values(bi: Path, spec: Spec) -> None:
    path = bi / f"{spec.name}.parquet"
    expected = {
        name: [plain(each) for each in column] for name, column in through_polars(path).items()
    }
    assert len(next(iter(expected.values()))) > 0
    for read in (through_pyarrow, through_pandas, through_duckdb, through_catalog):
        actual = read(path)
        assert list(actual) == list(expected)
        for name, column in expected.items():
            assert [plain(each) for each in actual[name]] == column, (read.__name__, name)


@pytest.fixture(scope="module")
def hyper() -> Iterator[Any]:
    """A connection to Tableau's own engine, by which extracts are made; it tells nobody."""
    api = pytest.importorskip("tableauhyperapi", reason="Tableau has no engine for this machine")
    with scratch() as folder:
        settings = {"log_dir": str(folder), "default_database_version": "2"}
        silent = api.Telemetry.DO_NOT_SEND_USAGE_DATA_TO_TABLEAU
        with (
            api.HyperProcess(telemetry=silent, parameters=settings) as process,
            api.Connection(
                process.endpoint, folder / "bi.hyper", api.CreateMode.CREATE
            ) as connection,
        ):
            yield connection


def as_python(value: Any) -> Any:
    """A value of Hyper's as Python has it."""
    if hasattr(value, "to_datetime"):
        # It has the microseconds of a moment in UTC, and its zone beside them.
        return value.to_datetime().replace(tzinfo=UTC)
    return value.to_date() if hasattr(value, "to_date") else value


@tables
def test_tableau_reads_the_same_values(bi: Path, hyper: Any, spec: Spec) -> None:
    path = bi / f"{spec.name}.parquet"
    hyper.execute_command(
        f"CREATE TABLE {spec.name} AS (SELECT * FROM external('{path}', FORMAT => 'parquet'))"
    )
    frame = pl.read_parquet(path)
    # An extract has no order of its own: the stored one gives it, in UTF-8 as polars sorts it.
    order = ", ".join(
        f'"{name}"' + (' COLLATE "binary"' if frame.schema[name] == pl.String else "")
        for name in spec.promise.order
    )
    with hyper.execute_query(f"SELECT * FROM {spec.name} ORDER BY {order}") as result:
        names = [column.name.unescaped for column in result.schema.columns]
        rows = [tuple(map(as_python, row)) for row in result]
    assert names == frame.columns
    assert rows == [tuple(map(plain, row)) for row in frame.rows()]


@tables
def test_columns_have_types_that_every_bi_tool_reads(bi: Path, spec: Spec) -> None:
    for field in pq.read_schema(bi / f"{spec.name}.parquet"):
        decimal = pa.types.is_decimal(field.type) and field.type.precision <= 18
        assert field.type in ALLOWED or decimal, field


@tables
def test_types_and_order_of_columns_are_those_of_the_schema(bi: Path, spec: Spec) -> None:
    assert pl.read_parquet_schema(bi / f"{spec.name}.parquet") == spec.schema


@tables
def test_the_footer_describes_the_table_and_every_column(bi: Path, spec: Spec) -> None:
    schema = pq.read_schema(bi / f"{spec.name}.parquet")
    columns = spec.model.to_schema().columns
    for field in schema:
        said = {key.decode(): text.decode() for key, text in (field.metadata or {}).items()}
        assert said["description"] == columns[field.name].description
        for key, text in (columns[field.name].metadata or {}).items():
            assert said[key] == text
    metadata = pq.read_metadata(bi / f"{spec.name}.parquet").metadata
    assert metadata[b"grain"].decode() == spec.promise.grain
    assert metadata[b"description"].decode()
    assert metadata[b"warnings"].decode() == "\n".join(spec.promise.warnings)


@tables
def test_files_are_compressed_by_zstd_and_carry_statistics(bi: Path, spec: Spec) -> None:
    metadata = pq.read_metadata(bi / f"{spec.name}.parquet")
    for place in range(metadata.num_columns):
        column = metadata.row_group(0).column(place)
        assert column.compression == "ZSTD"
        assert column.statistics is not None, column.path_in_schema


@tables
def test_no_column_is_null_from_top_to_bottom(bi: Path, spec: Spec) -> None:
    """BI tools choke on them; in a lifelike sample every column has a value."""
    frame = pl.read_parquet(bi / f"{spec.name}.parquet")
    if spec.name == "churn_models":
        # A sample of weeks is too little history for any of them.
        assert not frame["is_used"].any()
        return
    assert [name for name in frame.columns if frame[name].null_count() == frame.height] == []


@tables
def test_rows_lie_in_the_stored_order_and_the_key_is_unique(bi: Path, spec: Spec) -> None:
    frame = pl.read_parquet(bi / f"{spec.name}.parquet")
    assert frame.equals(frame.sort(spec.promise.order))
    assert not frame.select(spec.promise.key).is_duplicated().any()


@tables
def test_nothing_is_published_after_the_day_through_which_data_is_whole(
    bi: Path, spec: Spec
) -> None:
    frame = pl.read_parquet(bi / f"{spec.name}.parquet")
    last = max(date.fromisoformat(path.name) for path in (bi.parent / "landing/events").iterdir())
    for name in ("date", "period_start", "cohort_start"):
        if name in frame.columns:
            assert frame[name].max() <= last


def read_all(folder: Path) -> dict[str, int]:
    return {path.stem: pl.read_parquet(path).height for path in folder.glob("*.parquet")}


def test_bi_alone_can_be_moved_or_mounted_elsewhere(bi: Path, folder: Path) -> None:
    """Its links lead nowhere out of it."""
    shutil.copytree(bi, folder / "mounted", symlinks=True)
    assert read_all(folder / "mounted") == read_all(bi)


def test_a_copy_for_systems_without_links_has_plain_files(bi: Path, folder: Path) -> None:
    shutil.copytree(bi, folder / "copy", ignore=shutil.ignore_patterns(".*"))
    assert not any(path.is_symlink() for path in (folder / "copy").rglob("*"))
    assert read_all(folder / "copy") == read_all(bi)


def test_views_on_the_files_work_wherever_they_lie(bi: Path, folder: Path) -> None:
    """As docs/readers.md says, where the paths of the catalogue are not those of the reader."""
    shutil.copytree(bi, folder / "data", symlinks=True)
    (statements,) = re.findall(
        r"```sql\n(.*?)```", (ROOT / "docs/readers.md").read_text(encoding="utf-8"), re.DOTALL
    )
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute(statements.replace("/data/bi", str(folder / "data")))
        days = connection.execute("SELECT count(*) FROM active_users_daily").fetchone()
    assert days == (read_all(bi)["active_users_daily"],)
