"""A person is taken out of a home, kept out, and that is proved."""

import gzip
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest
import zstandard
from forget_homes import IDS, fill, places
from homes import (
    Kept,
    Outcome,
    assert_same_state,
    command,
    event,
    land,
    land_bytes,
    make_home,
    only_tables,
    run_home,
    scratch,
    stored,
    table,
    warehouse_table,
)

from pipelines.forgetting import forget as steps
from pipelines.forgetting.requests import FILE

FEW = ("ingest_ledger", "active_users_daily")


@pytest.fixture(scope="module")
def kept() -> Iterator[Kept]:
    with scratch() as folder:
        fill(folder / "home")
        run_home(folder / "home")
        yield Kept(folder / "home")


@dataclass(frozen=True)
class After:
    """A home that forgot u1, what the command said, and the home before."""

    home: Path
    said: Outcome
    before: Path


@pytest.fixture(scope="module")
def after(kept: Kept) -> After:
    home = kept.restore()
    before = home.with_name("before")
    shutil.copytree(home, before, symlinks=True)
    return After(home, command(home, "forget", "u1", "--yes"), before)


@pytest.fixture(scope="module")
def kept_small() -> Iterator[Kept]:
    with scratch() as folder, only_tables(*FEW):
        home = make_home(folder / "home")
        for day in ("2025-01-01", "2025-01-02", "2025-01-03"):
            one = event(f"one {day}", f"{day}T10:00:00", user_id="u1", anonymous_id="anon-1")
            land(home, day, [one, event(f"other {day}", f"{day}T11:00:00", user_id="u10")])
        run_home(home)
        yield Kept(home)


@pytest.fixture
def home(kept_small: Kept) -> Iterator[Path]:
    """Three landing dates of events only, and few tables: u1, seen as anon-1, and u10."""
    with only_tables(*FEW):
        yield kept_small.restore()


def test_the_ids_of_a_person_are_nowhere_after_it(after):
    assert len(places(after.before, *IDS)) > 10
    assert (after.said.status, after.said.err) == (0, "")
    assert "other ids of this person: anon-1, c1" in after.said.out
    assert "the ids of this person are nowhere" in after.said.out
    assert "8 files of landing were rewritten" in after.said.out
    assert places(after.home, *IDS) == []
    assert places(after.home, "u10") != []
    assert (after.home / "bi" / "report.html").exists()
    assert command(after.home, "verify").status == 0


def test_files_that_never_held_them_are_left_alone(after):
    clean = "landing/events/2025-01-01/others.ndjson"
    before, now = (after.before / clean).stat(), (after.home / clean).stat()
    assert (after.home / clean).read_bytes() == (after.before / clean).read_bytes()
    assert now.st_mtime_ns == before.st_mtime_ns


def test_a_file_stays_what_it_was_but_for_the_person(after):
    landing = after.home / "landing"
    (row,) = (landing / "events/2025-01-01/events.ndjson").read_text().splitlines()
    assert json.loads(row)["page_url"] == "https://x.org/?by=(forgotten)&to=u10"
    packed = gzip.decompress((landing / "events/2025-01-02/packed.csv.gz").read_bytes())
    assert packed.decode() == (
        "event_id,event_name,event_ts,anonymous_id,user_id\r\n"
        "e5,page_view,2025-01-02T10:00:00Z,anon-10,u10\r\n"
    )
    latin = (landing / "events/2025-01-02/latin.csv").read_bytes().decode("latin-1")
    assert latin.splitlines()[1:] == [
        'e7,page_view,2025-01-02T11:00:00Z,u10,"Grüße, ""(forgotten)"""'
    ]
    wide = (landing / "events/2025-01-03/wide.csv").read_bytes().decode("utf-16")
    assert wide.splitlines()[1:] == ["e8 u10,page_view,2025-01-03T10:00:00Z,u10"]
    orders = pq.ParquetFile(landing / "orders/2025-01-03/o.parquet")
    assert orders.metadata.row_group(0).column(0).compression == "ZSTD"
    (order,) = orders.read().to_pylist()
    assert (order["order_id"], order["channel"]) == ("o2", "friend of (forgotten)")
    zipped = (landing / "surveys/2025-01-03/a.ndjson.zst").read_bytes()
    answer = json.loads(zstandard.ZstdDecompressor().decompressobj().decompress(zipped))
    assert answer["comment"] == "as (forgotten) said\n(forgotten)"
    assert (landing / "events/notes/notes.txt").read_text() == "call (forgotten), not u10\n"


