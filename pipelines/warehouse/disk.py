"""Writing files so that nobody ever sees half of one."""

import contextlib
import ctypes
import hashlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from pipelines.errors import TidemarkError

STAGING = ".staging"
SPILLED = "spilled"


class Staging:
    """Files on their way into a folder: written aside, synced, renamed to their final names.

    ``spilled`` is a folder for what never gets a final name; whoever writes there deletes it.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._folder = root / STAGING
        self._waiting: list[tuple[Path, Path]] = []
        self.spilled = self._folder / SPILLED

    def clear(self) -> None:
        """Throw away what an earlier run left behind."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._waiting.clear()

    def write(self, path: str, content: bytes) -> None:
        """Write ``content`` aside; :meth:`place` will move it to ``path`` below the root."""
        staged = self.room()
        write(staged, content)
        self.add(staged, path)

    def room(self) -> Path:
        """Where the next file may be written, to be added."""
        make_folder(self._folder)
        return self._folder / f"{len(self._waiting)}.tmp"

    def add(self, staged: Path, path: str) -> None:
        """Take a file that was written in the :meth:`room`; its final name is ``path``."""
        self._waiting.append((staged, self.root / path))

    def place(self) -> None:
        """Move everything to its final name and put it on the disk for good."""
        for staged, final in self._waiting:
            try:
                staged.rename(final)
            except FileNotFoundError:
                final.parent.mkdir(parents=True, exist_ok=True)
                staged.rename(final)
        if self._waiting:
            sync_file_system(self.root)
        self._waiting.clear()


def sync_file_system(folder: Path) -> None:
    """Flush everything written to the file system of ``folder``: one call for many files."""
    try:
        syncfs = ctypes.CDLL(None, use_errno=True).syncfs
    except (AttributeError, OSError):  # not Linux
        os.sync()
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        if syncfs(descriptor):
            error = ctypes.get_errno()
            raise OSError(error, os.strerror(error), str(folder))
    finally:
        os.close(descriptor)


def sha256(content: bytes) -> str:
    """Checksum of bytes."""
    return hashlib.sha256(content).hexdigest()


def sha256_of(path: Path) -> str:
    """Checksum of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def remove(paths: Iterable[Path]) -> None:
    """Delete files; one that is gone already is no error."""
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()


def make_folder(folder: Path) -> None:
    """Create a folder, or say why that cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from error


def write(path: Path, content: bytes) -> None:
    """Write a file, or say why that cannot be."""
    try:
        path.write_bytes(content)
    except OSError as error:
        raise cannot_write(path, error) from error


def cannot_write(place: Path, error: OSError) -> TidemarkError:
    """What to say of a full or read-only disk, or of lacking permission."""
    return TidemarkError(
        f"{place} cannot be written: {error.strerror or error}. Make room or permissions, or name "
        "another place under [paths] in tidemark.toml, and run again"
    )
