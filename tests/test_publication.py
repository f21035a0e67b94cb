"""What readers see: all tables of a run together, never half, and found again wherever they are."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

import duckdb
import polars as pl
import pytest
from homes import (
    ROOT,
    Kept,
    assert_same_state,
    command,
    event,
    land,
    make_home,
    published,
    run_home,
    stored,
    tables_of,
)

from pipelines import registry
from pipelines.dictionary.page import DICTIONARY
from pipelines.publish import shelf
from pipelines.publish.catalog import CATALOG
from pipelines.publish.publication import CONTENTS
from pipelines.publish.restatements import LOG_SPEC
from pipelines.publish.shelf import Shelf
from pipelines.warehouse.disk import sha256_of
from pipelines.warehouse.manifest import Manifest

pytestmark = pytest.mark.only_tables("ingest_ledger", "active_users_daily", "lifecycle")


@pytest.fixture(scope="module")
def kept(module_folder: Path) -> Kept:
    rows = {
        day: [event(f"{day}-{user}", f"{day}T10:00:00", user_id=user) for user in ("ada", "bob")]
        for day in ("2025-01-01", "2025-01-02", "2025-01-03")
    }
    root = make_home(module_folder / "home", files=rows)
    run_home(root)
    return Kept(root)


@pytest.fixture
def home(kept: Kept) -> Path:
    """Three days of two people, published."""
    return kept.restore()


@pytest.fixture
def whole(whole_house: None, kept: Kept) -> Path:
    """The same, with all tables."""
    home = kept.restore()
    run_home(home)
    return home


def contents(home: Path) -> dict[str, dict[str, object]]:
    """What publication.json says of the tables."""
    said = json.loads((home / "bi" / CONTENTS).read_text())
    return dict(said["tables"])


def assert_sound(home: Path) -> None:
    for name, each in contents(home).items():
        assert sha256_of(home / "bi" / f"{name}.parquet") == each["sha256"], name


def test_every_published_table_and_nothing_else_lies_in_bi(whole: Path) -> None:
    names = {spec.name for spec in (*tables_of("events"), LOG_SPEC)}
    shown = {path.name for path in (whole / "bi").iterdir() if not path.name.startswith(".")}
    assert shown == {f"{name}.parquet" for name in names} | {CATALOG, CONTENTS, DICTIONARY}
    assert set(contents(whole)) == names - {LOG_SPEC.name}
    assert_sound(whole)


def test_a_run_without_news_publishes_nothing(home: Path) -> None:
    before = {path: path.lstat().st_mtime_ns for path in (home / "bi").rglob("*")}
    report = run_home(home)
    assert report.publication
    assert report.publication.written == []
    assert {path: path.lstat().st_mtime_ns for path in (home / "bi").rglob("*")} == before


def test_a_table_that_did_not_change_is_the_same_file_and_not_a_copy(home: Path) -> None:
    before = {path.name: path.stat().st_ino for path in (home / "bi").glob("*.parquet")}
    # A twin of an event changes nothing but the ledger.
    land(home, "2025-01-03", [event("2025-01-01-ada", "2025-01-01T10:00:00")], "twin.ndjson")
    report = run_home(home)
    assert report.publication
    assert report.publication.written == ["ingest_ledger"]
    after = {path.name: path.stat().st_ino for path in (home / "bi").glob("*.parquet")}
    assert {name for name in after if after[name] != before[name]} == {"ingest_ledger.parquet"}
    assert_sound(home)


def test_a_reader_in_the_middle_of_the_last_publication_finds_it_whole(home: Path) -> None:
    folder = (home / "bi" / ".current").resolve()
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    land(home, "2025-01-04", [event("new", "2025-01-04T10:00:00", user_id="zoe")])
    run_home(home)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    with patch.object(shelf, "_KEEP", 2):
        for number in range(3):
            land(home, "2025-01-04", [event("new", "2025-01-04T10:00:00", user_id=f"z{number}")])
            run_home(home)
    # Told to keep two, the shelf has the current one and the one before.
    assert len(list((home / "bi" / ".runs").iterdir())) == 2


@pytest.mark.parametrize(
    "lost", ["lifecycle.parquet", CONTENTS, CATALOG, DICTIONARY, ".current", ".runs", ".", "../bi"]
)
def test_what_is_deleted_from_bi_comes_back_with_the_next_run(home: Path, lost: str) -> None:
    before = published(home)
    path = home / "bi" / lost
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path.resolve())
    else:
        path.unlink()
    run_home(home)
    assert published(home) == before
    assert command(home, "verify").status == 0
    with duckdb.connect(str(home / "bi" / CATALOG), read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM lifecycle").fetchone() != (0,)


def test_a_damaged_table_is_found_and_comes_back_once_it_is_deleted(home: Path) -> None:
    before = published(home)
    path = home / "bi" / "lifecycle.parquet"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    outcome = command(home, "verify")
    assert outcome.status == 1
    assert f"fault: {path} was changed: delete it" in outcome.out
    path.unlink()
    run_home(home)
    assert published(home) == before
    assert command(home, "verify").status == 0


def test_a_run_killed_before_it_recorded_its_publication_does_not_confuse_a_narrow_one(
    home: Path,
) -> None:
    land(home, "2025-01-04", [event("new", "2025-01-04T10:00:00", user_id="zoe")])
    with (
        patch.object(Manifest, "commit_published", side_effect=KeyboardInterrupt),
        pytest.raises(KeyboardInterrupt),
    ):
        run_home(home)
    shown = published(home)
    report = run_home(home, select=["ingest_ledger"])
    assert report.publication
    assert "lifecycle" in report.publication.behind
    assert_sound(home)
    assert published(home) == shown
    run_home(home)
    assert published(home) == shown
    assert command(home, "verify").status == 0


def test_a_publication_that_fails_halfway_leaves_the_last_one(home: Path) -> None:
    before = published(home)
    land(home, "2025-01-04", [event("new", "2025-01-04T10:00:00", user_id="zoe")])
    with (
        patch.object(Shelf, "turn", side_effect=KeyboardInterrupt),
        pytest.raises(KeyboardInterrupt),
    ):
        run_home(home)
    assert published(home) == before
    run_home(home)
    assert published(home) != before
    assert_sound(home)


def test_tables_that_are_not_up_to_date_stay_as_they_were_and_that_is_said(home: Path) -> None:
    before = published(home)
    land(home, "2025-01-04", [event("new", "2025-01-04T10:00:00", user_id="zoe")])
    outcome = command(home, "run", "--select", "active_users_daily")
    assert outcome.status == 0
    said = " ".join(outcome.out.split())
    assert "As they were, because" in said
    assert "lifecycle" in said.partition("As they were, because")[2]
    after = published(home)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"active_users_daily.parquet", CONTENTS, DICTIONARY}
    through = {name: each["data_through"] for name, each in contents(home).items()}
    assert through["active_users_daily"] == "2025-01-04"
    assert through["lifecycle"] == "2025-01-03"
    assert_sound(home)


def open_elsewhere(home: Path, folder: Path) -> int:
    """How many rows a reader with another working directory finds through the catalogue."""
    script = (
        "import duckdb, sys; connection = duckdb.connect(sys.argv[1], read_only=True);"
        "print(connection.execute('SELECT count(*) FROM active_users_daily').fetchone()[0])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, os.path.relpath(home / "bi" / CATALOG, folder)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout)


def test_the_catalogue_opens_from_anywhere_and_on_a_moved_home_after_one_run(
    home: Path, folder: Path
) -> None:
    rows = open_elsewhere(home, folder)
    assert rows > 0
    assert open_elsewhere(home, Path("/")) == rows
    moved = home.rename(folder / "it's moved")
    run_home(moved)
    assert open_elsewhere(moved, folder) == rows


def test_a_home_that_was_copied_without_links_and_times_is_put_right_by_a_run(
    home: Path, folder: Path
) -> None:
    """As backups and file shares do."""
    before = stored(home)
    copy = folder / "copy"
    shutil.copytree(home, copy, symlinks=False, copy_function=shutil.copyfile)
    run_home(copy)
    assert (copy / "bi" / ".current").is_symlink()
    assert_same_state(stored(copy), before)
    assert command(copy, "verify").status == 0


def test_the_catalogue_comments_on_every_table_and_column(whole: Path) -> None:
    shown = [*tables_of("events"), LOG_SPEC]
    with duckdb.connect(str(whole / "bi" / CATALOG), read_only=True) as connection:
        views = dict(
            connection.execute(
                "SELECT view_name, comment FROM duckdb_views() WHERE NOT internal"
            ).fetchall()
        )
        columns = {
            (table, column): comment
            for table, column, comment in connection.execute(
                "SELECT table_name, column_name, comment FROM duckdb_columns() WHERE NOT internal"
            ).fetchall()
        }
    assert set(views) == {spec.name for spec in shown}
    for spec in shown:
        assert spec.promise.grain in views[spec.name]
        for warning in spec.promise.warnings:
            assert warning in views[spec.name]
        for name, column in spec.model.to_schema().columns.items():
            comment = columns.pop((spec.name, name))
            assert column.description in comment
            assert all(said in comment for said in (column.metadata or {}).values())
    assert not columns


def test_a_table_that_waits_keeps_its_old_columns_in_the_catalogue(home: Path) -> None:
    """As after an upgrade that gave a table a column, and a run that left the table out."""
    spec = registry.BY_NAME["lifecycle"]
    path = home / "bi" / "lifecycle.parquet"
    old = pl.read_parquet(path).drop(list(spec.schema)[-1]).with_columns(gone=1)
    old.write_parquet(path.resolve())
    run_home(home, select=["ingest_ledger"])
    with duckdb.connect(str(home / "bi" / CATALOG), read_only=True) as connection:
        assert connection.execute("SELECT max(gone) FROM lifecycle").fetchone() == (1,)
    # Once it is published with its new columns, the catalogue has them too.
    path.unlink()
    run_home(home)
    with duckdb.connect(str(home / "bi" / CATALOG), read_only=True) as connection:
        columns = connection.execute("DESCRIBE lifecycle").fetchall()
    assert [column[0] for column in columns] == list(spec.schema)


def test_a_table_that_was_cut_off_is_published_again(home: Path) -> None:
    before = published(home)
    path = home / "bi" / "lifecycle.parquet"
    path.write_bytes(path.read_bytes()[:-100])
    run_home(home)
    assert published(home) == before


READER = """
import hashlib, json, sys
from pathlib import Path
import duckdb

