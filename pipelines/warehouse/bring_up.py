"""Bringing a table up to date: find its stale slices, rebuild these, nothing else.

One pass serves any range. Chunks bound the memory; they never show in the result.
"""

import bisect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from typing import Any

import polars as pl
from polars._typing import EngineType

from pipelines.references import REFERENCES
from pipelines.settings import Settings
from pipelines.warehouse import small_files
from pipelines.warehouse.digests import window
from pipelines.warehouse.filing import Filing
from pipelines.warehouse.inputs import Inputs
from pipelines.warehouse.periods import last_day, to_grain
from pipelines.warehouse.promises import check_promise
from pipelines.warehouse.records import Slice, SliceKey
from pipelines.warehouse.specs import Spec
from pipelines.warehouse.staleness import Staleness
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
        self._staleness = Staleness(store.manifest, settings, data_through)
        self.still_stale: dict[str, list[date]] = {}

    def bring_up(self, spec: Spec, days: Days, *, force: bool = False) -> Built:
        """Rebuild the stale slices of a table that have a day in the range."""
        report = Built(spec.name)
        report.slices = self._store.manifest.state(spec.name).slices
        if force or not self._is_settled(spec):
            self._rebuild(spec, days, force, report)
            self._settle_all(spec)
        report.rows = self._store.manifest.state(spec.name).rows
        return report

    def _rebuild(self, spec: Spec, days: Days, force: bool, report: Built) -> None:
        wanted = self._staleness.wanted(spec)
        removed = set(self._slices(spec.name)) - wanted
        if removed:
            self._put(spec, pl.DataFrame(schema=spec.schema), {}, removed, report)
        report.slices, report.removed = len(wanted), len(removed)
        if spec.is_recursive:
            self._walk(spec, wanted, days, force, report)
        else:
            stale = self._stale(spec, wanted, days if force else None)
            ready = [key for key in stale if self._is_ready(spec, key, days)]
            for chunk in self._inputs.chunks(spec, ready):
                self._progress(spec.name, report.rebuilt, len(ready))
                frame = self._computed(spec, chunk)
                self._put(spec, frame, {key: stale[key] for key in chunk}, (), report)
            self._leave(spec, set(stale) - set(ready), report)

    def definition(self, spec: Spec) -> bytes:
        """What a table means now: its code, settings and references."""
        return self._staleness.definition(spec)

    def survey(self, spec: Spec) -> None:
        """Note which slices are stale, or read what is stale, without building any."""
        if self._is_settled(spec):
            return
        wanted = self._staleness.wanted(spec)
        stale = set(self._slices(spec.name)) - wanted | set(self._stale(spec, wanted, None))
        waiting = {key for key in wanted - stale if not self._is_ready(spec, key, Days())}
        self._note_stale(spec, stale | waiting)

    def _slices(self, table: str) -> Mapping[SliceKey, Slice]:
        return self._store.manifest.slices.get(table, {})

    def _is_settled(self, spec: Spec) -> bool:
        """Whether nothing of a table, nor of what it reads, can be stale."""
        is_settled = self._reads_nothing_stale(spec) and self._staleness.is_settled(spec)
        if is_settled:
            self.still_stale[spec.name] = []
        return is_settled

    def _settle_all(self, spec: Spec) -> None:
        """Record that a table is up to date, where nothing of it was left."""
        if not self.still_stale[spec.name] and self._reads_nothing_stale(spec):
            self._staleness.settle(spec)

    def _reads_nothing_stale(self, spec: Spec) -> bool:
        return not any(self.still_stale.get(name) for name in spec.reads if name != spec.name)

    def _stale(
        self, spec: Spec, wanted: set[SliceKey], forced: Days | None
    ) -> dict[SliceKey, bytes]:
        """Stale slices and the digests they will have, in order of time."""
        digest_of_slice = self._staleness.digester(spec)
        recorded = self._slices(spec.name)
        suspects = self._staleness.suspects(spec, wanted) if forced is None else sorted(wanted)
        stale = {}
        for key in suspects:
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
            left = self.still_stale.get(name)
            if not left:
                continue
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
        digest_of_slice = self._staleness.digester(spec)
        suspects = keys if force else self._staleness.suspects(spec, wanted)
        due = {
            key
            for key in suspects
            if key not in recorded
            or not recorded[key].digest.startswith(digest_of_slice.beside_own_past(key))
            or (force and days.touches(spec, key.period))
        }
        left: list[date] = []
        self.still_stale[spec.name] = left
        # What is before the first of them is fresh, and so is all that they need of their own past.
        place = bisect.bisect_left(keys, suspects[0]) if suspects else len(keys)
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
        for chunk in self._inputs.chunks(spec, run):
            self._progress(spec.name, report.rebuilt, max(expected, report.rebuilt + len(chunk)))
            # A chunk is digested as if each slice had been built by itself, once it is there.
            frame = self._computed(spec, chunk)
            self._put(spec, frame, dict.fromkeys(chunk, b""), (), report)
            self._settle(spec, chunk)

    def _settle(self, spec: Spec, keys: Sequence[SliceKey]) -> None:
        """Record the digests of slices that were built together with their own past."""
        digest_of_slice = self._staleness.digester(spec)
        recorded = self._slices(spec.name)
        digests = {key: recorded[key]._replace(digest=digest_of_slice(key)) for key in keys}
        self._store.commit(
            lambda change: change.slices.update(
                {(spec.name, key): record for key, record in digests.items()}
            )
        )

    def _computed(self, spec: Spec, keys: Sequence[SliceKey]) -> pl.DataFrame:
        """The rows of some slices, as the table promises them."""
        chosen = {name: self._inputs.chosen(spec, name, keys) for name in spec.reads}
        inputs = {name: self._store.scan(self._filings[name], chosen[name]) for name in chosen}
        options: dict[str, Any] = spec.option_values(self._settings)
        options |= {name: REFERENCES[name].load() for name in spec.references}
        if "data_through" in spec.options:
            options["data_through"] = self._data_through[spec.name]
        rows = sum(self._slices(name)[key].rows for name in chosen for key in chosen[name])
        # The default, streaming, bounds the memory, and takes twice as long over few rows.
        is_small = rows <= small_files.SMALL_ROWS
        engine: EngineType = "in-memory" if is_small or spec.in_memory else "auto"
        frame = spec.transform(**inputs, **options).collect(engine=engine)
        frame = self._filings[spec.name].only(frame, keys)
        check_promise(frame, spec.name, spec.model)
        return frame

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
        self._staleness.changed(spec.name)
        report.rebuilt += len(digests)
        report.changed += len(changed)
        report.changed_periods += sorted({key.period for key in changed})
