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
from pipelines.warehouse.periods import Grain, last_day, shift, to_grain
from pipelines.warehouse.records import Slice, SliceKey
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
        if name not in seen and (module := _module(name)):
            seen[name], imported = module
            waiting += imported
    engines = f"polars {pl.__version__}, pyarrow {pa.__version__}".encode()
    return digest_of([engines, *(seen[name] for name in sorted(seen))])


@cache
def _module(name: str) -> tuple[bytes, list[str]] | None:
    """Digest of a module of ours, and what it imports of ours; it is not imported for that."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        return None
    source = Path(spec.origin).read_text(encoding="utf-8")
    return digest_of([source.encode()]), _OWN_IMPORT.findall(source)


class InputDigests:
    """The slices of one input, digested by the periods of the table that reads them.

    Only what is asked for is digested.
    """

    def __init__(self, slices: Mapping[SliceKey, Slice], grain: Grain) -> None:
        self._slices = slices
        self._keys: dict[date, list[SliceKey]] = defaultdict(list)
        for key, record in slices.items():
            if record.rows:
                self._keys[to_grain(key.period, grain)].append(key)
        self._digests: dict[date, bytes] = {}
        self.periods = sorted(self._keys)
        self._running = [b""]

    def at(self, period: date) -> bytes:
        """Digest of one period."""
        if period not in self._keys:
            return b""
        if period not in self._digests:
            self._digests[period] = digest_of(map(self._said, sorted(self._keys[period])))
        return self._digests[period]

    def within(self, first: date, last: date) -> bytes:
        """Digest over the periods from ``first`` to ``last``."""
        low = bisect.bisect_left(self.periods, first)
        high = bisect.bisect_right(self.periods, last)
        return b"".join(map(self.at, self.periods[low:high]))

    def up_to(self, last: date) -> bytes:
        """Digest over all periods up to ``last``, kept as a running one."""
        place = bisect.bisect_right(self.periods, last)
        for period in self.periods[len(self._running) - 1 : place]:
            self._running.append(digest_of([self._running[-1], self.at(period)]))
        return self._running[place]

    def _said(self, key: SliceKey) -> bytes:
        record = self._slices[key]
        return f"{key.period}/{key.part}/{record.rows}/".encode() + record.checksum


def input_digests(
    slices: Mapping[SliceKey, Slice], grain: Grain, by_part: bool
) -> dict[str, InputDigests]:
    """The digests of an input by part of its days, or of all of it under ''."""
    if not by_part:
        return {"": InputDigests(slices, grain)}
    parts: dict[str, dict[SliceKey, Slice]] = {}
    for key, record in slices.items():
        parts.setdefault(input_part(key), {})[key] = record
    return {part: InputDigests(some, grain) for part, some in (parts or {"": {}}).items()}


def definition(spec: Spec, settings: Settings) -> bytes:
    """What a table means, whatever its input: code, settings, versions of references."""
    version = code_version(f"transforms.{spec.name}", f"schemas.{spec.name}")
    references = [REFERENCES[name].version() for name in spec.references]
    return digest_of([version, as_bytes([spec.option_values(settings), references])])


def terms(spec: Spec, settings: Settings, shared: bytes) -> bytes:
    """Everything beside data that decides what a table is; ``shared`` is :func:`shared_terms`.

    It takes in more than :func:`definition` does, and for that no transform has to be imported.
    """
    version = code_version(f"transforms.{spec.name}", f"schemas.{spec.name}")
    reads = [(name, _resolved(each, settings)) for name, each in spec.reads.items()]
    ahead = reach(spec.looks_ahead, settings)
    flags = (spec.by, spec.drivers, spec.is_dense, spec.has_parts, spec.needs, spec.starts_with)
    return digest_of([version, shared, repr((reads, ahead, flags)).encode()])


def shared_terms(settings: Settings) -> bytes:
    """What the terms of all tables have in common.

    That is all settings and references, and the code that says which slices there are and when one
    is stale.
    """
    modules = sorted(path.stem for path in Path(__file__).parent.glob("[!_]*.py"))
    own = [f"pipelines.warehouse.{name}" for name in modules]
    machinery = code_version(*own, "pipelines.registry", "pipelines.references")
    references = {name: each.version() for name, each in REFERENCES.items()}
    return digest_of([machinery, as_bytes([settings.model_dump(), references])])


def _resolved(reads: Reads, settings: Settings) -> Reads:
    if isinstance(reads, Within):
        return Within(reach(reads.before, settings), reach(reads.after, settings))
    return reads


class Digester:
    """Gives any slice of a table the digest of what it would be made from now.

    The digest of a table that needs its own earlier slices has two parts: what is beside its own
    past, which can be known for all slices at once, and its own past as it stands when asked.
    """

    def __init__(
        self,
        spec: Spec,
        settings: Settings,
        meaning: bytes,
        data_through: date,
        inputs: Callable[[str, bool], Mapping[str, InputDigests]],
        content: Callable[[str], bytes],
    ) -> None:
        """``inputs`` gives the digests of an input by part, or all of it under ''.

        ``meaning`` is the table's :func:`definition`, ``content`` digests the whole of an input.
        """
        self._spec = spec
        self._data_through = data_through
        self._constant = meaning
        self._settings = settings
        self._inputs = inputs
        self._content = content
        self._readers = [self._reader(name) for name in spec.reads if name != spec.name]

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
        return digest_of([self._reader(self._spec.name)(key)])

    def _reader(self, name: str) -> Callable[[SliceKey], bytes]:
        """How a slice finds its share of an input."""
        spec, settings, reads = self._spec, self._settings, self._spec.reads[name]
        if isinstance(reads, Everything) or spec.by == "whole":
            content = self._content(name)
            return lambda _: content
        inputs = self._inputs(name, reads_same_part(spec, name))
        if reads == Within():
            return lambda key: _at(inputs.get(key.part) or inputs.get(""), key.period)
        digests = inputs[""]
        if isinstance(reads, UpTo):
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
    if before == after == 0:
        return period, period
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