bi = Path(sys.argv[1])
print("reading", flush=True)
seen, reads = set(), 0
while not (bi.parent / "stop").exists():
    # One publication, opened by its own name: what a reader holds does not change under it.
    folder = (bi / ".current").resolve()
    said = json.loads((folder / "publication.json").read_text())
    for name, table in said["tables"].items():
        content = (folder / f"{name}.parquet").read_bytes()
        assert hashlib.sha256(content).hexdigest() == table["sha256"], name
    seen.add(said["publication"])
    options = {"threads": 1}
    # DuckDB opens a file twice for a query; under a name that turns it would meet two of them.
    with duckdb.connect(str(bi / "catalog.duckdb"), read_only=True, config=options) as catalog:
        for name in said["tables"]:
            assert catalog.execute(f"SELECT count(*) FROM {name}").fetchone()
            catalog.execute(f"SELECT * FROM {name}").fetchall()
    reads += 1
print(len(seen), reads)
"""


def test_a_reader_never_meets_an_error_or_half_a_publication_while_runs_publish(home: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", READER, str(home / "bi")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as reader:
        assert reader.stdout
        assert reader.stdout.readline() == "reading\n"
        for number in range(8):
            land(home, "2025-01-04", [event("n", "2025-01-04T10:00:00", user_id=f"z{number}")])
            run_home(home)
        (home / "stop").touch()
        out, err = reader.communicate(timeout=60)
    assert reader.returncode == 0, err
    seen, reads = map(int, out.split())
    assert 2 <= seen <= reads


HOLDER = """
import sys
import duckdb

