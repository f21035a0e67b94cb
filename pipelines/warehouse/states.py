"""What a table holds, in a few bytes that are kept true with every change.

Sums of hashes do not depend on the order of what is summed, and a slice that changes is taken out
and put in again: what did not change is not looked at.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import NamedTuple

from pipelines.warehouse.records import Slice, SliceKey

_BYTES = 16
_MODULUS = 1 << (8 * _BYTES)


class TableState(NamedTuple):
    """Slices and rows of a table; its content, and with that what each slice was made from.

    An empty slice is no content: for whoever reads the table it is as good as none.
    """

    slices: int = 0
    rows: int = 0
    content: bytes = bytes(_BYTES)
    made_from: bytes = bytes(_BYTES)


class Settled(NamedTuple):
    """On what terms a table was brought up to date as a whole.

    ``terms`` digest code and settings, ``definition`` is that of the table, ``through`` its
    horizon, ``own`` what it was made from, ``inputs`` the content of each table that it reads.
    """

    terms: bytes
    definition: bytes
    through: date | None
    own: bytes
    inputs: Mapping[str, bytes]


class SettledLanding(NamedTuple):
    """By which rules a source was read when all of it was taken in, and what lay there then."""

    rules: bytes
    seen: bytes


class Slices(Mapping[str, dict[SliceKey, Slice]]):
    """The slices by table, those of a table loaded when they are first asked for."""

    def __init__(
        self, tables: Mapping[str, TableState], load: Callable[[str], dict[SliceKey, Slice]]
    ) -> None:
        self._waiting = set(tables)
        self._load = load
        self._loaded: dict[str, dict[SliceKey, Slice]] = {}

    def __getitem__(self, table: str) -> dict[SliceKey, Slice]:
        if table in self._waiting:
            self._loaded[table] = self._load(table)
            self._waiting.remove(table)
        return self._loaded[table]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._waiting | set(self._loaded)))

    def __len__(self) -> int:
        return len(self._waiting) + len(self._loaded)

    def change(self, table: str, records: Mapping[SliceKey, Slice | None]) -> None:
        """Take over new records; None for a slice that goes."""
        slices = self[table] if table in self else self._loaded.setdefault(table, {})
        for key, record in records.items():
            if record is None:
                slices.pop(key, None)
            else:
                slices[key] = record


def changed_state(
    state: TableState,
    before: Mapping[SliceKey, Slice],
    records: Mapping[SliceKey, Slice | None],
) -> tuple[TableState, set[SliceKey]]:
    """The state with new records, None for a slice that goes, and the keys of changed content."""
    slices, rows = state.slices, state.rows
    content, made_from = int.from_bytes(state.content), int.from_bytes(state.made_from)
    changed = set()
    for key, now in records.items():
        was = before.get(key)
        if was is not None and now is not None and was[:3] == now[:3]:
            continue
        difference = 0
        for record, sign in ((was, -1), (now, 1)):
            if record is None:
                continue
            of_content, of_all = _hashes(key, record)
            slices += sign
            rows += sign * record.rows
            difference += sign * of_content
            made_from += sign * of_all
        if difference:
            content += difference
            changed.add(key)
    return TableState(slices, rows, _as_bytes(content), _as_bytes(made_from)), changed


def _as_bytes(total: int) -> bytes:
    return (total % _MODULUS).to_bytes(_BYTES)


def _hashes(key: SliceKey, record: Slice) -> tuple[int, int]:
    said = f"{key.period}/{key.part}/{record.rows}/".encode() + record.checksum
    of_content = hashlib.blake2b(said, digest_size=_BYTES).digest()
    of_all = hashlib.blake2b(of_content + record.digest, digest_size=_BYTES).digest()
    return int.from_bytes(of_content) if record.rows else 0, int.from_bytes(of_all)
