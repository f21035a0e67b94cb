"""Rows that go to the disk while a large file is taken in: no byte may show it."""

import errno
import gzip
import io
import json
from datetime import date, timedelta
from pathlib import Path
from unittest.mock import patch

import polars as pl
import pyarrow as pa
import pytest
import zstandard
from homes import assert_same_state, land_bytes, make_home
from hypothesis import given, settings
from hypothesis import strategies as st
from landing_support import file, receipt, refused, taken

from pipelines import registry
from pipelines.errors import TidemarkError
from pipelines.home import open_home
from pipelines.landing import content_ids, sorted_runs
from pipelines.landing.collected import Spilled
from pipelines.landing.sorted_runs import SortedRuns, Spilling
from pipelines.landing.sources import SOURCES
from pipelines.session import no_progress, writing
from pipelines.warehouse import filing, parquet
from pipelines.warehouse.land import Lander

DAY = date(2024, 3, 6)
ORDER = ["landing_date", "event_date", "file", "line", "item"]
FORMATS = ("a.csv", "a.csv.gz", "a.ndjson", "a.ndjson.zst", "a.parquet")


def tiny(folder: Path) -> Spilling:
    """Bounds at which some hundred rows are many runs, and every run several batches."""
    return Spilling(folder / "spilled", held_bytes=2_000, run_bytes=1_000, batch_bytes=300)


def events(count: int) -> list[dict[str, str | None]]:
    """Events on twelve days, late and on time; of every seven two look alike and lack an id."""
    return [
        {
            "event_id": None if number % 7 < 2 else f"e{number}",
            "event_name": "view" if number % 11 else None,
            "event_ts": f"{DAY - timedelta(days=number // 7 % 12)}T10:00:00Z",
            "user_id": f"user-{number // 7 % 40}",
        }
        for number in range(count)
    ]


def packed(name: str, rows: list[dict[str, str | None]]) -> bytes:
    """The rows as a file of this name holds them."""
    frame, buffer = pl.DataFrame(rows), io.BytesIO()
    if ".csv" in name:
        frame.write_csv(buffer)
    elif ".ndjson" in name:
        buffer.write(b"".join(json.dumps(row).encode() + b"\n" for row in rows))
    else:
        frame.write_parquet(buffer)
    data = buffer.getvalue()
    if name.endswith(".gz"):
        return gzip.compress(data, mtime=0)
    return zstandard.compress(data) if name.endswith(".zst") else data


def landed(home: Path, spilling: Spilling | None) -> dict[str, object]:
    """What a home stores of its landing, with files and row groups as small as the rows are few."""
    with (
        patch.object(filing, "SMALL_UNIT_ROWS", 30),
        patch.object(parquet, "ROW_GROUP_ROWS", 16),
        writing(open_home(home)) as session,
    ):
        lander = Lander(
            session.home, session.store, registry.FILINGS, no_progress, spilling, block_bytes=2_000
        )
        lander.land(SOURCES["events"])
        paths = {number: stored.path for number, stored in session.manifest.files.items()}
        state: dict[str, object] = {
            path: (home / "warehouse" / path).read_bytes() for path in sorted(paths.values())
        }
        for name, slices in session.manifest.slices.items():
            state[name] = {
                key: record._replace(file=record.file and paths[record.file])  # type: ignore[arg-type]
                for key, record in slices.items()
            }
    return state


def same_bytes(folder: Path, files: dict[str, bytes]) -> None:
    """Files by landing date and name give the same bytes spilled and held."""
    homes = []
    for name in ("held", "spilled"):
        homes.append(make_home(folder / name))
        for place, data in files.items():
            day, _, file_name = place.partition("/")
            land_bytes(homes[-1], day, data, file_name)
    spilling = tiny(homes[1] / "warehouse" / ".staging")
    with patch.object(SortedRuns, "chunks", autospec=True, side_effect=SortedRuns.chunks) as read:
        assert_same_state(landed(homes[1], spilling), landed(homes[0], None))
    assert read.called
    assert not list((homes[1] / "warehouse" / ".staging" / "spilled").iterdir())


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_spilled_changes_no_byte_of_the_warehouse(tmp_path: Path, name: str) -> None:
    same_bytes(tmp_path, {f"{DAY}/{name}": packed(name, events(600))})


