"""Which files lie in landing, and whether they are what was taken in before."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pipelines.errors import TidemarkError
from pipelines.landing.take_in import RawFile
from pipelines.warehouse.disk import sha256_of
from pipelines.warehouse.manifest import LandingFile

# Raw bytes that are worked on at a time; compressed files count for what they may hold.
_BATCH_BYTES = 128 << 20
_COMPRESSED = {".gz": 8, ".zst": 8, ".parquet": 4}


@dataclass(frozen=True)
class Arrival:
    """A landing date as it lies in landing now; ``stats`` gives bytes and time of each file."""

    landing_date: date
    files: tuple[RawFile, ...]
    stats: Mapping[str, tuple[int, int]]

    def checksums(self, recorded: Mapping[str, LandingFile]) -> dict[str, str]:
        """Checksum of each file; one whose size and time are as recorded is not read again."""
        sums = {}
        for file in self.files:
            before = recorded.get(file.name)
            is_same = before is not None and self.stats[file.name] == before[:2]
            sums[file.name] = before.sha256 if before and is_same else sha256_of(file.path)
        return sums

    @property
    def raw_bytes(self) -> int:
        """What the files may hold when they are unpacked."""
        return sum(self.stats[f.name][0] * _COMPRESSED.get(f.path.suffix, 1) for f in self.files)


def find_arrivals(folder: Path, notices: list[str]) -> dict[date, Arrival]:
    """The landing dates of a source in order; what cannot be one is told in ``notices``."""
    if not folder.is_dir():
        return {}
    arrivals = {}
    for entry in sorted(os.scandir(folder), key=lambda each: each.name):
        if _is_hidden(entry.name):
            continue
        day = _landing_date(entry.name)
        if day is None or not entry.is_dir():
            notices.append(
                f"{folder / entry.name} was not read: files belong in folders named YYYY-MM-DD"
            )
            continue
        arrivals[day] = _arrival(day, Path(entry.path))
    return arrivals


def batches(arrivals: Sequence[Arrival]) -> Iterator[list[Arrival]]:
    """The arrivals in order, cut so that each batch fits into memory."""
    batch: list[Arrival] = []
    weight = 0
    for arrival in arrivals:
        if batch and weight + arrival.raw_bytes > _BATCH_BYTES:
            yield batch
            batch, weight = [], 0
        batch.append(arrival)
        weight += arrival.raw_bytes
    if batch:
        yield batch


def _is_hidden(name: str) -> bool:
    """Temporary and marker files, as tools that write folders name them."""
    return name.startswith((".", "_")) or name.endswith((".tmp", ".part"))


def _landing_date(name: str) -> date | None:
    try:
        day = date.fromisoformat(name)
    except ValueError:
        return None
    return day if day.isoformat() == name else None


def _arrival(day: date, folder: Path) -> Arrival:
    files, stats = [], {}
    for path in sorted(_files_below(folder)):
        name = path.relative_to(folder).as_posix()
        try:
            stat = path.stat()
        except OSError as error:
            raise TidemarkError(f"{path} cannot be read: {error.strerror}") from error
        files.append(RawFile(day, name, path))
        stats[name] = (stat.st_size, stat.st_mtime_ns)
    return Arrival(day, tuple(files), stats)


def _files_below(folder: Path) -> Iterator[Path]:
    for entry in os.scandir(folder):
        if _is_hidden(entry.name):
            continue
        if entry.is_dir():
            yield from _files_below(Path(entry.path))
        else:
            yield Path(entry.path)
