"""Published tables in segments: what did not change is taken over, and no byte shows it."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import polars as pl
import pytest
from homes import Kept, event, land, make_home, published, run_home

from pipelines.errors import TidemarkError
from pipelines.publish import segments
from pipelines.publish.joining import JoinedFile, Piece

DAYS = ["2024-12-30", "2025-01-15", "2025-02-10", "2025-03-05"]


@pytest.fixture(scope="module", autouse=True)
def every_month_is_a_segment() -> Iterator[None]:
    with patch.object(segments, "FEW_ROWS", 1):
        yield


def rows(day: str, user: str = "ada") -> list[dict[str, object]]:
    return [event(f"{user}-{day}", f"{day}T10:00:00", user_id=user)]


def names(home: Path, table: str) -> list[str]:
    return [segment.name for segment in JoinedFile(home / "bi" / f"{table}.parquet").segments]


def land_late(home: Path) -> Path:
    """Bob's visit of January comes in March."""
    land(home, "2025-03-06", rows("2025-01-15", "bob"))
    return home


@pytest.fixture(scope="module")
def kept(module_folder: Path) -> Kept:
    home = make_home(module_folder / "home", files={day: rows(day) for day in DAYS})
    run_home(home)
    return Kept(home)


@pytest.fixture(scope="module")
def at_once(module_folder: Path) -> Path:
    home = make_home(module_folder / "other", files={day: rows(day) for day in DAYS})
    run_home(land_late(home))
    return home


def test_years_of_few_rows_are_one_segment_and_others_are_one_a_month(kept: Kept) -> None:
    home = land_late(kept.restore())
    assert names(home, "sessions") == ["2024-12", "2025-01", "2025-02", "2025-03"]
    assert names(home, "cohort_retention") == ["all"]
    # One session in 2024, and four in 2025.
    with patch.object(segments, "FEW_ROWS", 4):
        run_home(home)
    assert names(home, "sessions") == ["2024", "2025-01", "2025-02", "2025-03"]


def test_only_the_months_that_changed_are_made_and_the_bytes_are_those_of_all(
    kept: Kept, at_once: Path
) -> None:
    made: list[tuple[str, list[str]]] = []
    of_file = Piece.of_file

    def noted(name: str, digest: str, content: bytes) -> Piece:
        made.append((name, pl.read_parquet(content).columns))
        return of_file(name, digest, content)

    home = land_late(kept.restore())
    with patch.object(Piece, "of_file", noted):
        run_home(home)
    assert [name for name, columns in made if "entry_page" in columns] == ["2025-01"]
    assert published(home) == published(at_once)
    log = pl.read_parquet(home / "bi" / "restatements.parquet")
    of_sessions = log.filter(
        pl.col("table") == "sessions_daily",
        pl.col("column") == "sessions",
        pl.col("key").str.contains('"all","segment":"all"', literal=True),
    )
    # On the 15th ada alone had a session before bob's came late.
    told = of_sessions.select(pl.col("period_start").cast(pl.String), "old_value", "new_value")
    assert told.rows() == [("2025-01-15", 1.0, 2.0)]


def test_only_of_tables_that_are_compared_are_rows_kept(kept: Kept) -> None:
    kept_of: dict[str, int] = {}
    write = segments.Rendering.write

    def noted(self: segments.Rendering, path: Path, former: JoinedFile | None) -> tuple[str, int]:
        written = write(self, path, former)
        kept_of[path.name] = sum(frame.height for frame in self.made)
        return written

    home = kept.restore()
    shutil.rmtree(home / "bi")
    with patch.object(segments.Rendering, "write", noted):
        run_home(home)
        assert set(kept_of.values()) == {0}
        run_home(land_late(home))
    assert kept_of["sessions.parquet"] == 0
    assert kept_of["sessions_daily.parquet"] > 0


def test_damaged_bytes_are_made_anew_and_not_taken_over(kept: Kept, at_once: Path) -> None:
    home = land_late(kept.restore())
    damage(home / "bi" / "sessions.parquet")
    run_home(home)
    assert published(home)["sessions.parquet"] == published(at_once)["sessions.parquet"]


def test_numbers_that_cannot_be_compared_with_damaged_ones_are_not_published(kept: Kept) -> None:
    home = land_late(kept.restore())
    path = home / "bi" / "cohort_retention.parquet"
    damage(path)
    with pytest.raises(TidemarkError, match=f"{path} was changed: delete it"):
        run_home(home)
    path.unlink()
    run_home(home)
    assert names(home, "cohort_retention") == ["all"]


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    # Within the first page, behind its header.
    content[60] ^= 255
    path.write_bytes(content)