def test_numbers_are_those_of_the_others_and_restated_because_a_person_was_forgotten(after):
    def dau(home: Path) -> list[int]:
        rows = table(home, "active_users_daily").filter(dimension="all").sort("date")
        return rows["dau"].to_list()

    # u1 and u10 on all three days.
    assert dau(after.before) == [2, 2, 2]
    assert dau(after.home) == [1, 1, 1]
    assert warehouse_table(after.home, "landed_orders")["customer_id"].to_list() == ["c10"]
    log = table(after.home, "restatements")
    assert set(log["cause"]) == {"person forgotten"}
    told = log.filter(pl.col("key").str.contains('"all"'), table="active_users_daily", column="dau")
    assert told.select("old_value", "new_value").rows() == [(2.0, 1.0)] * 3


def test_it_is_the_home_that_landing_without_the_person_makes(after):
    with scratch() as folder:
        anew = folder / "home"
        anew.mkdir()
        for name in ("landing", "tidemark.toml", FILE):
            copy = shutil.copytree if (after.home / name).is_dir() else shutil.copy2
            copy(after.home / name, anew / name)
        run_home(anew)
        assert_same_state(stored(after.home), stored(anew))


def test_no_later_file_and_no_backfill_brings_them_back(home):
    command(home, "forget", "u1", "--yes")
    late = [event(f"late {name}", "2025-01-03T10:00:00", user_id=name) for name in ("u1", "u10")]
    file = land(home, "2025-01-04", late, "late.ndjson")
    broken = land_bytes(home, "2025-01-04", b'{"user_id": "u1", "event_na\n', "cut.ndjson")
    said = command(home, "run", "--force")
    assert f"{file} holds 1 rows of people who were forgotten" in said.err
    assert str(broken) in said.err
    ledger = table(home, "ingest_ledger").filter(landing_date=pl.date(2025, 1, 4)).sort("file")
    counts = ("raw_rows", "forgotten_rows", "read_rows", "accepted_rows", "quarantined_rows")
    assert ledger.select(*counts).rows() == [(1, 1, 0, 0, 0), (2, 1, 1, 1, 0)]
    assert not [file for file in places(home, *IDS) if not file.startswith("landing")]
    swept = command(home, "forget", "--sweep")
    assert swept.status == 0
    assert "2 files of landing were rewritten" in swept.out
    assert places(home, *IDS) == []
    assert table(home, "ingest_ledger")["forgotten_rows"].sum() == 0


class _Killed(BaseException):
    """As if the process had ended here."""


@pytest.mark.parametrize("step", ["rewrite", "prove"])
def test_what_was_killed_is_said_to_be_pending_and_is_finished_by_the_same_command(
    home, monkeypatch, step
):
    calls = []
    real = getattr(steps, step)

    def killed(*given: Any, **named: Any) -> Any:
        calls.append(given)
        if len(calls) == (2 if step == "rewrite" else 1):
            raise _Killed
        return real(*given, **named)

    monkeypatch.setattr(steps, step, killed)
    with pytest.raises(_Killed):
        command(home, "forget", "u1", "--yes")
    monkeypatch.setattr(steps, step, real)
    pending = "a person was not forgotten to the end"
    assert pending in command(home, "status").out
    assert pending in command(home, "verify").out
    assert not places(home / FILE, *IDS)
    # By another of their ids, which stands nowhere any more once the tables are made.
    done = command(home, "forget", "anon-1", "--yes")
    assert (done.status, done.err) == (0, "")
    assert places(home, *IDS) == []
    assert set(table(home, "restatements")["cause"]) == {"person forgotten"}
    assert pending not in command(home, "status").out


def test_a_dry_run_and_one_without_a_yes_change_nothing(home):
    # The copies of landed files have times of their own, which are recorded once.
    run_home(home)
    before = {path: path.read_bytes() for path in home.rglob("*.*") if path.is_file()}
    shown = command(home, "forget", "u1", "--dry-run")
    assert shown.status == 0
    assert "events: 3 rows" in shown.out
    asked = command(home, "forget", "u1")
    assert asked.status == 1
    assert "add --yes" in asked.err
    assert {path: path.read_bytes() for path in before} == before
    assert not (home / FILE).exists()
