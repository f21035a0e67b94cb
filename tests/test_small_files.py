"""Files of few rows are read once, and what is kept of them is bounded."""

from collections.abc import Mapping
from pathlib import Path
from unittest.mock import patch

import polars as pl
import pytest

from pipelines.warehouse import small_files
from pipelines.warehouse.small_files import SmallFiles


def write(path: Path, *numbers: int) -> Path:
    pl.DataFrame({"n": numbers}).write_parquet(path)
    return path


def numbers(files: SmallFiles, sizes: Mapping[Path, int]) -> list[int]:
    return files.together(sizes).collect()["n"].to_list()


def test_a_file_is_read_once(folder: Path) -> None:
    files, path = SmallFiles(), write(folder / "a.parquet", 1, 2)
    files.together({path: 2})
    path.unlink()
    assert numbers(files, {path: 2}) == [1, 2]


def test_several_files_stand_in_their_order(folder: Path) -> None:
    sizes = {write(folder / "b.parquet", 3): 1, write(folder / "a.parquet", 1, 2): 2}
    assert numbers(SmallFiles(), sizes) == [3, 1, 2]


def test_files_that_were_read_before_stand_among_new_ones(folder: Path) -> None:
    files = SmallFiles()
    first, second, third = (write(folder / f"{n}.parquet", n, n) for n in range(3))
    files.together({second: 2})
    second.unlink()
    assert numbers(files, {first: 2, second: 2, third: 2}) == [0, 0, 1, 1, 2, 2]
    third.unlink()
    assert numbers(files, {third: 2, first: 2}) == [2, 2, 0, 0]


def test_files_that_are_read_together_are_opened_in_one_scan(folder: Path) -> None:
    sizes = {write(folder / f"{n}.parquet", n): 1 for n in range(3)}
    with patch.object(pl, "read_parquet", wraps=pl.read_parquet) as scans:
        SmallFiles().together(sizes)
    assert scans.call_count == 1


def test_the_rows_read_longest_ago_are_let_go(folder: Path) -> None:
    files = SmallFiles()
    first, second, third = (write(folder / f"{n}.parquet", n, n) for n in range(3))
    with patch.object(small_files, "_KEPT_ROWS", 4):
        # Two files of two rows are kept; the first was read again after the second.
        for path in (first, second, first, third):
            files.together({path: 2})
        for path in (first, second, third):
            path.unlink()
        assert numbers(files, {first: 2}) == [0, 0]
        assert numbers(files, {third: 2}) == [2, 2]
        with pytest.raises(FileNotFoundError):
            files.together({second: 2})