def test_small_and_large_files_of_several_dates_and_forms_between_each_other(
    tmp_path: Path,
) -> None:
    rows = events(900)
    same_bytes(
        tmp_path,
        {
            f"{DAY}/a.csv": packed("a.csv", rows[:20]),
            f"{DAY}/b.ndjson": packed("b.ndjson", rows[:500]),
            f"{DAY}/c.csv": packed("c.csv", rows[20:40]),
            f"{DAY}/d.parquet": packed("d.parquet", rows[200:]),
            f"{DAY}/e.ndjson": packed("e.ndjson", rows[40:60]),
            f"{DAY + timedelta(days=1)}/a.csv": packed("a.csv", rows[300:800]),
            f"{DAY + timedelta(days=2)}/a.csv": packed("a.csv", rows[:9]),
        },
    )


def test_a_night_replaced_by_a_larger_one_lies_as_if_it_had_been_the_first(
    tmp_path: Path,
) -> None:
    first, second = make_home(tmp_path / "one"), make_home(tmp_path / "two")
    spilling = tiny(tmp_path)
    for size in (40, 700):
        land_bytes(first, DAY, packed("a.csv", events(size)), "a.csv")
        again = landed(first, spilling)
    land_bytes(second, DAY, packed("a.csv", events(700)), "a.csv")
    assert_same_state(again, landed(second, spilling))


def test_equal_rows_in_different_runs_get_ids_of_their_own(tmp_path: Path) -> None:
    row = "view,2024-03-05T12:00:00Z,u\n"
    one = file(tmp_path, "a.csv", "event_name,event_ts,user_id\n" + row * 300)
    held = taken(one)
    result = taken(one, spilling=tiny(tmp_path), block_bytes=500)
    assert isinstance(result.landed_rows, Spilled)
    found = result.landed.sort("line")
    assert found.equals(held.landed.sort("line"))
    first = found["event_id"][0]
    assert found["event_id"].to_list() == [first, *(f"{first}-{nth}" for nth in range(2, 301))]


def test_a_file_cut_short_loses_its_spilled_rows_and_no_other_file_does(tmp_path: Path) -> None:
    whole = packed("a.csv", events(400))
    cut = gzip.compress(packed("b.csv", events(4_000)), mtime=0)
    files = [
        file(tmp_path, "a.csv", whole),
        file(tmp_path, "b.csv", b""),
        file(tmp_path, "c.csv", whole),
    ]
    path = files[1].path.rename(files[1].path.with_name("b.csv.gz"))
    path.write_bytes(cut[:-20])
    files[1] = type(files[1])(DAY, "b.csv.gz", path)
    result = taken(files, spilling=tiny(tmp_path), block_bytes=2_000)
    held = taken(files, block_bytes=2_000)
    assert set(result.landed["file"]) == {"a.csv", "c.csv"}
    assert result.landed.sort(ORDER).equals(held.landed.sort(ORDER))
    key = ["file", "line", "item"]
    assert result.quarantined.sort(key).equals(held.quarantined.sort(key))
    assert result.receipts.equals(held.receipts)
    said = "the gzip stream ends before its end: the file is cut short"
    assert (0, None, said) in refused(result)


def test_a_file_all_of_whose_rows_lack_a_key_is_refused_with_its_spilled_rows(
    tmp_path: Path,
) -> None:
    text = "".join(json.dumps({"event_name": "x", "n": n}) + "\n" for n in range(300))
    result = taken(file(tmp_path, "a.ndjson", text), spilling=tiny(tmp_path), block_bytes=1_000)
    assert [line for line, _, _ in refused(result)] == [0]
    assert receipt(result)["status"] == "refused"


def test_what_a_killed_run_spilled_is_swept_by_the_next(tmp_path: Path) -> None:
    home = make_home(tmp_path / "home")
    land_bytes(home, DAY, packed("a.csv", events(20)), "a.csv")
    left = home / "warehouse" / ".staging" / "spilled" / "tmpabc" / "0.arrow"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half a run")
    landed(home, None)
    assert not left.exists()


