"""One step of a Dagster run: the home is opened for it, and problems are told in one line."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from pipelines.errors import TidemarkError
from pipelines.home import open_home
from pipelines.session import Session, reading, writing
from pipelines.warehouse.bring_up import Progress

# Every line of a run's log is a transaction of its own in Dagster's storage.
_SECONDS_BETWEEN_LINES = 15


@contextmanager
def changing(root: Path, log: dg.DagsterLogManager) -> Iterator[Session]:
    """The home, to change it, for one step; the step fails where another run is at work."""
    with _told_plainly(), writing(open_home(root), _progress(log)) as session:
        yield session


@contextmanager
def looking(root: Path) -> Iterator[Session]:
    """The home, to look at it."""
    with _told_plainly(), reading(open_home(root)) as session:
        yield session


@contextmanager
def _told_plainly() -> Iterator[None]:
    try:
        yield
    except TidemarkError as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        message = f"{where}{error.strerror or error}: make room or permissions, then run again"
        raise dg.Failure(message, allow_retries=False) from error


def _progress(log: dg.DagsterLogManager) -> Progress:
    told = time.monotonic()

    def tell(what: str, done: int, total: int) -> None:
        nonlocal told
        if time.monotonic() - told > _SECONDS_BETWEEN_LINES:
            told = time.monotonic()
            log.info(f"{what}: {done} of {total}")

    return tell
