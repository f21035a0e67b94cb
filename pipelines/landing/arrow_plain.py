"""Batches of Arrow as polars can take them, and takes them for what they are.

Older writers say binary where they mean text; polars has no decimals of 256 bits, takes a UUID for
bytes, and knows no zone that is an offset, such as +05:30. All of that is found within lists,
structs and maps too.
"""

from collections.abc import Callable
from datetime import UTC
from typing import Any

import pyarrow as pa

_BINARY = (
    pa.types.is_binary,
    pa.types.is_large_binary,
    pa.types.is_binary_view,
    pa.types.is_fixed_size_binary,
)
_LISTS = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
_Spell = Callable[[Any], Any]


def plain(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch, with text in the place of values that polars has no type for; instants in UTC."""
    columns = [_plain(values) for values in batch.columns]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _plain(values: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(values.type):
        # How values are packed is nothing that they say.
        values = values.dictionary_decode()
    kind = values.type
    if _is_zoned(kind):
        return values.cast(pa.timestamp(kind.unit, "UTC"))
    wanted, spell = _spelled(kind)
    if spell is None:
        return values
    if isinstance(kind, pa.BaseExtensionType) and not _is_uuid(kind):
        values = values.storage
    return pa.array(map(spell, values.to_pylist()), wanted)


def _spelled(kind: pa.DataType) -> tuple[pa.DataType, _Spell | None]:
    """The type that stands for another one, and what spells its values; None where they stay."""
    if pa.types.is_dictionary(kind):
        inner, spell = _spelled(kind.value_type)
        return (inner, spell) if spell else (kind, None)
    if _is_zoned(kind):
        # Within lists and structs pyarrow takes no heed of the zone that Python's instants have.
        return pa.timestamp(kind.unit, "UTC"), _given(lambda instant: instant.astimezone(UTC))
    if _is_uuid(kind):
        return pa.large_string(), _given(str)
    if isinstance(kind, pa.BaseExtensionType):
        inner, spell = _spelled(kind.storage_type)
        return inner, spell or _as_it_is
    if pa.types.is_decimal256(kind):
        return pa.large_string(), _given(lambda value: f"{value:f}")
    if any(is_kind(kind) for is_kind in _BINARY):
        return pa.large_string(), _given(_text)
    if any(is_kind(kind) for is_kind in _LISTS):
        inner, spell = _spelled(kind.value_type)
        return (pa.large_list(inner), _each(spell)) if spell else (kind, None)
    if pa.types.is_struct(kind):
        return _spelled_struct(kind)
    if pa.types.is_map(kind):
        return _spelled_map(kind)
    return kind, None


def _spelled_struct(kind: pa.StructType) -> tuple[pa.DataType, _Spell | None]:
    fields = {field.name: _spelled(field.type) for field in kind}
    changed = {name: spell for name, (_, spell) in fields.items() if spell}
    if not changed or len(fields) < kind.num_fields:
        return kind, None
    made = pa.struct([(name, inner) for name, (inner, _) in fields.items()])

    def spelled(row: dict[str, Any]) -> dict[str, Any]:
        return row | {name: spell(row[name]) for name, spell in changed.items()}

    return made, _given(spelled)


def _spelled_map(kind: pa.MapType) -> tuple[pa.DataType, _Spell | None]:
    (key, spell_key), (item, spell_item) = _spelled(kind.key_type), _spelled(kind.item_type)
    if not (spell_key or spell_item):
        return kind, None
    of_key, of_item = spell_key or _as_it_is, spell_item or _as_it_is
    pairs = _each(lambda pair: (of_key(pair[0]), of_item(pair[1])))
    return pa.map_(key, item), pairs


def _given(spell: _Spell) -> _Spell:
    return lambda value: None if value is None else spell(value)


def _each(spell: _Spell) -> _Spell:
    return _given(lambda values: [spell(value) for value in values])


def _as_it_is(value: Any) -> Any:
    return value


def _is_zoned(kind: pa.DataType) -> bool:
    return pa.types.is_timestamp(kind) and kind.tz not in (None, "UTC")


def _is_uuid(kind: pa.DataType) -> bool:
    return isinstance(kind, pa.UuidType)


def _text(value: bytes) -> str:
    """Bytes as the text that they are in UTF-8, else as hexadecimal digits."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.hex()
