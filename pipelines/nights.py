"""The record of nights: when each began, how it ended, what it changed.

It tells of runs and not of the data, and so stands outside of what the same files always give.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pipelines.errors import FAILED, TidemarkError
from pipelines.home import Home
from pipelines.run import Report
from pipelines.warehouse.disk import make_folder

_FILE = "nights.ndjson"


@dataclass(frozen=True)
class Night:
    """One night. Without ``ended_at`` it is at work, or its process was killed.

    ``took_in`` counts landing dates by source, ``changed`` slices by table. ``problem`` is why
    nothing was published.
    """

    started_at: datetime
    ended_at: datetime | None = None
    status: int | None = None
    publication: str | None = None
    took_in: dict[str, int] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)
    restated: int = 0
    refused_files: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    problem: str | None = None

    @property
    def is_good(self) -> bool:
        """Whether it ended, and readers got what it made."""
        return self.ended_at is not None and self.problem is None


def night_of(started_at: datetime, ended_at: datetime, status: int, report: Report) -> Night:
    """The record of a night that came to its end."""
    publication = report.publication
    return Night(
        started_at,
        ended_at,
        status,
        publication.id if publication else None,
        {each.source: each.landing_dates for each in report.landed if each.landing_dates},
        {each.table: each.changed for each in report.built if each.changed},
        publication.restated if publication else 0,
        report.refused_files,
        report.waiting,
        "; ".join(report.withheld) or None,
    )


def failed_night(
    started_at: datetime, ended_at: datetime, problem: str, status: int = FAILED
) -> Night:
    """The record of a night that an error ended."""
    return Night(started_at, ended_at, status, problem=problem)


def record(home: Home, night: Night) -> None:
    """Add a line to the record; a night's last line is what is true of it."""
    # A disk that cannot be written to is told by the run itself.
    with suppress(OSError, TidemarkError):
        make_folder(home.warehouse)
        with _path(home).open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(night), default=datetime.isoformat) + "\n")


def recorded(home: Home) -> list[Night]:
    """All nights, the earliest first."""
    return list({night.started_at: night for night in _lines(home)}.values())


def _lines(home: Home) -> Iterator[Night]:
    if not _path(home).exists():
        return
    for line in _path(home).read_text(encoding="utf-8").splitlines():
        # A process that is killed while it writes leaves half a line.
        with suppress(ValueError, TypeError, KeyError):
            yield _night(json.loads(line))


def _night(said: dict[str, Any]) -> Night:
    ended = said["ended_at"] and datetime.fromisoformat(said["ended_at"])
    began = datetime.fromisoformat(said["started_at"])
    return Night(**{**said, "started_at": began, "ended_at": ended})


def _path(home: Home) -> Path:
    return home.warehouse / _FILE
