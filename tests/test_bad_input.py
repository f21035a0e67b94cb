"""Bad input: one clear line that says what, where and what to do, and nothing is lost."""

import gzip
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb
import pytest
from homes import (
    Kept,
    Outcome,
    assert_same_state,
    command,
    event,
    land,
    land_bytes,
    make_home,
    published,
    run_home,
    stored,
    table,
    warehouse_table,
)

from pipelines.publish import catalog
from pipelines.session import MANIFEST
from pipelines.warehouse import arrivals, manifest
from pipelines.warehouse.lock import writer_lock

pytestmark = pytest.mark.only_tables("ingest_ledger", "active_users_daily", "lifecycle")
CSV = b"event_id,event_name,event_ts,user_id\n"
DAY, NEXT = "2025-01-02", "2025-01-03"


def days_of_three(root: Path) -> Path:
    return make_home(
        root,
        files={
            DAY: [event("a", "2025-01-01T10:00:00"), event("b", f"{DAY}T10:00:00", user_id="bob")],
            NEXT: [event("c", f"{NEXT}T10:00:00", user_id="cyd")],
        },
    )


@pytest.fixture
def home(folder: Path) -> Path:
    """Two days of three people."""
    return days_of_three(folder / "home")


@pytest.fixture(scope="module")
def kept(module_folder: Path) -> Kept:
    root = days_of_three(module_folder / "home")
    run_home(root)
    return Kept(root)


@pytest.fixture
def ran(kept: Kept) -> Path:
    """The same, after a run."""
    return kept.restore()


def says(outcome: Outcome, status: int, *words: str) -> None:
    """One line on stderr with all of the words, the right status, and no traceback."""
    assert outcome.status == status, outcome
    assert "Traceback" not in outcome.out + outcome.err
    assert "fault of Tidemark" not in outcome.err
    line, *more = outcome.err.strip().splitlines()
    assert line.startswith("tidemark: ")
    assert not more
    for word in words:
        assert word in line, f"{word!r} is not in {line!r}"


def test_malformed_rows_are_quarantined_with_every_reason_and_the_rest_counts(home: Path) -> None:
    (home / "tidemark.toml").write_text("refused_rows_limit = 0.9\n")
    bad = b'd,,soon,ada\ne,click,2025-01-03T10:00:00Z,"ada\nf,click,2025-01-03T11:00:00Z,\n'
    land_bytes(home, NEXT, CSV + b"g,click,2025-01-03T09:00:00Z,ada\n" + bad, "bad.csv")
    assert command(home, "run").status == 0
    refused = warehouse_table(home, "quarantine_events").filter(file="bad.csv")
    assert set(refused["landing_date"].cast(str)) == {NEXT}
    assert refused["line"].to_list()[0] == 3
    assert refused["raw"][0] == "d,,soon,ada"
    assert "event_name is missing" in refused["reasons"][0]
    assert "event_ts" in refused["reasons"][0]
    ledger = table(home, "ingest_ledger").filter(file="bad.csv").row(0, named=True)
    assert ledger["accepted_rows"] == 1
    assert ledger["read_rows"] == 1 + refused.height
    status = command(home, "status").out
    assert "event_name is missing" in status


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("cut.csv.gz", gzip.compress(CSV * 100, mtime=0)[:-9]),
        ("no.csv.gz", b"no gzip at all"),
        ("cut.parquet", b"PAR1 and then nothing"),
        ("cut.ndjson.zst", b"(\xb5/\xfd\x04"),
        ("table.xlsx", b"PK"),
        ("latin.csv", CSV + "z,caf\xe9,2025-01-02T01:00:00Z,ada\n".encode("latin-1")),
    ],
)
def test_an_unreadable_file_costs_that_file_and_not_the_night(
    home: Path, name: str, content: bytes
) -> None:
    land_bytes(home, NEXT, content, name)
    outcome = command(home, "run")
    assert outcome.status == 3
    assert outcome.err.strip() == (
        f"refused: landing/events/{NEXT}/{name}: `tidemark quarantine` says why"
    )
    row = table(home, "ingest_ledger").filter(file=name).row(0, named=True)
    assert (row["status"], row["read_rows"]) == ("refused", 0)
    assert table(home, "ingest_ledger")["accepted_rows"].sum() == 3
    assert f"file refused: events/{NEXT}/{name}: " in command(home, "status").out.replace("\n", " ")
    assert command(home, "verify").status == 0


