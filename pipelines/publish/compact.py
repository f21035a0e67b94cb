"""Thrift's compact protocol, in which the footers of Parquet files are written.

A struct is read to a dictionary of field number to (type, value), whatever its fields mean, and
written back from it: what we do not know of stays as it was.
(github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md)
"""

import io
from typing import Any, NamedTuple

_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, STRUCT = range(1, 13)
I64 = _I64
BINARY = _BINARY
_NUMBERS = (_I16, _I32, _I64)
_LONG_LIST = 15


class Field(NamedTuple):
    """Type and value of a field."""

    type: int
    value: Any


class Elements(NamedTuple):
    """A list or a set: the type of its elements, and these."""

    type: int
    values: list[Any]


Struct = dict[int, Field]


def decode(content: bytes) -> Struct:
    """The struct that the bytes hold. Raises ValueError or IndexError where they hold none."""
    value: Struct = _Reader(content).value(STRUCT)
    return value


def encode(struct: Struct) -> bytes:
    """The struct as bytes."""
    out = io.BytesIO()
    _write(out, STRUCT, struct)
    return out.getvalue()


class _Reader:
    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    def value(self, kind: int) -> Any:
        if kind in _NUMBERS:
            number = self._varint()
            return number >> 1 ^ -(number & 1)
        if kind in (_TRUE, _FALSE, _BYTE):
            return self._take(1)[0]
        if kind == _DOUBLE:
            return self._take(8)
        if kind == _BINARY:
            return self._take(self._varint())
        if kind in (_LIST, _SET):
            return self._elements()
        if kind == STRUCT:
            return self._struct()
        raise ValueError(f"no Parquet footer: type {kind}")

    def _struct(self) -> Struct:
        fields: Struct = {}
        number = 0
        while head := self._take(1)[0]:
            step, kind = head >> 4, head & 15
            number = number + step if step else self.value(_I16)
            # A boolean field's value is its type.
            fields[number] = Field(kind, None if kind <= _FALSE else self.value(kind))
        return fields

    def _elements(self) -> Elements:
        head = self._take(1)[0]
        size, kind = head >> 4, head & 15
        if size == _LONG_LIST:
            size = self._varint()
        return Elements(kind, [self.value(kind) for _ in range(size)])

    def _take(self, size: int) -> bytes:
        taken = self._content[self._at : self._at + size]
        if len(taken) < size:
            raise ValueError("no Parquet footer: it ends too early")
        self._at += size
        return taken

    def _varint(self) -> int:
        number, shift = 0, 0
        while True:
            byte = self._content[self._at]
            self._at += 1
            number |= (byte & 127) << shift
            if byte < 128:
                return number
            shift += 7


def _write(out: io.BytesIO, kind: int, value: Any) -> None:
    if kind in _NUMBERS:
        _write_varint(out, value << 1 if value >= 0 else (-value << 1) - 1)
    elif kind in (_TRUE, _FALSE, _BYTE):
        out.write(bytes([value]))
    elif kind == _DOUBLE:
        out.write(value)
    elif kind == _BINARY:
        _write_varint(out, len(value))
        out.write(value)
    elif kind in (_LIST, _SET):
        _write_elements(out, value)
    else:
        _write_struct(out, value)


def _write_struct(out: io.BytesIO, fields: Struct) -> None:
    last = 0
    for number, (kind, value) in sorted(fields.items()):
        step = number - last
        if step <= 15:
            out.write(bytes([step << 4 | kind]))
        else:
            out.write(bytes([kind]))
            _write(out, _I16, number)
        if kind > _FALSE:
            _write(out, kind, value)
        last = number
    out.write(b"\0")


def _write_elements(out: io.BytesIO, elements: Elements) -> None:
    size = len(elements.values)
    out.write(bytes([min(size, _LONG_LIST) << 4 | elements.type]))
    if size >= _LONG_LIST:
        _write_varint(out, size)
    for value in elements.values:
        _write(out, elements.type, value)


def _write_varint(out: io.BytesIO, number: int) -> None:
    while number > 127:
        out.write(bytes([number & 127 | 128]))
        number >>= 7
    out.write(bytes([number]))
