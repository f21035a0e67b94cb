"""Bringing a table up to date: find its stale slices, rebuild these, nothing else.

One pass serves any range. Chunks bound the memory; they never show in the result.
"""

import bisect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from typing import Any

import polars as pl
from polars._typing import EngineType

from pipelines.references import REFERENCES
from pipelines.settings import Settings
from pipelines.warehouse import small_files
from pipelines.warehouse.digests import (
    Digester,
    InputDigests,
    input_digests,
    input_part,
    window,
)
from pipelines.warehouse.filing import Filing
from pipelines.warehouse.inputs import Inputs
from pipelines.warehouse.manifest import Slice, SliceKey
from pipelines.warehouse.periods import (
    WHOLE,
    Grain,
    add_months,
    last_day,
    months_between,
    to_grain,
)
from pipelines.warehouse.promises import check_promise
from pipelines.warehouse.specs import Spec
from pipelines.warehouse.store import Store

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Days:
    """A range of event days, both ends included; None is open."""

    first: date | None = None
    last: date | None = None

    def touches(self, spec: Spec, period: date) -> bool:
        """Whether a slice has a day in the range."""
        if spec.by == "whole":
            return True
        starts_before_end = self.last is None or period <= self.last
        return starts_before_end and (self.first is None or last_day(period, spec.by) >= self.first)


@dataclass
class Built:
    """What bringing one table up to date came to."""

    table: str
    slices: int = 0
    rebuilt: int = 0
    changed: int = 0
    removed: int = 0
    rows: int = 0
    waiting: int = 0
    changed_periods: list[date] = field(default_factory=list)