def test_a_link_that_leads_nowhere_is_refused_until_it_leads_somewhere(home: Path) -> None:
    target = home / "later.ndjson"
    (home / "landing/events" / NEXT / "link.ndjson").symlink_to(target)
    assert command(home, "run").status == 3
    assert command(home, "run").status == 3 or table(home, "ingest_ledger").height == 3
    target.write_text(
        '{"event_id":"z","event_name":"x","event_ts":"2025-01-03T00:00:00Z","user_id":"z"}\n'
    )
    assert command(home, "run").status == 0
    assert table(home, "ingest_ledger")["accepted_rows"].sum() == 4


def test_a_link_to_the_folder_it_lies_in_is_refused_and_the_rest_counts(home: Path) -> None:
    (home / "landing/events" / NEXT / "round").symlink_to(home / "landing/events" / NEXT)
    outcome = command(home, "run")
    assert outcome.status == 3
    assert "refused: landing/events/2025-01-03/round: `tidemark quarantine`" in outcome.err
    assert table(home, "ingest_ledger")["accepted_rows"].sum() == 3
    assert command(home, "verify").status == 0


def test_a_name_that_is_no_utf_8_is_taken_in_and_forgotten_like_any_other(home: Path) -> None:
    path = home / "landing/events" / NEXT / os.fsdecode(b"b\xe4r.csv")
    path.write_bytes(CSV + b"z,x,2025-01-03T01:00:00Z,zoe-longname\n")
    outcome = command(home, "run")
    assert outcome.status == 0, outcome.err
    row = table(home, "ingest_ledger").filter(file="b\\xe4r.csv").row(0, named=True)
    assert row["accepted_rows"] == 1
    assert command(home, "verify").status == 0
    forgotten = command(home, "forget", "zoe-longname", "--yes")
    assert forgotten.status == 0, forgotten.err
    assert path.read_bytes() == CSV


def test_status_says_how_many_refused_files_it_does_not_name(home: Path) -> None:
    for number in range(7):
        land_bytes(home, NEXT, b"PK", f"{number}.xlsx")
    command(home, "run")
    assert "2 more files refused: `tidemark quarantine events` tells of all" in " ".join(
        command(home, "status").out.split()
    )


def test_a_file_that_could_not_be_read_is_tried_again_by_the_next_run(home: Path) -> None:
    path = land(home, NEXT, [event("z", f"{NEXT}T01:00:00")], "shy.ndjson")
    opened = Path.open

    def refuse(self: Path, *options: Any, **more: Any) -> Any:
        if self == path:
            raise PermissionError(13, "Permission denied", str(self))
        return opened(self, *options, **more)

    with patch.object(Path, "open", refuse):
        assert command(home, "run").status == 3
    assert command(home, "run").status == 0
    assert table(home, "ingest_ledger")["accepted_rows"].sum() == 4


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.csv", b""), ("a.csv", CSV), ("a.ndjson", b""), ("a.ndjson", b"\n\n"), ("a.csv.gz", b"")],
)
def test_an_empty_file_brings_no_rows(home: Path, name: str, content: bytes) -> None:
    land_bytes(home, NEXT, content, name)
    outcome = command(home, "run")
    assert outcome.status == 0, outcome.err
    row = table(home, "ingest_ledger").filter(file=name).row(0, named=True)
    assert (row["status"], row["read_rows"]) == ("read", 0)


