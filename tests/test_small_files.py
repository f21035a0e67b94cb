"""Files of few rows are read once, and what is kept of them is bounded."""

from pathlib import Path
from unittest.mock import patch

import polars as pl
import pytest

from pipelines.warehouse import small_files
from pipelines.warehouse.small_files import SmallFiles


def write(path: Path, *numbers: int) -> Path:
    pl.DataFrame({"n": numbers}).write_parquet(path)
    return path


def test_a_file_is_read_once(folder: Path) -> None:
    files, path = SmallFiles(), write(folder / "a.parquet", 1, 2)
    files.read(path)
    path.unlink()
    assert files.read(path)["n"].to_list() == [1, 2]


def test_several_files_stand_in_their_order(folder: Path) -> None:
    paths = [write(folder / "b.parquet", 3), write(folder / "a.parquet", 1, 2)]
    assert SmallFiles().together(paths).collect()["n"].to_list() == [3, 1, 2]


def test_the_rows_read_longest_ago_are_let_go(folder: Path) -> None:
    files = SmallFiles()
    first, second, third = (write(folder / f"{n}.parquet", n, n) for n in range(3))
    with patch.object(small_files, "_KEPT_ROWS", 4):
        # Two files of two rows are kept; the first was read again after the second.
        for path in (first, second, first, third):
            files.read(path)
        for path in (first, second, third):
            path.unlink()
        assert files.read(first)["n"].to_list() == [0, 0]
        assert files.read(third)["n"].to_list() == [2, 2]
        with pytest.raises(FileNotFoundError):
            files.read(second)