class Builder:
    """Brings tables up to date, in the order of the registry.

    ``still_stale`` tells, per table, the periods that a narrowed run left as they were; what
    depends on them waits, so that nothing is ever computed from stale input.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        filings: Mapping[str, Filing],
        data_through: Mapping[str, date | None],
        progress: Progress,
    ) -> None:
        self._store = store
        self._settings = settings
        self._filings = filings
        self._data_through = data_through
        self._progress = progress
        self._inputs = Inputs(store.manifest, settings)
        self._digests: dict[str, dict[tuple[Grain, bool], Mapping[str, InputDigests]]] = {}
        self.still_stale: dict[str, list[date]] = {}

    def bring_up(self, spec: Spec, days: Days, *, force: bool = False) -> Built:
        """Rebuild the stale slices of a table that have a day in the range."""
        report = Built(spec.name)
        wanted = self._wanted(spec)
        removed = set(self._slices(spec.name)) - wanted
        if removed:
            self._put(spec, pl.DataFrame(schema=spec.schema), {}, removed, report)
        report.slices, report.removed = len(wanted), len(removed)
        if spec.is_recursive:
            self._walk(spec, wanted, days, force, report)
        else:
            stale = self._stale(spec, wanted, days if force else None)
            ready = [key for key in stale if self._is_ready(spec, key, days)]
            for done, chunk in self._chunks(spec, ready):
                self._progress(spec.name, done, len(ready))
                self._build(spec, chunk, {key: stale[key] for key in chunk}, report)
            self._leave(spec, set(stale) - set(ready), report)
        report.rows = sum(record.rows for record in self._slices(spec.name).values())
        return report

    def survey(self, spec: Spec) -> None:
        """Note which slices are stale, or read what is stale, without building any."""
        wanted = self._wanted(spec)
        stale = set(self._slices(spec.name)) - wanted | set(self._stale(spec, wanted, None))
        waiting = {key for key in wanted - stale if not self._is_ready(spec, key, Days())}
        self._note_stale(spec, stale | waiting)

    def _slices(self, table: str) -> Mapping[SliceKey, Slice]:
        return self._store.manifest.slices.get(table, {})

    def _wanted(self, spec: Spec) -> set[SliceKey]:
        """Slices that the table should have."""
        through = self._data_through[spec.name]
        if through is None or (spec.needs and not getattr(self._settings, spec.needs)):
            return set()
        if spec.by == "whole":
            return {SliceKey(WHOLE)}
        drivers = (spec.starts_with,) if spec.starts_with else spec.drivers
        slices = [each for name in drivers for each in self._slices(name).items()]
        filled = [key for key, record in slices if record.rows]
        if spec.is_dense and filled:
            # The week of the first day may begin in the month before.
            first = add_months(min(filled).period.replace(day=1), -1)
            return {SliceKey(month) for month in months_between(first, through)}
        if spec.has_parts:
            return {SliceKey(key.period, input_part(key)) for key in filled}
        return {SliceKey(to_grain(key.period, spec.by)) for key in filled}

    def _digester(self, spec: Spec) -> Digester:
        def inputs(name: str, by_part: bool) -> Mapping[str, InputDigests]:
            known = self._digests.setdefault(name, {})
            if (spec.by, by_part) not in known:
                known[spec.by, by_part] = input_digests(self._slices(name), spec.by, by_part)
            return known[spec.by, by_part]

        through = self._data_through[spec.name] or date.min
        return Digester(spec, self._settings, through, inputs)

    def _stale(
        self, spec: Spec, wanted: set[SliceKey], forced: Days | None
    ) -> dict[SliceKey, bytes]:
        """Stale slices and the digests they will have, in order of time."""
        digest_of_slice = self._digester(spec)
        recorded = self._slices(spec.name)
        stale = {}
        for key in sorted(wanted):
            digest = digest_of_slice(key)
            record = recorded.get(key)
            is_forced = forced is not None and forced.touches(spec, key.period)
            if record is None or record.digest != digest or is_forced:
                stale[key] = digest
        return stale

    def _is_ready(self, spec: Spec, key: SliceKey, days: Days) -> bool:
        if not days.touches(spec, key.period):
            return False
        for name, reads in spec.reads.items():
            left = self.still_stale.get(name, [])
            first, last = window(reads, key.period, spec.by, self._settings)
            low = bisect.bisect_left(left, first)
            if low < len(left) and to_grain(left[low], spec.by) <= last:
                return False
        return True

    def _leave(self, spec: Spec, left: set[SliceKey], report: Built) -> None:
        self._note_stale(spec, left)
        report.waiting = len(left)

    def _note_stale(self, spec: Spec, keys: set[SliceKey]) -> None:
        """What is stale, and the slices that will only come to be with those of the driver."""
        driving = [period for name in spec.drivers for period in self.still_stale.get(name, [])]
        unborn = {to_grain(period, spec.by) for period in driving}
        self.still_stale[spec.name] = sorted({key.period for key in keys} | unborn)

    def _walk(
        self, spec: Spec, wanted: set[SliceKey], days: Days, force: bool, report: Built
    ) -> None:
        """A table that needs its own earlier slices: in order of time, with early cut-off.

        What is stale for another reason than its own past is built together; a slice that came out
        as it was leaves the later ones fresh.
        """
        keys, recorded = sorted(wanted), self._slices(spec.name)
        digest_of_slice = self._digester(spec)
        due = {
            key
            for key in keys
            if key not in recorded
            or not recorded[key].digest.startswith(digest_of_slice.beside_own_past(key))
            or (force and days.touches(spec, key.period))
        }
        left: list[date] = []
        self.still_stale[spec.name] = left
        place = 0
        while place < len(keys):
            key = keys[place]
            is_stale = key in due or recorded[key].digest != digest_of_slice(key)
            place += 1
            if is_stale and not self._is_ready(spec, key, days):
                left.append(key.period)
            elif is_stale:
                run = [key]
                for after in islice(keys, place, None):
                    if not (after in due and self._is_ready(spec, after, days)):
                        break
                    run.append(after)
                place += len(run) - 1
                self._build_run(spec, run, len(due), report)
        self._leave(spec, {SliceKey(period) for period in left}, report)

    def _build_run(self, spec: Spec, run: Sequence[SliceKey], expected: int, report: Built) -> None:
        """Slices without a fresh one between them, each chunk from what came out before it."""
        for _, chunk in self._chunks(spec, run):
            self._progress(spec.name, report.rebuilt, max(expected, report.rebuilt + len(chunk)))
            # A chunk is digested as if each slice had been built by itself, once it is there.
            self._build(spec, chunk, dict.fromkeys(chunk, b""), report)
            self._settle(spec, chunk)

    def _settle(self, spec: Spec, keys: Sequence[SliceKey]) -> None:
        """Record the digests of slices that were built together with their own past."""
        digest_of_slice = self._digester(spec)
        recorded = self._slices(spec.name)
        digests = {key: recorded[key]._replace(digest=digest_of_slice(key)) for key in keys}
        self._store.commit(
            lambda change: change.slices.update(
                {(spec.name, key): record for key, record in digests.items()}
            )
        )

    def _chunks(self, spec: Spec, keys: Sequence[SliceKey]) -> Iterator[tuple[int, list[SliceKey]]]:
        """The slices in order, part by part, cut so that a chunk reads about ``chunk_rows`` rows.

        Late parts are few rows of many days in one file: together they are written once.
        """
        chunk: list[SliceKey] = []
        weight, done = 0, 0
        for key in sorted(keys, key=lambda key: (key.part, key.period)):
            rows = self._inputs.rows_for(spec, key)
            is_full = weight + rows > spec.chunk_rows or (chunk and chunk[-1].part != key.part)
            if chunk and is_full:
                yield done, chunk
                done += len(chunk)
                chunk, weight = [], 0
            weight += rows
            chunk.append(key)
        if chunk:
            yield done, chunk

    def _build(
        self, spec: Spec, keys: Sequence[SliceKey], digests: Mapping[SliceKey, bytes], report: Built
    ) -> None:
        chosen = {name: self._inputs.chosen(spec, name, keys) for name in spec.reads}
        inputs = {name: self._store.scan(self._filings[name], chosen[name]) for name in chosen}
        options: dict[str, Any] = spec.option_values(self._settings)
        options |= {name: REFERENCES[name].load() for name in spec.references}
        if "data_through" in spec.options:
            options["data_through"] = self._data_through[spec.name]
        rows = sum(self._slices(name)[key].rows for name in chosen for key in chosen[name])
        # The default, streaming, bounds the memory, and takes twice as long over few rows.
        engine: EngineType = "in-memory" if rows <= small_files.SMALL_ROWS else "auto"
        # In one piece: to fetch rows from many pieces takes longer than to put them together.
        frame = spec.transform(**inputs, **options).collect(engine=engine).rechunk()
        frame = self._filings[spec.name].only(frame, keys)
        check_promise(frame, spec.name, spec.model)
        self._put(spec, frame, digests, (), report)
        report.rebuilt += len(keys)

    def _put(
        self,
        spec: Spec,
        frame: pl.DataFrame,
        digests: Mapping[SliceKey, bytes],
        removed: set[SliceKey] | tuple[()],
        report: Built,
    ) -> None:
        changed = self._store.put(self._filings[spec.name], frame, digests, removed)
        self._store.commit()
        self._inputs.changed(spec.name)
        self._digests.pop(spec.name, None)
        report.changed += len(changed)
        report.changed_periods += sorted({key.period for key in changed})