def test_what_lies_astray_in_landing_is_told_and_the_rest_counts(home: Path) -> None:
    landing = home / "landing"
    for stray in ("event", "events/2025-1-5", "events/20250105", "events/old"):
        (landing / stray).mkdir(parents=True)
    for stray in ("loose.csv", "events/loose.csv"):
        (landing / stray).write_text("x")
    for hidden in (".DS_Store", "events/_SUCCESS", f"events/{DAY}/half.csv.part"):
        (landing / hidden).write_text("x")
    outcome = command(home, "run")
    assert outcome.status == 0
    told = outcome.err.splitlines()
    strays = ("event", "loose.csv", "events/2025-1-5", "events/20250105", "events/loose.csv")
    for stray in (*strays, "events/old"):
        assert any(line.startswith(f"note: {landing / stray} was not read") for line in told)
    assert len(told) == 6
    assert table(home, "ingest_ledger").height == 2


def test_without_a_home_or_its_landing_folder_the_way_on_is_told(folder: Path) -> None:
    says(command(folder / "none", "run"), 1, f"no home at {folder / 'none'}", "sample")
    (folder / "bare").mkdir()
    says(command(folder / "bare", "run"), 1, f"no landing folder at {folder / 'bare' / 'landing'}")
    (folder / "bare" / "landing").mkdir()
    says(command(folder / "bare", "run"), 1, "nothing has landed", "YYYY-MM-DD")
    for question in ("status", "verify"):
        (folder / question / "landing").mkdir(parents=True)
        says(command(folder / question, question), 1, "nothing was run yet", "`tidemark run`")


def test_a_landing_folder_that_is_gone_takes_nothing_out(ran: Path) -> None:
    """As when a disk is not mounted: the folder itself, or the source's."""
    before = published(ran)
    (ran / "landing").rename(ran / "away")
    says(command(ran, "run"), 1, f"no landing folder at {ran / 'landing'}", "restore")
    (ran / "landing").mkdir()
    says(command(ran, "run"), 1, "are gone", "--accept-removed")
    assert published(ran) == before


def test_landed_files_that_are_gone_stop_the_run_until_that_is_accepted(
    home: Path, folder: Path
) -> None:
    path = land(home, NEXT, [event("z", "2024-12-01T10:00:00")], "gone.ndjson")
    run_home(home)
    before = published(home)
    path.unlink()
    says(command(home, "run"), 1, f"{NEXT}/gone.ndjson", "Put them back", "--accept-removed")
    fault = "gone.ndjson was taken in and is gone: put it back, or `tidemark run --accept-removed`"
    assert fault in " ".join(command(home, "verify").out.split())
    assert published(home) == before
    assert command(home, "run", "--accept-removed").status == 0
    never = make_home(folder / "never")
    for day in (DAY, NEXT):
        source = home / "landing/events" / day / "events.ndjson"
        land_bytes(never, day, source.read_bytes(), "events.ndjson")
    run_home(never)
    assert_same_state(stored(home), stored(never))


def test_a_landed_file_that_was_changed_is_taken_in_as_it_is_now(ran: Path) -> None:
    path = ran / "landing/events" / NEXT / "events.ndjson"
    path.write_text(path.read_text().replace("cyd", "dan"))
    outcome = command(ran, "verify")
    assert outcome.status == 1
    assert f"{path} was changed" in outcome.out.replace("\n", "")
    assert command(ran, "run").status == 0
    assert command(ran, "verify").status == 0
    people = warehouse_table(ran, "users").filter(dimension="all")["user_id"]
    assert sorted(people) == ["ada", "bob", "dan"]


