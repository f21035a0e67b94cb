"""Parquet files joined by their row groups: every reader sees the rows of all, in their order."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pyarrow.parquet as pq
import pytest
from homes import scratch
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from pipelines.publish.compact import decode, encode
from pipelines.publish.joining import JoinedFile, Piece, join
from pipelines.warehouse.parquet import parquet_bytes
from schemas.base import dtypes
from schemas.user_days import UserDays

SCHEMA = dtypes(UserDays)
EMPTY = parquet_bytes(pl.DataFrame(schema=SCHEMA), UserDays)


def days(people: Sequence[str | None]) -> pl.DataFrame:
    rows = [(date(2025, 1, 1), user, "web", 7, -1, True) for user in people]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def piece(name: str, frame: pl.DataFrame) -> Piece:
    return Piece.of_file(name, f"digest of {name}", parquet_bytes(frame, UserDays))


def joined(folder: Path, frames: Sequence[pl.DataFrame]) -> Path:
    path = folder / "joined.parquet"
    join((piece(str(number), frame) for number, frame in enumerate(frames)), EMPTY, path)
    return path


@settings(max_examples=30)
@given(st.lists(st.lists(st.sampled_from([None, "", "ada", "böb", "x" * 300])), max_size=20))
def test_readers_see_the_rows_of_all_files_in_their_order(files: list[list[str | None]]) -> None:
    frames = [days(people) for people in files]
    expected = pl.concat([days([]), *frames])
    with scratch() as folder:
        path = joined(folder, frames)
        assert_frame_equal(pl.read_parquet(path), expected)
        arrow = pq.read_table(path)
        assert_frame_equal(pl.DataFrame(arrow), expected)
        by_duckdb = duckdb.sql(f"SELECT user_id, active_events FROM '{path}'").fetchall()
        assert by_duckdb == expected.select("user_id", "active_events").rows()


def test_a_file_taken_apart_and_joined_again_is_the_same_file(tmp_path: Path) -> None:
    path = joined(tmp_path, [days(["ada"]), days(["bob"] * 9), days([]), days(["cyd", None])])
    opened = JoinedFile(path)
    again = tmp_path / "again.parquet"
    pieces = [opened.piece(segment) for segment in opened.segments]
    assert [found.segment.rows for found in pieces if found] == [1, 9, 0, 2]
    join([found for found in pieces if found], EMPTY, again)
    assert again.read_bytes() == path.read_bytes()


def test_a_piece_can_come_from_the_middle_of_another_file(tmp_path: Path) -> None:
    opened = JoinedFile(joined(tmp_path, [days(["ada"]), days(["bob", "bob"]), days(["cyd"])]))
    middle = opened.piece(opened.segments[1])
    assert middle
    path = tmp_path / "other.parquet"
    join([piece("new", days(["zoe"])), middle], EMPTY, path)
    assert pq.read_table(path)["user_id"].to_pylist() == ["zoe", "bob", "bob"]
    assert opened.without({opened.segments[1]})["user_id"].to_list() == ["ada", "cyd"]
    assert opened.without(set())["user_id"].to_list() == ["ada", "bob", "bob", "cyd"]


def test_a_segment_with_a_flipped_bit_is_not_taken_over(tmp_path: Path) -> None:
    path = joined(tmp_path, [days(["ada"]), days(["bob"])])
    opened = JoinedFile(path)
    content = bytearray(path.read_bytes())
    content[4 + opened.segments[0].bytes + 5] ^= 1
    path.write_bytes(content)
    damaged = JoinedFile(path)
    assert damaged.piece(opened.segments[0])
    assert damaged.piece(opened.segments[1]) is None


def test_a_file_that_was_not_joined_has_no_segments(tmp_path: Path) -> None:
    path = tmp_path / "plain.parquet"
    path.write_bytes(parquet_bytes(days(["ada"]), UserDays))
    assert JoinedFile(path).segments == []


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1\xff\xff\xff\x7fPAR1", b"x" * 40])
def test_what_is_no_parquet_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.parquet"
    path.write_bytes(content)
    with pytest.raises((ValueError, IndexError)):
        JoinedFile(path)


def test_a_footer_is_written_as_it_was_read(tmp_path: Path) -> None:
    # More than fifteen columns and row groups: both forms of a list's length.
    wide = pl.DataFrame({f"column {number}": range(40) for number in range(20)})
    path = tmp_path / "wide.parquet"
    wide.write_parquet(path, row_group_size=2)
    content = path.read_bytes()
    footer = content[-8 - int.from_bytes(content[-8:-4], "little") : -8]
    assert encode(decode(footer)) == footer
