"""One step of a Dagster run: the home is opened for it, and problems are told in one line."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from pipelines.errors import TidemarkError
from pipelines.home import open_home
from pipelines.nightly import PAUSES, can_pass
from pipelines.session import Session, reading, writing
from pipelines.warehouse.bring_up import Progress

# Every line of a run's log is a transaction of its own in Dagster's storage.
_SECONDS_BETWEEN_LINES = 15


@contextmanager
def changing(root: Path, context: dg.AssetExecutionContext) -> Iterator[Session]:
    """The home, to change it, for one step.

    The step waits for another run as long as ``lock_wait_minutes`` says, and then fails. It tries
    again where the machine was at fault.
    """
    with _told_plainly(context.retry_number):
        home = open_home(root)
        wait = home.settings.lock_wait_minutes
        with writing(home, _progress(context.log), wait_minutes=wait) as session:
            yield session


@contextmanager
def looking(root: Path) -> Iterator[Session]:
    """The home, to look at it."""
    with _told_plainly(len(PAUSES)), reading(open_home(root)) as session:
        yield session


@contextmanager
def _told_plainly(attempts: int) -> Iterator[None]:
    try:
        yield
    except (TidemarkError, OSError) as error:
        if can_pass(error) and attempts < len(PAUSES):
            raise dg.RetryRequested(len(PAUSES), PAUSES[attempts]) from error
        raise _failure(error) from (error if isinstance(error, OSError) else None)


def _failure(error: TidemarkError | OSError) -> dg.Failure:
    message = str(error)
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        message = f"{where}{error.strerror or error}: make room or permissions, then run again"
    return dg.Failure(message, allow_retries=False)


def _progress(log: dg.DagsterLogManager) -> Progress:
    told = time.monotonic()

    def tell(what: str, done: int, total: int) -> None:
        nonlocal told
        if time.monotonic() - told > _SECONDS_BETWEEN_LINES:
            told = time.monotonic()
            log.info(f"{what}: {done} of {total}")

    return tell