def test_a_file_of_the_same_size_and_time_in_the_place_of_another_is_taken_in(ran: Path) -> None:
    path = ran / "landing/events" / NEXT / "events.ndjson"
    before = path.stat()
    path.write_text(path.read_text().replace("cyd", "dan"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    run_home(ran)
    people = warehouse_table(ran, "users").filter(dimension="all")["user_id"]
    assert sorted(people) == ["ada", "bob", "dan"]


def test_a_file_that_was_only_touched_is_hashed_once_and_changes_nothing(
    ran: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, hashed = stored(ran), []
    (ran / "landing/events" / NEXT / "events.ndjson").touch()
    real = arrivals.sha256_of
    monkeypatch.setattr(arrivals, "sha256_of", lambda path: hashed.append(path) or real(path))
    run_home(ran)
    assert [path.parent.name for path in hashed if path.parent.name == NEXT] == [NEXT]
    hashed.clear()
    run_home(ran)
    assert hashed == []
    assert_same_state(stored(ran), before)


def test_more_refused_rows_than_the_limit_hold_back_publication_until_it_is_raised(
    home: Path,
) -> None:
    run_home(home)
    before = published(home)
    rows = [event(f"n{i}", f"{NEXT}T12:00:00") for i in range(8)]
    land(home, "2025-01-04", [*rows, {"event_id": "x"}, {"event_id": "y"}])
    for _ in range(2):
        outcome = command(home, "run")
        assert outcome.status == 1
        assert "2 of 10 rows" in outcome.err
        assert "20.0%" in outcome.err
        assert "refused_rows_limit = 0.05" in outcome.err
        assert published(home) == before
    # The warehouse is up to date all the same.
    assert warehouse_table(home, "events").height == 11
    (home / "tidemark.toml").write_text("refused_rows_limit = 0.2\n")
    assert command(home, "run").status == 0
    assert table(home, "ingest_ledger")["accepted_rows"].sum() == 11
    # Of what landed since, nothing was refused.
    (home / "tidemark.toml").write_text("")
    land(home, "2025-01-05", [event("z", "2025-01-05T12:00:00")])
    assert command(home, "run").status == 0


def test_a_second_run_at_the_same_time_is_told_so(home: Path) -> None:
    with writer_lock(home / "warehouse"):
        done = subprocess.run(
            [Path(sys.executable).with_name("tidemark"), "--home", home, "run"],
            capture_output=True,
            text=True,
            check=False,
        )
    outcome = Outcome(done.returncode, done.stdout, done.stderr)
    says(outcome, 1, "another run is at work", str(home), f"process {os.getpid()}", "wait")
    assert command(home, "run").status == 0


def test_status_and_verify_work_while_a_run_does(ran: Path) -> None:
    with writer_lock(ran / "warehouse"):
        assert command(ran, "status").status == 0
        assert command(ran, "verify").status == 0


def manifest_of(home: Path) -> Path:
    return home / "warehouse" / MANIFEST


def test_a_home_from_another_version_is_left_alone(ran: Path) -> None:
    with closing(sqlite3.connect(manifest_of(ran))) as connection, connection:
        connection.execute("UPDATE about SET value = '99' WHERE key = 'format'")
    content = manifest_of(ran).read_bytes()
    for name in ("run", "status", "verify"):
        says(command(ran, name), 1, "format 99", str(ran / "warehouse"), "rebuild")
    assert manifest_of(ran).read_bytes() == content


@pytest.mark.parametrize("damage", ["text", "half", "middle", "another", "no format"])
def test_a_damaged_manifest_is_told_and_can_be_rebuilt(ran: Path, damage: str) -> None:
    before = published(ran)
    path = manifest_of(ran)
    content = path.read_bytes()
    half = len(content) // 2
    if damage == "text":
        path.write_bytes(b"this is no database, and it is longer than a header would be" * 20)
    elif damage == "half":
        path.write_bytes(content[:half])
    elif damage == "middle":
        path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
    else:
        with closing(sqlite3.connect(path)) as connection, connection:
            if damage == "another":
                path.unlink()
            else:
                connection.execute("DELETE FROM about WHERE key = 'format'")
        if damage == "another":
            with closing(sqlite3.connect(path)) as connection, connection:
                connection.execute("CREATE TABLE notes (text TEXT)")
    for name in ("run", "status", "verify"):
        says(command(ran, name), 1, str(ran / "warehouse"), "rebuild")
    assert published(ran) == before
    # As it says: move the folder away, and everything is rebuilt, to the byte.
    (ran / "warehouse").rename(ran / "broken")
    assert command(ran, "run").status == 0
    assert published(ran) == before


def test_a_commit_that_was_cut_off_is_rolled_back_by_whoever_comes_next(ran: Path) -> None:
    """A killed run can leave a journal beside the manifest; a reader may be the first to see it."""
    before = stored(ran)
    script = (
        "import os, sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None);"
        "c.execute('PRAGMA cache_size = 1'); c.execute('BEGIN IMMEDIATE');"
        "c.execute('UPDATE slices SET digest = zeroblob(9000)'); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", script, manifest_of(ran)], check=False)
    assert manifest_of(ran).with_name(f"{MANIFEST}-journal").exists()
    assert command(ran, "verify").status == 0
    assert_same_state(stored(ran), before)


@pytest.mark.parametrize("place", ["warehouse", "bi"])
def test_a_place_that_cannot_be_written_is_named(home: Path, place: str) -> None:
    (home / "tidemark.toml").write_text(f'[paths]\n{place} = "/proc/tidemark"\n')
    says(command(home, "run"), 1, "/proc/tidemark", "cannot be written", "[paths]")


def test_a_read_only_disk_is_told(ran: Path) -> None:
    before = published(ran)
    opened = os.open

    def refuse(path: Any, flags: int, *options: Any, **more: Any) -> int:
        if str(path).startswith(str(ran)) and flags & (os.O_WRONLY | os.O_RDWR):
            raise OSError(30, "Read-only file system", str(path))
        return opened(path, flags, *options, **more)

    with patch.object(os, "open", refuse):
        says(command(ran, "run"), 1, str(ran / "warehouse"), "Read-only file system")
    assert published(ran) == before


class FullDisk:
    """A disk on which nothing more fits after so many bytes of files."""

    def __init__(self, room: int) -> None:
        self.room = room
        self._write = Path.write_bytes

    def __call__(self, path: Path, content: bytes) -> int:
        self.room -= len(content)
        if self.room < 0:
            self._write(path, content[: self.room])
            raise OSError(28, "No space left on device")
        return self._write(path, content)


def test_a_full_disk_leaves_the_old_tables_and_the_next_run_makes_it_good(
    home: Path, folder: Path
) -> None:
    run_home(home)
    before = published(home)
    land(home, "2025-01-04", [event("z", "2025-01-04T12:00:00", user_id="zoe")])
    spacious = FullDisk(1 << 30)
    with patch.object(Path, "write_bytes", lambda path, content: spacious(path, content)):
        run_home(shutil.copytree(home, folder / "copy", symlinks=True))
    needed = (1 << 30) - spacious.room
    # Full at once, while slices are built, and while tables are published.
    for share in (0.0, 0.3, 0.99):
        full = FullDisk(int(needed * share))
        copy = shutil.copytree(home, folder / str(share), symlinks=True)
        with patch.object(
            Path, "write_bytes", lambda path, content, full=full: full(path, content)
        ):
            said = "cannot be written: No space left on device"
            says(command(copy, "run"), 1, str(copy), said, "Make room")
        assert published(copy) == before
        run_home(copy)
        assert_same_state(stored(copy), stored(folder / "copy"))


def test_a_manifest_that_does_not_fit_the_disk_leaves_the_old_tables(ran: Path) -> None:
    before = published(ran)
    opened = manifest.open_file

    def cramped(path: Path, writable: bool) -> sqlite3.Connection:
        connection = opened(path, writable)
        connection.execute("PRAGMA max_page_count = 1")
        return connection

    for number in range(60):
        land(ran, f"2025-03-{1 + number % 30:02}", [event(f"n{number}", "2025-03-01T00:00:00")])
    with patch.object(manifest, "open_file", cramped):
        says(command(ran, "run"), 1, str(manifest_of(ran)), "full", "make room")
    assert published(ran) == before
    assert command(ran, "run").status == 0


@pytest.mark.parametrize("kind", [duckdb.IOException, duckdb.TransactionException])
def test_a_catalogue_that_cannot_be_written_is_told_and_made_good(
    home: Path, kind: type[duckdb.Error]
) -> None:
    full = kind("Could not write file: No space left on device")
    with patch.object(catalog, "_write", side_effect=full):
        says(command(home, "run"), 1, catalog.CATALOG, "No space left", "room")
    assert command(home, "run").status == 0
    assert (home / "bi" / catalog.CATALOG).exists()


def test_a_pipe_in_landing_is_not_waited_for(home: Path) -> None:
    os.mkfifo(home / "landing" / "events" / DAY / "pipe.ndjson")
    outcome = command(home, "run")
    assert (outcome.status, outcome.err) == (0, "")
