"""Which files lie in landing, and whether they are what was taken in before."""

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pipelines.errors import TidemarkError
from pipelines.landing.files import RawFile, called, path_of
from pipelines.landing.nearest import nearest
from pipelines.landing.take_in import UNREADABLE
from pipelines.warehouse.digests import digest_of
from pipelines.warehouse.disk import sha256_of
from pipelines.warehouse.manifest import Manifest
from pipelines.warehouse.records import LandingFile
from pipelines.warehouse.states import SettledLanding

# Raw bytes that are worked on at a time; compressed files count for what they may hold.
_BATCH_BYTES = 64 << 20
_COMPRESSED = {".gz": 8, ".zst": 8, ".parquet": 8}


@dataclass(frozen=True)
class Arrival:
    """A landing date as it lies in landing now; ``stats`` gives bytes and time of each file."""

    landing_date: date
    folder: str
    stats: Mapping[str, tuple[int, int]]

    @property
    def files(self) -> list[RawFile]:
        """The files, in the order of their names."""
        return [RawFile(self.landing_date, name, self._path(name)) for name in self.stats]

    def _path(self, name: str) -> Path:
        return path_of(self.folder, name)

    def checksums(self, recorded: Mapping[str, LandingFile]) -> dict[str, str]:
        """Checksum of each file; one whose size and time are as recorded is not read again."""
        sums = {}
        for name, stat in self.stats.items():
            before = recorded.get(name)
            if before and stat == before[:2] and before.sha256 != UNREADABLE:
                sums[name] = before.sha256
            else:
                sums[name] = _checksum(self._path(name))
        return sums

    def is_as(self, manifest: Manifest, source: str) -> bool:
        """Whether names, bytes and times are as recorded."""
        recorded = manifest.landing_files.get((source, self.landing_date), {})
        return recorded.keys() == self.stats.keys() and all(
            stat == recorded[name][:2] for name, stat in self.stats.items()
        )

    @property
    def raw_bytes(self) -> int:
        """What the files may hold when they are unpacked."""
        return sum(
            size * _COMPRESSED.get(os.path.splitext(name)[1], 1)  # noqa: PTH122
            for name, (size, _) in self.stats.items()
        )


def find_arrivals(folder: Path, notices: list[str]) -> dict[date, Arrival]:
    """Landing dates with files, in order; what cannot be one is told in ``notices``."""
    if not folder.is_dir():
        return {}
    arrivals = {}
    for entry in sorted(os.scandir(folder), key=lambda each: each.name):
        if _is_hidden(entry.name):
            continue
        day = _landing_date(entry.name)
        if day is None or not entry.is_dir():
            notices.append(
                f"{folder / called(entry.name)} was not read: files belong in folders named "
                "YYYY-MM-DD"
            )
            continue
        stats = dict(sorted((called(name), stat) for name, stat in _stats(entry.path, "")))
        # A folder whose files were taken away counts for no more than one that never held any.
        if stats:
            arrivals[day] = Arrival(day, entry.path, stats)
    return arrivals


def as_they_lie(arrivals: Mapping[date, Arrival], rules: bytes) -> SettledLanding:
    """Digest of the names, bytes and times of all files, and the rules by which they are read."""
    files = (f"{day} {sorted(each.stats.items())}".encode() for day, each in arrivals.items())
    return SettledLanding(rules, digest_of(files))


def unchanged(
    arrivals: Mapping[date, Arrival], manifest: Manifest, source: str, rules: bytes
) -> set[date]:
    """Landing dates whose files are as they were when all of the source was taken in."""
    settled = manifest.settled_landings.get(source)
    if settled is None or settled.rules != rules:
        return set()
    return {day for day, each in arrivals.items() if each.is_as(manifest, source)}


def settle(manifest: Manifest, source: str, settled: SettledLanding) -> None:
    """Record that all of this was taken in; what could not be read is tried again each time."""
    of_source = (files for (name, _), files in manifest.landing_files.items() if name == source)
    if all(file.sha256 != UNREADABLE for files in of_source for file in files.values()):
        manifest.settle_landing(source, settled)


def date_digest(constant: bytes, checksums: Mapping[str, str]) -> bytes:
    """Digest of what the files of a landing date hold, and of how they are read."""
    files = (f"{name}\0{checksum}".encode() for name, checksum in sorted(checksums.items()))
    return digest_of([constant, *files])


def gone_message(folder: str, gone: list[str]) -> str:
    """What to say of files whose rows were taken in and that are there no more."""
    shown = ", ".join(gone[:3]) + (f" and {len(gone) - 3} more" if len(gone) > 3 else "")
    return (
        f"files that were taken in are gone from {folder}: {shown}. Put them back, or run "
        "`tidemark run --accept-removed` to take their rows out of every table"
    )


def find_strays(landing: Path, sources: Collection[str]) -> list[str]:
    """What lies in landing and belongs to no source, each as a notice."""
    return [
        f"{landing / called(name)} was not read: the folders of landing are named by source"
        + _meant(name, sources)
        for name in sorted(path.name for path in landing.iterdir())
        if name not in sources and not _is_hidden(name)
    ]


def _meant(name: str, sources: Collection[str]) -> str:
    near = nearest(name, list(sources), 0.6)
    return f"; did you mean {near}?" if near else f", and the sources are: {', '.join(sources)}"


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


def _is_pipe(entry: os.DirEntry[str]) -> bool:
    """Pipes, sockets and devices would be waited for without end; they are no files."""
    return not entry.is_file() and not entry.is_dir() and Path(entry.path).exists()


def _leads_back(entry: os.DirEntry[str]) -> bool:
    """A link to a folder that it lies in has no end: it counts as a file, which is refused."""
    path = Path(entry.path)
    return entry.is_symlink() and path.resolve() in path.parent.resolve().joinpath("_").parents


def _stat(entry: os.DirEntry[str]) -> tuple[int, int]:
    """Bytes and time; a link that leads nowhere has neither, and is refused when it is read.

    Copies can keep the time of modification; that of the change of the entry is the system's own.
    """
    try:
        stat = entry.stat()
    except OSError:
        return 0, 0
    return stat.st_size, max(stat.st_mtime_ns, stat.st_ctime_ns)


def _checksum(path: Path) -> str:
    try:
        return sha256_of(path)
    except OSError:
        return UNREADABLE


def _stats(folder: str, prefix: str) -> Iterator[tuple[str, tuple[int, int]]]:
    """Name, bytes and time of every file below a folder. Of strings: there may be ten thousand."""
    try:
        for entry in os.scandir(folder):
            if _is_hidden(entry.name):
                continue
            if entry.is_dir() and not _leads_back(entry):
                yield from _stats(entry.path, f"{prefix}{entry.name}/")
            elif not _is_pipe(entry):
                yield f"{prefix}{entry.name}", _stat(entry)
    except OSError as error:
        where = error.filename or folder
        raise TidemarkError(f"{where} cannot be read: {error.strerror}") from error
