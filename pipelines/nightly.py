"""A night without Dagster: what is complete is taken in, what can pass is tried again.

For cron. One that fails publishes nothing, and the next one goes on from what is done.
"""

import errno
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from pipelines.errors import FAILED, FILES_REFUSED, TRY_LATER, HomeBusyError, TidemarkError
from pipelines.home import Home
from pipelines.nights import Night, failed_night, night_of, record
from pipelines.run import Report, Terms, run
from pipelines.session import no_progress
from pipelines.warehouse.bring_up import Progress
from pipelines.warehouse.readiness import Completeness

# Seconds before each further attempt.
PAUSES = (30, 120, 480)
_WILL_NOT_PASS = {errno.EACCES, errno.EPERM, errno.EROFS}
# SQLite and DuckDB have no number for it, or another one.
_PASSES = ("database or disk is full", "disk I/O error", os.strerror(errno.ENOSPC))


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Clock:
    """The time, and waiting; tests have their own."""

    now: Callable[[], datetime] = _utc_now
    sleep: Callable[[float], None] = time.sleep


CLOCK = Clock()


def nightly(
    home: Home,
    *,
    progress: Progress = no_progress,
    say: Callable[[str], None] = print,
    clock: Clock = CLOCK,
) -> tuple[Night, Report | None]:
    """One night and its record; no report where an error ended it.

    Raises what is a fault of Tidemark, once that is recorded.
    """
    started = clock.now()
    record(home, Night(started))
    report = None
    try:
        report = _attempts(home, _terms(home, started, clock), progress, say, clock)
        night = night_of(started, clock.now(), _status(report), report)
    except HomeBusyError as error:
        night = failed_night(started, clock.now(), str(error), TRY_LATER)
    except (TidemarkError, OSError) as error:
        night = failed_night(started, clock.now(), str(error))
    except BaseException as error:
        record(home, failed_night(started, clock.now(), f"{type(error).__name__}: {error}"))
        raise
    record(home, night)
    return night, report


def night_terms(home: Home, is_over: Callable[[], bool], clock: Clock = CLOCK) -> Terms:
    """The terms on which every night works, whoever starts it."""
    settings = home.settings
    awaits = Completeness(settings.landing_marker, settings.landing_quiet_minutes, clock.now)
    return Terms(awaits, settings.lock_wait_minutes, is_over)


def _terms(home: Home, started: datetime, clock: Clock) -> Terms:
    seconds = home.settings.run_hours_limit * 3600
    return night_terms(home, lambda: (clock.now() - started).total_seconds() > seconds, clock)


def _attempts(
    home: Home, terms: Terms, progress: Progress, say: Callable[[str], None], clock: Clock
) -> Report:
    for pause in PAUSES:
        try:
            return run(home, progress=progress, terms=terms)
        except (OSError, TidemarkError) as error:
            if not can_pass(error):
                raise
            say(f"{error}: trying again in {pause} seconds")
            clock.sleep(pause)
    return run(home, progress=progress, terms=terms)


def can_pass(error: Exception) -> bool:
    """Whether the machine, and not the data or the settings, is at fault."""
    cause = error if isinstance(error, OSError) else error.__cause__
    if isinstance(cause, OSError):
        return cause.errno not in _WILL_NOT_PASS
    return any(said in str(cause) for said in _PASSES)


def _status(report: Report) -> int:
    if report.is_unfinished:
        return TRY_LATER
    if report.publication is None:
        return FAILED
    return FILES_REFUSED if report.refused_files else 0
