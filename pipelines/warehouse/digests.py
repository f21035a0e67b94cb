"""What a slice was made from, as one digest: code, settings, horizon, input slices.

A slice whose recorded digest is not the one computed here is stale. Nothing else is.
"""

import bisect
import hashlib
import importlib.util
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from pipelines.references import REFERENCES
from pipelines.settings import Settings
from pipelines.warehouse.filing import part_of
from pipelines.warehouse.manifest import Slice, SliceKey
from pipelines.warehouse.periods import Grain, last_day, shift, to_grain
from pipelines.warehouse.specs import Everything, Reads, Spec, UpTo, Within, reach

_OWN_IMPORT = re.compile(
    r"^(?:from|import) ((?:schemas|transforms|pipelines\.landing|pipelines\.checks)(?:\.\w+)*)",
    re.MULTILINE,
)


def digest_of(parts: Iterable[bytes]) -> bytes:
    """One digest of several."""
    hasher = hashlib.blake2b(digest_size=16)
    for part in parts:
        hasher.update(len(part).to_bytes(4, "big") + part)
    return hasher.digest()


def as_bytes(value: Any) -> bytes:
    """A setting as canonical bytes."""
    return json.dumps(value, sort_keys=True, default=str).encode()


@cache
def code_version(*modules: str) -> bytes:
    """Digest of the modules, of what they import of ours, and of the engines."""
    seen: dict[str, bytes] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        spec = importlib.util.find_spec(name)
        if name in seen or spec is None or spec.origin is None:
            continue
        source = Path(spec.origin).read_text(encoding="utf-8")
        seen[name] = source.encode()
        waiting += _OWN_IMPORT.findall(source)
    engines = f"polars {pl.__version__}, pyarrow {pa.__version__}".encode()
    return digest_of([engines, *(seen[name] for name in sorted(seen))])


class InputDigests:
    """The slices of one input, digested by the periods of the table that reads them."""

    def __init__(self, slices: Mapping[SliceKey, Slice], grain: Grain) -> None:
        by_period: dict[date, list[bytes]] = defaultdict(list)
        for key in sorted(slices):
            record = slices[key]
            if record.rows:
                said = f"{key.period}/{key.part}/{record.rows}/".encode()
                by_period[to_grain(key.period, grain)].append(said + record.checksum)
        self._digests = {period: digest_of(parts) for period, parts in sorted(by_period.items())}
        self._in_order = list(self._digests.values())
        self.periods = list(self._digests)
        self._running: list[bytes] = []

    def at(self, period: date) -> bytes:
        """Digest of one period."""
        return self._digests.get(period, b"")

    def within(self, first: date, last: date) -> bytes:
        """Digest over the periods from ``first`` to ``last``."""
        low = bisect.bisect_left(self.periods, first)
        high = bisect.bisect_right(self.periods, last)
        return b"".join(self._in_order[low:high])

    def up_to(self, last: date) -> bytes:
        """Digest over all periods up to ``last``, kept as a running one."""
        if not self._running:
            self._running = [b""]
            for period in self.periods:
                self._running.append(digest_of([self._running[-1], self._digests[period]]))
        return self._running[bisect.bisect_right(self.periods, last)]


def input_digests(
    slices: Mapping[SliceKey, Slice], grain: Grain, by_part: bool
) -> dict[str, InputDigests]:
    """The digests of an input by part of its days, or of all of it under ''."""
    parts: dict[str, dict[SliceKey, Slice]] = {}
    for key, record in slices.items():
        parts.setdefault(input_part(key) if by_part else "", {})[key] = record
    return {part: InputDigests(some, grain) for part, some in (parts or {"": {}}).items()}


def definition(spec: Spec, settings: Settings) -> bytes:
    """What a table means, whatever its input: code, settings, versions of references."""
    version = code_version(f"transforms.{spec.name}", f"schemas.{spec.name}")
    references = [REFERENCES[name].version() for name in spec.references]
    return digest_of([version, as_bytes([spec.option_values(settings), references])])


class Digester:
    """Gives any slice of a table the digest of what it would be made from now.

    The digest of a table that needs its own earlier slices has two parts: what is beside its own
    past, which can be known for all slices at once, and its own past as it stands when asked.
    """

    def __init__(
        self,
        spec: Spec,
        settings: Settings,
        data_through: date,
        inputs: Callable[[str, bool], Mapping[str, InputDigests]],
    ) -> None:
        """``inputs`` gives the digests of an input by part, or all of it under ''."""
        self._spec = spec
        self._data_through = data_through
        self._constant = definition(spec, settings)
        self._readers = [
            _reader(spec, reads, settings, inputs(name, reads_same_part(spec, name)))
            for name, reads in spec.reads.items()
            if name != spec.name
        ]
        self._settings = settings
        self._inputs = inputs

    def __call__(self, key: SliceKey) -> bytes:
        """Digest of code, settings, horizon and input slices."""
        return self.beside_own_past(key) + self._own_past(key)

    def beside_own_past(self, key: SliceKey) -> bytes:
        """The digest without the table's own earlier slices: the first part of the whole one."""
        horizon = horizon_digest(self._spec, key.period, self._data_through, self._settings)
        return digest_of([self._constant, horizon, *(read(key) for read in self._readers)])

    def _own_past(self, key: SliceKey) -> bytes:
        if not self._spec.is_recursive:
            return b""
        name = self._spec.name
        own = self._inputs(name, False)
        return digest_of([_reader(self._spec, self._spec.reads[name], self._settings, own)(key)])


def _reader(
    spec: Spec, reads: Reads, settings: Settings, inputs: Mapping[str, InputDigests]
) -> Callable[[SliceKey], bytes]:
    """How a slice finds its share of an input."""
    if reads == Within() and spec.by != "whole":
        return lambda key: _at(inputs.get(key.part) or inputs.get(""), key.period)
    digests = inputs[""]
    if isinstance(reads, UpTo | Everything):
        return lambda key: digests.up_to(window(reads, key.period, spec.by, settings)[1])
    return lambda key: digests.within(*window(reads, key.period, spec.by, settings))


def _at(digests: InputDigests | None, period: date) -> bytes:
    return digests.at(period) if digests else b""


def window(reads: Reads, period: date, grain: Grain, settings: Settings) -> tuple[date, date]:
    """First and last period of an input that the slice of ``period`` needs."""
    if isinstance(reads, Everything) or grain == "whole":
        return date.min, date.max
    if isinstance(reads, UpTo | Everything):
        return date.min, shift(period, grain, reads.after)
    before, after = reach(reads.before, settings), reach(reads.after, settings)
    return shift(period, grain, -before), shift(period, grain, after)


def input_part(key: SliceKey) -> str:
    """Part of its day to which an input slice belongs; landed slices are named by landing date."""
    if key.part[:1].isdigit():
        return part_of(key.period, date.fromisoformat(key.part))
    return key.part


def reads_same_part(spec: Spec, name: str) -> bool:
    """Whether a part of a day reads only this part of the input's day."""
    return spec.has_parts and spec.reads[name] == Within()


def horizon_digest(spec: Spec, period: date, data_through: date, settings: Settings) -> bytes:
    """The horizon as far as a slice can see it: what comes later does not make it stale."""
    if "data_through" not in spec.options:
        return b""
    if spec.by == "whole":
        return str(data_through).encode()
    ahead = timedelta(days=reach(spec.looks_ahead, settings))
    return str(min(data_through, last_day(period, spec.by) + ahead)).encode()
