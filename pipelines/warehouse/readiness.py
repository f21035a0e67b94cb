"""Which landing dates are complete, for runs that take in only those.

What is not complete waits: to such a run it is as if it had not landed yet, and what was taken in
of it before stays as it was.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pipelines.warehouse.arrivals import Arrival

# Why a landing date waits; None where it is complete.
Awaits = Callable[[Arrival], str | None]


def at_once(arrival: Arrival) -> str | None:  # noqa: ARG001
    """Everything that lies in landing is taken to be complete."""
    return None


@dataclass(frozen=True)
class Completeness:
    """A landing date is complete with its marker file, and when it was left alone for long enough.

    Without either setting it is complete at once.
    """

    marker: str | None
    quiet_minutes: int
    now: Callable[[], datetime]

    def __call__(self, arrival: Arrival) -> str | None:
        """Why the landing date waits; None where it is complete."""
        if self.marker and not Path(arrival.folder, self.marker).exists():
            return f"there is no {self.marker}"
        if self.quiet_minutes and self._quiet_for(arrival) < self.quiet_minutes:
            return f"changed less than {self.quiet_minutes} minutes ago"
        return None

    def _quiet_for(self, arrival: Arrival) -> float:
        return (self.now().timestamp() - last_change(Path(arrival.folder))) / 60


def last_change(folder: Path) -> float:
    """When anything below a folder last changed, half-written and hidden files included.

    By the time of the change of status, which a copy cannot bring along as it does the other.
    """
    latest = 0.0
    for place, _, names in os.walk(folder):
        for path in (Path(place), *(Path(place, name) for name in names)):
            try:
                latest = max(latest, path.lstat().st_ctime)
            except FileNotFoundError:
                continue
    return latest
