"""One writer at a time per home."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from pipelines.errors import HomeBusyError
from pipelines.warehouse.disk import cannot_write, make_folder, write


@contextmanager
def writer_lock(warehouse: Path, *, wait_minutes: float = 0) -> Iterator[None]:
    """Hold the home's lock.

    Raises HomeBusyError where another run holds it for longer than is waited, TidemarkError where
    the disk is read-only.

    The operating system lets go of it when its process ends, however that happens.
    """
    make_folder(warehouse)
    lock = FileLock(warehouse / ".lock")
    try:
        lock.acquire(timeout=wait_minutes * 60)
    except Timeout:
        raise HomeBusyError(
            f"another run is at work in {warehouse.parent}{_holder(warehouse)}: wait until it ends"
        ) from None
    except OSError as error:
        raise cannot_write(warehouse, error) from error
    try:
        write(warehouse / ".lock-holder", str(os.getpid()).encode())
        yield
    finally:
        lock.release()


def _holder(warehouse: Path) -> str:
    try:
        return f" (process {(warehouse / '.lock-holder').read_text(encoding='utf-8')})"
    except OSError:
        return ""
