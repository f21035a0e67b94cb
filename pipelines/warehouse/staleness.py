"""Which slices a table should have, and which of them are stale.

A slice whose recorded digest is not the one that it would get now is stale. Of a table that was up
to date as a whole only those slices are digested that something which changed since can reach: the
cost of a night follows what the night brought, not how long the history is.
"""

import bisect
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import date, timedelta
from functools import cached_property

from pipelines.settings import Settings
from pipelines.warehouse.digests import (
    Digester,
    InputDigests,
    definition,
    input_digests,
    input_part,
    shared_terms,
    terms,
)
from pipelines.warehouse.manifest import Manifest
from pipelines.warehouse.periods import (
    WHOLE,
    Grain,
    add_months,
    months_between,
    shift,
    to_grain,
)
from pipelines.warehouse.records import Slice, SliceKey
from pipelines.warehouse.specs import Everything, Spec, UpTo, reach
from pipelines.warehouse.states import Settled

_Span = tuple[date, date]


class Staleness:
    """Staleness of the tables of one warehouse; ``data_through`` gives the horizon of each."""

    def __init__(
        self, manifest: Manifest, settings: Settings, data_through: Mapping[str, date | None]
    ) -> None:
        self._manifest = manifest
        self._settings = settings
        self._data_through = data_through
        self._digests: dict[str, dict[tuple[Grain, bool], Mapping[str, InputDigests]]] = {}
        self._terms: dict[str, bytes] = {}
        self._definitions: dict[str, bytes] = {}

    def changed(self, table: str) -> None:
        """Forget what is known of a table whose slices are others now."""
        self._digests.pop(table, None)

    def definition(self, spec: Spec) -> bytes:
        """What a table means: its code, settings and references."""
        if spec.name not in self._definitions:
            settled = self._settled(spec)
            self._definitions[spec.name] = (
                settled.definition if settled else definition(spec, self._settings)
            )
        return self._definitions[spec.name]

    def is_settled(self, spec: Spec) -> bool:
        """Whether the whole table is known to be up to date without a look at its slices."""
        settled = self._unchanged(spec)
        return (
            settled is not None
            and settled.through == self._data_through[spec.name]
            and settled.inputs == self._contents(spec)
        )

    def settle(self, spec: Spec) -> None:
        """Record that the whole table is up to date."""
        settled = Settled(
            self._terms_of(spec),
            self.definition(spec),
            self._data_through[spec.name],
            self._manifest.state(spec.name).made_from,
            self._contents(spec),
        )
        self._manifest.settle(spec.name, settled)

    def wanted(self, spec: Spec) -> set[SliceKey]:
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

    def suspects(self, spec: Spec, wanted: Collection[SliceKey]) -> list[SliceKey]:
        """The wanted slices that may be stale, in order; all where it is not known which.

        A table that needs its own earlier slices has further ones after these.
        """
        spans = self._spans(spec)
        if spans is None:
            return sorted(wanted)
        recorded, is_reached = self._slices(spec.name), in_any(spans)
        return sorted(key for key in wanted if key not in recorded or is_reached(key.period))

    def digester(self, spec: Spec) -> Digester:
        """Gives a slice the digest of what it would be made from now."""

        def inputs(name: str, by_part: bool) -> Mapping[str, InputDigests]:
            known = self._digests.setdefault(name, {})
            if (spec.by, by_part) not in known:
                known[spec.by, by_part] = input_digests(self._slices(name), spec.by, by_part)
            return known[spec.by, by_part]

        return Digester(
            spec,
            self._settings,
            self.definition(spec),
            self._data_through[spec.name] or date.min,
            inputs,
            lambda name: self._manifest.state(name).content,
        )

    def _slices(self, table: str) -> Mapping[SliceKey, Slice]:
        return self._manifest.slices.get(table, {})

    @cached_property
    def _shared_terms(self) -> bytes:
        return shared_terms(self._settings)

    def _terms_of(self, spec: Spec) -> bytes:
        if spec.name not in self._terms:
            self._terms[spec.name] = terms(spec, self._settings, self._shared_terms)
        return self._terms[spec.name]

    def _contents(self, spec: Spec) -> dict[str, bytes]:
        """Content of everything that a table reads, but itself."""
        return {n: self._manifest.state(n).content for n in spec.reads if n != spec.name}

    def _settled(self, spec: Spec) -> Settled | None:
        """The record of a table that is to be now what it was to be then."""
        settled = self._manifest.settled.get(spec.name)
        return settled if settled and settled.terms == self._terms_of(spec) else None

    def _unchanged(self, spec: Spec) -> Settled | None:
        """The same, where its slices are still those of then."""
        settled = self._settled(spec)
        own = self._manifest.state(spec.name).made_from
        return settled if settled and settled.own == own else None

    def _spans(self, spec: Spec) -> list[_Span] | None:
        """Periods whose slices something reaches that changed; None where that is not known."""
        settled = self._unchanged(spec)
        if settled is None or spec.by == "whole":
            return None
        spans: list[_Span] = []
        for name, before in settled.inputs.items():
            changed = self._manifest.changes_since(name, before)
            if changed is None or (changed and isinstance(spec.reads[name], Everything)):
                return None
            spans += self._reached(spec, name, {to_grain(key.period, spec.by) for key in changed})
        through = self._data_through[spec.name]
        if settled.through != through and "data_through" in spec.options:
            if settled.through is None or through is None:
                return None
            ahead = timedelta(days=reach(spec.looks_ahead, self._settings))
            spans.append((to_grain(min(settled.through, through) - ahead, spec.by), date.max))
        return spans

    def _reached(self, spec: Spec, name: str, changed: Collection[date]) -> Iterator[_Span]:
        """The periods of a table that read these of an input."""
        reads = spec.reads[name]
        if isinstance(reads, UpTo):
            if changed:
                yield shift(min(changed), spec.by, -reads.after), date.max
        elif not isinstance(reads, Everything):
            before, after = reach(reads.before, self._settings), reach(reads.after, self._settings)
            for period in changed:
                yield shift(period, spec.by, -after), shift(period, spec.by, before)


def in_any(spans: Iterable[_Span]) -> Callable[[date], bool]:
    """Whether a period lies in any of the spans.

    A night of late rows has hundreds of spans, mostly over one another: they are joined first.
    """
    lows: list[date] = []
    highs: list[date] = []
    for low, high in sorted(spans):
        if highs and low <= highs[-1]:
            highs[-1] = max(high, highs[-1])
        else:
            lows.append(low)
            highs.append(high)

    def is_within(period: date) -> bool:
        place = bisect.bisect_right(lows, period) - 1
        return place >= 0 and period <= highs[place]

    return is_within