# As Superset and Metabase do: one connection, opened once, for every question.
with duckdb.connect(sys.argv[1], read_only=True, config={"threads": 1}) as catalog:
    names = [name for (name,) in catalog.execute(
        "SELECT view_name FROM duckdb_views() WHERE NOT internal ORDER BY ALL").fetchall()]
    for _ in sys.stdin:
        said = [catalog.execute(f"SELECT * FROM {name} ORDER BY ALL").fetchall() for name in names]
        day = catalog.execute("SELECT max(date) FROM active_users_daily").fetchone()[0]
        print(day, hash(str(said)), flush=True)
"""


def test_a_connection_that_is_held_open_keeps_its_night_whole_while_runs_publish(
    home: Path,
) -> None:
    """And keeps no run from publishing; who connects anew sees what is new."""
    arguments = [sys.executable, "-c", HOLDER, str(home / "bi" / CATALOG)]
    with subprocess.Popen(
        arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        asked, told = holder.stdin, holder.stdout
        assert asked
        assert told

        def ask() -> str:
            print("again", file=asked, flush=True)
            return told.readline()

        before = ask()
        assert before.startswith("2025-01-03 ")
        for day in ("2025-01-04", "2025-01-05", "2025-01-06"):
            land(home, day, [event(day, f"{day}T10:00:00", user_id="zoe")])
            assert run_home(home).publication
            assert ask() == before
            with duckdb.connect(str(home / "bi" / CATALOG), read_only=True) as fresh:
                answer = fresh.execute("SELECT max(date) FROM active_users_daily").fetchone()
            assert str(answer[0] if answer else None) == day
        asked.close()
    assert holder.returncode == 0
