"""Rows of an intake: in memory while they are few, in sorted runs once they are not."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from pipelines.landing.sorted_runs import SortedRuns, Spilling


@dataclass(frozen=True)
class Spilled:
    """Rows on the disk, which are read as often as one likes.

    ``kept`` says of their files' numbers (``intake``) and the columns that they are sorted by which
    rows count; ``finished`` is done to every frame, and leaves these columns as they are.
    """

    runs: SortedRuns
    kept: pl.Expr
    finished: Callable[[pl.DataFrame], pl.DataFrame]

    def pieces(self) -> Iterator[pl.DataFrame]:
        """All rows in no set order."""
        return (self.finished(rows.filter(self.kept)) for rows in self.runs.pieces())

    def chunks(self) -> Iterator[pl.DataFrame]:
        """All rows in order."""
        return (self.finished(rows.filter(self.kept)) for rows in self.runs.chunks())

    def distinct(self, *columns: str) -> pl.DataFrame:
        """The values that some of the columns have that the rows are sorted by."""
        found = (
            rows.filter(self.kept).select(columns).unique()
            for rows in self.runs.pieces([*self.runs.order, "intake"])
        )
        return pl.concat(found).unique()

    def clear(self) -> None:
        """Delete them."""
        self.runs.clear()


class Collected:
    """Frames of one schema; beyond a bound they are spilled, sorted by ``order``."""

    def __init__(
        self, spilling: Spilling | None, order: Sequence[str], together: Sequence[str]
    ) -> None:
        """``together``: as :class:`SortedRuns` has it. Without ``spilling`` all stays in memory."""
        self._spilling, self._order, self._together = spilling, order, together
        self._held: list[pl.DataFrame] = []
        self._bytes = 0
        self.runs: SortedRuns | None = None

    def add(self, frame: pl.DataFrame) -> None:
        """Take a frame."""
        self._held.append(frame)
        if self._spilling:
            self._bytes += int(frame.estimated_size())
            spilling = self._spilling
            if self._bytes > (spilling.run_bytes if self.runs else spilling.held_bytes):
                self.spill()

    def spill(self) -> None:
        """Write what is held."""
        if self._spilling and self._held:
            self.runs = self.runs or SortedRuns(self._spilling, self._order, self._together)
            while self._held:
                self.runs.add(pl.concat(self._next_run(self._spilling.run_bytes), rechunk=True))
            self._bytes = 0

    def _next_run(self, run_bytes: int) -> list[pl.DataFrame]:
        some: list[pl.DataFrame] = []
        size = 0
        while self._held and (not some or size + self._held[0].estimated_size() <= run_bytes):
            some.append(self._held.pop(0))
            size += int(some[-1].estimated_size())
        return some

    def held(self) -> pl.DataFrame | None:
        """What is held, as one frame, in the pieces it came in: put together it would lie twice."""
        return pl.concat(self._held) if self._held else None

    def clear(self) -> None:
        """Let go of everything."""
        self._held = []
        if self.runs:
            self.runs.clear()