def test_a_full_disk_stops_the_run_and_is_not_laid_at_the_door_of_the_file(tmp_path: Path) -> None:
    one = file(tmp_path, "a.ndjson", packed("a.ndjson", events(400)))
    full = OSError(errno.ENOSPC, "No space left on device")
    with (
        patch.object(pa.ipc, "new_file", side_effect=full),
        pytest.raises(TidemarkError, match="cannot be written: No space left on device"),
    ):
        taken(one, spilling=tiny(tmp_path), block_bytes=2_000)


def test_an_intake_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    one = file(tmp_path, "a.csv", packed("a.csv", events(400)))
    with (
        patch.object(SortedRuns, "pieces", side_effect=KeyboardInterrupt),
        pytest.raises(KeyboardInterrupt),
    ):
        taken(one, spilling=tiny(tmp_path), block_bytes=2_000)
    assert not list((tmp_path / "spilled").iterdir())


def most_rows_at_once(folder: Path, runs: int) -> int:
    """How many rows are read together of so many runs of 60 rows, each of all the same days."""
    spilling = Spilling(folder / str(runs), batch_bytes=200)
    spilled = SortedRuns(spilling, ["day", "line"], ["day"])
    for number in range(runs):
        lines = range(number * 60, number * 60 + 60)
        spilled.add(pl.DataFrame({"day": [line % 60 for line in lines], "line": lines}))
    heights = []

    def noted(runs: SortedRuns, batches: list[pa.RecordBatch]) -> pl.DataFrame:
        heights.append(sum(batch.num_rows for batch in batches))
        return frame(runs, batches)

    frame = SortedRuns._frame
    with patch.object(SortedRuns, "_frame", noted):
        found = [line for chunk in spilled.chunks() for line in chunk["line"]]
        held = [line for piece in spilled.pieces(["line"]) for line in piece["line"]]
    assert sorted(found) == sorted(held) == list(range(runs * 60))
    assert found == sorted(found, key=lambda line: (line % 60, line))
    return max(heights)


def test_of_ten_times_the_rows_not_twice_as_many_are_read_together(tmp_path: Path) -> None:
    # Every run has every day once, and batches of two days: one of each run may be read together.
    with patch.object(sorted_runs, "_MOST_RUNS", 10):
        few, many = most_rows_at_once(tmp_path, 40), most_rows_at_once(tmp_path, 400)
    assert many <= 2 * few < 1_000


@pytest.mark.parametrize("at_once", [1, 7, 1_000])
def test_equal_rows_are_found_however_many_ids_are_looked_at_together(
    tmp_path: Path, at_once: int
) -> None:
    one = file(tmp_path, "a.csv", packed("a.csv", events(400)))
    with patch.object(content_ids, "_IDS_AT_ONCE", at_once):
        result = taken(one, spilling=tiny(tmp_path), block_bytes=500)
    assert isinstance(result.landed_rows, Spilled)
    assert result.landed.sort("line").equals(taken(one).landed.sort("line"))


@settings(max_examples=40)
@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 4), st.integers(0, 10_000)), max_size=30), max_size=6
    ),
    st.integers(20, 400),
)
def test_runs_come_out_as_one_sort_would_have_them(
    tmp_path_factory: pytest.TempPathFactory, runs: list[list[tuple[int, int]]], size: int
) -> None:
    spilling = Spilling(tmp_path_factory.mktemp("runs"), batch_bytes=size)
    spilled = SortedRuns(spilling, ["day", "line"], ["day"])
    seen = set()
    for run in runs:
        rows = [row for row in dict.fromkeys(run) if row not in seen]
        seen.update(rows)
        # Two by two they are merged.
        with patch.object(sorted_runs, "_MOST_RUNS", 2):
            spilled.add(pl.DataFrame(rows, {"day": pl.Int64, "line": pl.Int64}, orient="row"))
    expected = sorted(seen)
    found = [row for chunk in spilled.chunks() for row in chunk.rows()]
    assert found == expected
    pieces = [row for piece in spilled.pieces(["line"]) for row in piece.rows()]
    assert sorted(pieces) == sorted((line,) for _, line in expected)
    spilled.clear()
