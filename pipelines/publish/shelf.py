"""The folder that readers see, replaced as a whole by one rename.

``bi/<name>`` is a link to ``.current/<name>``, and ``.current`` a link to the folder of one
publication. Readers keep stable names; turning ``.current`` turns them all at once. Everything
lies below ``bi``, so that the folder can be shared or mounted by itself. Publications of the last
runs are kept, unchanged tables at no cost, for readers who hold one of their files open.
"""

import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from pipelines.warehouse.disk import make_folder, sync_file_system

_CURRENT = ".current"
RUNS = ".runs"
_KEEP = 8


class Shelf:
    """The published files of a home."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def current_id(self) -> str | None:
        """Id of the publication that readers see."""
        link = self.folder / _CURRENT
        return link.readlink().name if link.is_symlink() else None

    @property
    def turned_at(self) -> datetime | None:
        """When readers came to see the current publication."""
        link = self.folder / _CURRENT
        return datetime.fromtimestamp(link.lstat().st_mtime, UTC) if link.is_symlink() else None

    def path_of(self, name: str) -> Path:
        """Where readers find a file."""
        return self.folder / name

    def draft(self) -> Path:
        """An empty folder in which a publication is put together, out of readers' sight."""
        draft = self.folder / RUNS / ".new.draft"
        self.clear_drafts()
        make_folder(draft)
        return draft

    def clear_drafts(self) -> None:
        """Throw away what killed runs were putting together."""
        for left in (self.folder / RUNS).glob(".*.draft"):
            shutil.rmtree(left)

    def keep(self, name: str, draft: Path) -> None:
        """Take a file over from the current publication: the same bytes, no copy."""
        share(self.folder / _CURRENT / name, draft / name)

    def folder_of(self, publication_id: str) -> Path:
        """Where the files of a publication lie."""
        return self.folder / RUNS / publication_id

    def place(self, publication_id: str, draft: Path) -> Path:
        """Give a finished draft the folder of its publication, which readers do not see yet."""
        final = self.folder_of(publication_id)
        if final.exists():
            # Published before, and damaged since or not recorded by a run that was killed.
            for path in draft.iterdir():
                path.replace(final / path.name)
            # Names of one content stay where they are.
            shutil.rmtree(draft)
        else:
            draft.rename(final)
        return final

    def turn(self, publication_id: str) -> None:
        """Show a publication to readers in place of the one before."""
        sync_file_system(self.folder)
        self.link(publication_id)
        sync_file_system(self.folder)
        self._prune(publication_id)

    def link(self, publication_id: str) -> None:
        """Point every stable name to a publication; those that do so already are left alone."""
        names = sorted(path.name for path in self.folder_of(publication_id).iterdir())
        # Links to new tables first: until the turn they lead nowhere, after it they are complete.
        for name in names:
            _link(self.folder / name, Path(_CURRENT) / name)
        _link(self.folder / _CURRENT, Path(RUNS) / publication_id)
        for path in self.folder.iterdir():
            if path.is_symlink() and not path.exists():
                path.unlink()

    def show(self, name: str) -> None:
        """Give a file that came to the current publication later on its stable name."""
        _link(self.folder / name, Path(_CURRENT) / name)

    def drop_others(self, is_unwanted: Callable[[Path], bool]) -> None:
        """Drop such publications as readers see no more, also for those in the middle of one."""
        for path in (self.folder / RUNS).glob("[!.]*"):
            if path.name != self.current_id and is_unwanted(path):
                shutil.rmtree(path)

    def _prune(self, current: str) -> None:
        """Drop old publications; the last ones stay for readers who are in the middle of one."""
        runs = [path for path in (self.folder / RUNS).iterdir() if path.name != current]
        runs.sort(key=lambda path: path.stat().st_mtime_ns)
        for path in runs[: max(0, len(runs) - _KEEP + 1)]:
            shutil.rmtree(path)


def share(source: Path, target: Path) -> None:
    """One content under two names where the file system can, else a copy."""
    try:
        os.link(source.resolve(), target)
    except OSError:
        shutil.copyfile(source, target)


def _link(link: Path, target: Path) -> None:
    """Point a link elsewhere in one step, whatever was there before."""
    if link.is_symlink() and link.readlink() == target:
        return
    fresh = link.with_name(f".{link.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    if link.is_dir() and not link.is_symlink():
        # A home that was copied without its links: the copy of the publication is not needed.
        shutil.rmtree(link)
    fresh.rename(link)
