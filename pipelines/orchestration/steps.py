"""One step of a Dagster run: the home is opened for it, and problems are told in one line.

Steps of a run follow one another in one process, so that what one has loaded serves the next: of
years of days, loading it anew for each step would cost more than most steps.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from pipelines.errors import TidemarkError
from pipelines.home import Home, open_home
from pipelines.nightly import PAUSES, can_pass
from pipelines.session import Session, opened, reading
from pipelines.warehouse.bring_up import Progress
from pipelines.warehouse.lock import writer_lock

# Every line of a run's log is a transaction of its own in Dagster's storage.
_SECONDS_BETWEEN_LINES = 15
StepContext = dg.AssetExecutionContext | dg.AssetCheckExecutionContext


class _Kept:
    """The session that the last step left, for the next one of the same run."""

    def __init__(self) -> None:
        self._session: Session | None = None
        self._run_id = ""
        self._progress: Progress = lambda _what, _done, _total: None

    def session_of(self, home: Home, run_id: str, progress: Progress) -> Session:
        """The session of a run: as it was left, unless somebody else was at work since."""
        self._progress = progress
        kept = self._session
        if kept is None or self._run_id != run_id or not _is_as_left(kept, home):
            self.drop()
            kept, self._run_id = opened(home, self._tell), run_id
        self._session = kept
        return kept

    def drop(self) -> None:
        """Keep nothing: what a failure leaves in memory need not be what is on the disk."""
        if self._session is not None:
            self._session.manifest.close()
        self._session = None

    def _tell(self, what: str, done: int, total: int) -> None:
        self._progress(what, done, total)


_KEPT = _Kept()


def _is_as_left(session: Session, home: Home) -> bool:
    is_same_home = (session.home.root, session.home.settings) == (home.root, home.settings)
    return is_same_home and session.manifest.is_current()


@contextmanager
def changing(root: Path, context: StepContext, *, retry_number: int = 0) -> Iterator[Session]:
    """The home, to change it, for one step.

    The step waits for another run as long as ``lock_wait_minutes`` says, and then fails. It tries
    again where the machine was at fault.
    """
    with _told_plainly(retry_number):
        home = open_home(root)
        with writer_lock(home.warehouse, wait_minutes=home.settings.lock_wait_minutes):
            try:
                yield _KEPT.session_of(home, context.run.run_id, _progress(context.log))
            except BaseException:
                _KEPT.drop()
                raise


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
