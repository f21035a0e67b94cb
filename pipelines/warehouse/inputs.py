"""Which slices of its inputs a table's slices are made from."""

import bisect
from collections.abc import Mapping, Sequence
from datetime import date

from pipelines.settings import Settings
from pipelines.warehouse.digests import input_part, reads_same_part, window
from pipelines.warehouse.manifest import Manifest
from pipelines.warehouse.periods import Grain, merged, to_grain
from pipelines.warehouse.records import Slice, SliceKey
from pipelines.warehouse.specs import Spec

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

    def rows_for(self, spec: Spec, key: SliceKey) -> int:
        """Rows of the slices that a slice is made for."""
        return sum(
            self._slices(name)[each].rows
            for name in spec.drivers
            for each in self._index(spec, name)[1].get(key.period, ())
            if not spec.has_parts or input_part(each) == key.part
        )

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
