"""What a slice was made from, as one digest: code, settings, horizon, input slices.

A slice whose recorded digest is not the one computed here is stale. Nothing else is.
"""

import bisect
import hashlib
import importlib.util
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from pipelines.settings import Settings
from pipelines.warehouse.filing import part_of
from pipelines.warehouse.manifest import Slice, SliceKey
from pipelines.warehouse.periods import Grain, last_day, shift, to_grain
from pipelines.warehouse.specs import Everything, Reads, Spec, UpTo, Within, reach

# A period that starts in a slice may end after it: a week at the end of a month.
_LOOKAHEAD = timedelta(days=7)
_OWN_IMPORT = re.compile(r"^(?:from|import) ((?:schemas|transforms|pipelines\.landing)(?:\.\w+)*)", re.MULTILINE)


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
        self.periods = list(self._digests)
        self._running: list[bytes] = []

    def within(self, first: date, last: date) -> bytes:
        """Digest over the periods from ``first`` to ``last``."""
        low = bisect.bisect_left(self.periods, first)
        high = bisect.bisect_right(self.periods, last)
        return digest_of(self._digests[period] for period in self.periods[low:high])

    def up_to(self, last: date) -> bytes:
        """Digest over all periods up to ``last``, kept as a running one."""
        if not self._running:
            self._running = [b""]
            for period in self.periods:
                self._running.append(digest_of([self._running[-1], self._digests[period]]))
        return self._running[bisect.bisect_right(self.periods, last)]


def window(reads: Reads, period: date, grain: Grain, settings: Settings) -> tuple[date, date]:
    """First and last period of an input that the slice of ``period`` needs."""
    if isinstance(reads, Everything) or grain == "whole":
        return date.min, date.max
    if isinstance(reads, UpTo):
        return date.min, shift(period, grain, reads.after)
    before, after = reach(reads.before, settings), reach(reads.after, settings)
    return shift(period, grain, -before), shift(period, grain, after)


def slices_of_part(slices: Mapping[SliceKey, Slice], part: str) -> dict[SliceKey, Slice]:
    """The slices of an input that belong to one part of its days."""
    return {key: record for key, record in slices.items() if input_part(key) == part}


def input_part(key: SliceKey) -> str:
    """Part of its day to which an input slice belongs; landed slices are named by landing date."""
    if key.part[:1].isdigit():
        return part_of(key.period, date.fromisoformat(key.part))
    return key.part


def reads_same_part(spec: Spec, name: str) -> bool:
    """Whether a part of a day reads only this part of the input's day."""
    return spec.has_parts and spec.reads[name] == Within()


def constant_digest(spec: Spec, settings: Settings) -> bytes:
    """What all slices of a table share: code and settings."""
    version = code_version(f"transforms.{spec.name}", f"schemas.{spec.name}")
    return digest_of([version, as_bytes(spec.option_values(settings))])


def horizon_digest(spec: Spec, period: date, data_through: date) -> bytes:
    """The horizon as far as a slice can see it: what comes later does not make it stale."""
    if "data_through" not in spec.options:
        return b""
    if spec.by == "whole":
        return str(data_through).encode()
    return str(min(data_through, last_day(period, spec.by) + _LOOKAHEAD)).encode()
