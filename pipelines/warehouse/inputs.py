"""Which slices of its inputs a table's slices are made from, and which are made together."""

import bisect
from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from pipelines.settings import Settings
from pipelines.warehouse.digests import input_part, reads_same_part, window
from pipelines.warehouse.manifest import Manifest
from pipelines.warehouse.periods import Grain, merged, shift, to_grain
from pipelines.warehouse.records import Slice, SliceKey
from pipelines.warehouse.specs import Spec, Within, reach

_Index = tuple[list[date], dict[date, list[SliceKey]]]


class Inputs:
    """The slices of all tables by period, each table indexed once for all that read it."""

    def __init__(self, manifest: Manifest, settings: Settings) -> None:
        self._manifest = manifest
        self._settings = settings
        self._indices: dict[str, dict[Grain, _Index]] = {}

    def changed(self, table: str) -> None:
        """Forget what is known of a table whose slices are others now."""
        self._indices.pop(table, None)

    def chosen(self, spec: Spec, name: str, keys: Sequence[SliceKey]) -> list[SliceKey]:
        """The slices of an input that any of the table's needs."""
        windows = merged(
            window(spec.reads[name], key.period, spec.by, self._settings) for key in keys
        )
        if name == spec.name:
            windows = [window(spec.reads[name], keys[0].period, spec.by, self._settings)]
        periods, slices = self._index(spec, name)
        chosen: list[SliceKey] = []
        for first, last in windows:
            low, high = bisect.bisect_left(periods, first), bisect.bisect_right(periods, last)
            for period in periods[low:high]:
                chosen += slices[period]
        if reads_same_part(spec, name):
            parts = set(keys)
            chosen = [key for key in chosen if SliceKey(key.period, input_part(key)) in parts]
        return chosen

    def chunks(self, spec: Spec, keys: Sequence[SliceKey]) -> Iterator[list[SliceKey]]:
        """The slices in order, part by part, cut so that a chunk reads about ``chunk_rows`` rows.

        Late parts are few rows of many days in one file: together they are written once. Of slices
        that read the periods around their own, a chunk spans at least half as many as one of them
        reads: what lies around a chunk is read again for the next one.
        """
        least = self._periods_read(spec) // 2
        chunk: list[SliceKey] = []
        weight = 0
        for key in sorted(keys, key=lambda key: (key.part, key.period)):
            earlier = chunk[-1] if chunk else None
            if earlier is not None:
                rows = weight + self._rows_for(spec, key, earlier)
                is_long = key.period >= shift(chunk[0].period, spec.by, least)
                if earlier.part != key.part or (is_long and rows > spec.chunk_rows):
                    yield chunk
                    chunk, weight, earlier = [], 0, None
            weight += self._rows_for(spec, key, earlier)
            chunk.append(key)
        if chunk:
            yield chunk

    def _rows_for(self, spec: Spec, key: SliceKey, earlier: SliceKey | None) -> int:
        """Rows that a slice reads of what drives it, and an earlier one of its chunk does not."""
        rows = 0
        for name in spec.drivers:
            periods, slices = self._index(spec, name)
            first, last = self._around(spec, name, key)
            low, high = bisect.bisect_left(periods, first), bisect.bisect_right(periods, last)
            if earlier is not None:
                _, read = self._around(spec, name, earlier)
                low = max(low, bisect.bisect_right(periods, read))
            rows += sum(
                self._slices(name)[each].rows
                for period in periods[low:high]
                for each in slices[period]
                if not reads_same_part(spec, name) or input_part(each) == key.part
            )
        return rows

    def _around(self, spec: Spec, name: str, key: SliceKey) -> tuple[date, date]:
        """The periods of a driver for which a slice is weighed: of one that reads all, its own."""
        reads = spec.reads[name]
        is_bounded = isinstance(reads, Within)
        return window(reads if is_bounded else Within(), key.period, spec.by, self._settings)

    def _periods_read(self, spec: Spec) -> int:
        """How many periods of its first driver a slice reads; of one that reads all, one."""
        reads = spec.reads[spec.drivers[0]]
        if not isinstance(reads, Within):
            return 1
        return reach(reads.before, self._settings) + reach(reads.after, self._settings) + 1

    def _index(self, spec: Spec, name: str) -> _Index:
        """Slices of an input by the periods of the table."""
        known = self._indices.setdefault(name, {})
        if spec.by not in known:
            slices: dict[date, list[SliceKey]] = {}
            for key in self._slices(name):
                slices.setdefault(to_grain(key.period, spec.by), []).append(key)
            known[spec.by] = sorted(slices), slices
        return known[spec.by]

    def _slices(self, table: str) -> Mapping[SliceKey, Slice]:
        return self._manifest.slices.get(table, {})
