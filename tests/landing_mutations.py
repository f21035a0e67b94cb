"""Sound files of every source and format, spoiled in ways that files are spoiled in.

A case is made from its number alone: ``case(4711)`` is the same file in every process. Numbers that
follow each other go through all sources, formats and packings before they come again.
"""

import csv
import gzip
import io
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard
from landing_support import TS

from pipelines.landing.sources import SOURCES, Source

FORMATS = ("csv", "tsv", "ndjson", "parquet")
PACKINGS = ("", ".gz", ".zst")
COMBINATIONS = len(SOURCES) * len(FORMATS) * len(PACKINGS)
_ROWS = 12
_DAY = "2024-03-05"

# A sound row of each source; {i} is the row's number.
SOUND: dict[str, dict[str, str]] = {
    "events": {
        "event_id": "e{i}",
        "event_name": "page_view",
        "event_ts": TS,
        "user_id": "u{i}",
        "value": "1.5",
        "properties": '{{"a": [1, "x{i}"]}}',
    },
    "surveys": {
        "response_id": "r{i}",
        "survey": "spring",
        "kind": "nps",
        "score": "9",
        "answered_ts": TS,
        "comment": 'five, "six" é',
    },
    "subscriptions": {
        "subscription_id": "s{i}",
        "customer_id": "c{i}",
        "plan": "pro",
        "amount": "10.25",
        "currency": "EUR",
        "interval": "month",
        "started_ts": TS,
        "quantity": "2",
    },
    "orders": {
        "order_id": "o{i}",
        "customer_id": "c{i}",
        "ordered_ts": TS,
        "amount": "12.5",
        "currency": "EUR",
    },
    "social_posts": {
        "platform": "x",
        "account": "acme",
        "post_id": "p{i}",
        "posted_ts": TS,
        "snapshot_day": _DAY,
        "likes": "12",
        "is_deleted": "false",
    },
    "social_accounts": {
        "platform": "x",
        "account": "a{i}",
        "snapshot_day": _DAY,
        "followers": "100{i}",
    },
    "tickets": {
        "ticket_id": "t{i}",
        "channel": "mail",
        "opened_ts": TS,
        "resolved_ts": "2024-03-05T13:00:00Z",
        "reopened_count": "0",
    },
    "campaign_costs": {
        "cost_day": _DAY,
        "channel": "search",
        "campaign": "k{i}",
        "cost": "99.5",
        "currency": "EUR",
        "clicks": "7",
    },
    "exchange_rates": {"day": _DAY, "currency": "USD", "rate": "1.0{i}"},
    "customers": {"customer_id": "c{i}", "created_ts": TS, "country": "DE", "is_staff": "no"},
}
_ODD_VALUES = (
    "",
    " ",
    "null",
    "NaN",
    "-0",
    "1e400",
    "1.0",
    "1,5",
    "99999999999999999999",
    "1709640000",
    "1709640000000",
    "2024-02-30",
    "true",
    "{",
    "[1]",
    '"',
    '"a\nb"',
    "\u202e\U0001f600",
    "x" * 5000,
    "\0",
)
_BYTES = (b"\0", b'"', b'""', b"\n", b"\r", b"\r\n\n", b"\xef\xbb\xbf", b"\xff", b"\xc3", b"\\")
_MORE_BYTES = (
    *_BYTES,
    b",",
    b"\t",
    b";",
    b"{",
    b"}",
    b"[" * 200,
    b"'",
    "é\u2028\U0001f600".encode(),
)
_ENCODINGS = ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252")
_PHYSICAL = ("plain", "dictionary", "large", "binary", "typed")
# Dice that make Parquet of plain text.
PLAINLY = 2
Table = dict[str, list[Any]]


@dataclass(frozen=True)
class Case:
    """A spoiled file: ``done`` names what was done to it."""

    number: int
    source: Source
    name: str
    content: bytes
    done: tuple[str, ...]


def case(number: int) -> Case:
    """The spoiled file of this number."""
    dice = random.Random(number)
    source = list(SOURCES.values())[number % len(SOURCES)]
    ending = FORMATS[number // len(SOURCES) % len(FORMATS)]
    packing = PACKINGS[number // len(SOURCES) // len(FORMATS) % len(PACKINGS)]
    done: list[str] = []
    table = sound_table(source)
    for _ in range(dice.choice((0, 0, 1, 1, 2))):
        table = _one_of(_TABLE, dice, done)(table, dice)
    content = written(table, ending, dice)
    if ending != "parquet" and dice.random() < 0.4:
        content = _one_of(_TEXT, dice, done)(content, dice)
    for _ in range(dice.choice((0, 1, 1, 2))):
        content = _one_of(_RAW, dice, done)(content, dice)
    if packing and dice.random() < 0.3:
        content = _one_of(_PACKED, dice, done)(content, dice, packing)
    else:
        content = pack(content, packing)
    return Case(number, source, f"spoiled.{ending}{packing}", content, tuple(done))


def sound_table(source: Source, rows: int = _ROWS) -> Table:
    """Rows that a source takes as they are, by column."""
    return {
        name: [text.format(i=i) for i in range(rows)] for name, text in SOUND[source.name].items()
    }


def written(table: Table, ending: str, dice: random.Random) -> bytes:
    """The rows as a file, the second column of a name marked by a zero byte in the table.

    The dice say how Parquet holds them.
    """
    names = [name.rstrip("\0") for name in table]
    rows = list(zip(*table.values(), strict=True))
    if ending == "parquet":
        return _parquet(table, dice)
    if ending == "ndjson":
        lines = ("{" + ",".join(map(_pair, names, row)) + "}\n" for row in rows)
        return "".join(lines).encode()
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter="\t" if ending == "tsv" else ",", lineterminator="\n")
    writer.writerows([names, *rows])
    return out.getvalue().encode()


def _pair(name: str, value: Any) -> str:
    return f"{json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}"


def _parquet(table: Table, dice: random.Random) -> bytes:
    """Parquet as different writers make it: text, typed, or text in other physical types."""
    names = [name.rstrip("\0") for name in table]
    columns = [pa.array(map(_as_text, values), pa.string()) for values in table.values()]
    how = dice.choice(_PHYSICAL)
    if how == "dictionary":
        columns = [column.dictionary_encode() for column in columns]
    elif how in ("large", "binary"):
        wanted = pa.large_string() if how == "large" else pa.binary()
        columns = [column.cast(wanted) for column in columns]
    elif how == "typed":
        columns = [_typed(column) for column in columns]
    out = io.BytesIO()
    compression = dice.choice(("none", "snappy", "zstd", "gzip"))
    pq.write_table(
        pa.Table.from_arrays(columns, names=names),
        out,
        compression=compression,
        row_group_size=dice.choice((3, 100)),
        use_deprecated_int96_timestamps=dice.random() < 0.5,
        write_page_checksum=False,
    )
    return out.getvalue()


def _as_text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)


def _typed(column: pa.Array) -> pa.Array:
    """Instants, days, numbers and truth where every value is one."""
    text = pl.Series(column.to_pylist(), dtype=pl.String)
    for made in (
        text.str.to_datetime("%+", strict=False, time_zone="UTC"),
        text.str.to_date("%Y-%m-%d", strict=False),
        text.cast(pl.Decimal(20, 6), strict=False),
    ):
        if not made.null_count():
            return made.to_arrow()
    return column


def pack(content: bytes, packing: str) -> bytes:
    """The content as .gz or .zst, or as it is."""
    if packing == ".gz":
        return gzip.compress(content, compresslevel=1, mtime=0)
    return zstandard.compress(content, 1) if packing == ".zst" else content


def _one_of(choices: dict[str, Callable[..., Any]], dice: random.Random, done: list[str]) -> Any:
    name = dice.choice(list(choices))
    done.append(name)
    return choices[name]


def _renamed(table: Table, dice: random.Random) -> Table:
    chosen = dice.choice(list(table))
    new = dice.choice((chosen.upper(), chosen + "_2", chosen[:-1], "", " ", "é", "a.b", "\n", "_"))
    return {new if name == chosen else name: values for name, values in table.items()}


def _dropped(table: Table, dice: random.Random) -> Table:
    chosen = dice.choice(list(table))
    return {name: values for name, values in table.items() if name != chosen or len(table) == 1}


def _doubled(table: Table, dice: random.Random) -> Table:
    chosen = dice.choice(list(table))
    return {**table, chosen + "\0": table[chosen]}


def _added(table: Table, dice: random.Random) -> Table:
    return {f"new {dice.randrange(9)}": [dice.choice(_ODD_VALUES) for _ in range(_ROWS)], **table}


def _changed(table: Table, dice: random.Random) -> Table:
    chosen = dice.choice(list(table))
    values = [dice.choice(_ODD_VALUES) if dice.random() < 0.5 else v for v in table[chosen]]
    return {**table, chosen: values}


def _retyped(table: Table, dice: random.Random) -> Table:
    chosen = dice.choice(list(table))
    typed = dice.choice((1, -7, 2.5, 1e300, 10**25, True, None, [1, "a"], {"k": {"l": []}}))
    return {**table, chosen: [typed] * len(table[chosen])}


def _in_another_encoding(content: bytes, dice: random.Random) -> bytes:
    return content.decode().encode(dice.choice(_ENCODINGS), "replace")


def _with_another_delimiter(content: bytes, dice: random.Random) -> bytes:
    return content.replace(dice.choice((b",", b"\t")), dice.choice((b";", b"|", b"\t", b",")))


def _with_other_line_ends(content: bytes, dice: random.Random) -> bytes:
    ends = [dice.choice((b"\r", b"\r\n", b"\n", b"\n\n")) for _ in range(4)]
    lines = content.split(b"\n")
    return b"".join(line + ends[i % 4] for i, line in enumerate(lines))


def _with_other_numbers(content: bytes, dice: random.Random) -> bytes:
    digits = b"0123456789"
    spoiled = bytearray(content)
    places = [i for i, byte in enumerate(content) if byte in digits]
    for place in dice.sample(places, min(len(places), 20)):
        spoiled[place] = dice.choice(b"0123456789.-eE, ")
    return bytes(spoiled)


def _as_another_kind(content: bytes, dice: random.Random) -> bytes:
    page = b"<!DOCTYPE html>\n<html><body>502 Bad Gateway</body></html>\n"
    return dice.choice((page, b"", b"\n", b"PK\x03\x04" + content, b'{"error": "gone"}\n'))


def _bit_flipped(content: bytes, dice: random.Random) -> bytes:
    spoiled = bytearray(content)
    for _ in range(dice.choice((1, 1, 3, 20)) if content else 0):
        spoiled[dice.randrange(len(spoiled))] ^= 1 << dice.randrange(8)
    return bytes(spoiled)


def _cut(content: bytes, dice: random.Random) -> bytes:
    start, end = sorted(dice.randrange(len(content) + 1) for _ in range(2))
    return dice.choice((content[:end], content[:end], content[start:], content[start:end]))


def _block_doubled(content: bytes, dice: random.Random) -> bytes:
    start, end = sorted(dice.randrange(len(content) + 1) for _ in range(2))
    return content[:end] + content[start:end] * dice.choice((1, 3)) + content[end:]


def _bytes_inserted(content: bytes, dice: random.Random) -> bytes:
    for _ in range(dice.choice((1, 1, 2, 5))):
        place = dice.randrange(len(content) + 1)
        content = content[:place] + dice.choice(_MORE_BYTES) + content[place:]
    return content


def _text_inserted(content: bytes, dice: random.Random) -> bytes:
    place = dice.randrange(len(content) + 1)
    points = (
        dice.choice((dice.randrange(0xD800), dice.randrange(0xE000, 0x110000))) for _ in "1234"
    )
    return content[:place] + "".join(map(chr, points)).encode() + content[place:]


def _halves(content: bytes, dice: random.Random, packing: str) -> bytes:
    middle = len(content) // 2
    return pack(content[:middle], packing) + pack(content[middle:], packing)


def _half_unpacked(content: bytes, dice: random.Random, packing: str) -> bytes:
    middle = len(content) // 2
    return pack(content[:middle], packing) + content[middle:]


def _packed_otherwise(content: bytes, dice: random.Random, packing: str) -> bytes:
    return dice.choice((pack(content, ".gz"), pack(content, ".zst"), content))


def _packed_twice(content: bytes, dice: random.Random, packing: str) -> bytes:
    return pack(pack(content, packing), packing)


def _packing_flipped(content: bytes, dice: random.Random, packing: str) -> bytes:
    return _bit_flipped(pack(content, packing), dice)


def _packing_cut(content: bytes, dice: random.Random, packing: str) -> bytes:
    return _cut(pack(content, packing), dice)


_TABLE = {
    "column renamed": _renamed,
    "column dropped": _dropped,
    "column doubled": _doubled,
    "column added": _added,
    "values changed": _changed,
    "type changed": _retyped,
}
_TEXT = {
    "other encoding": _in_another_encoding,
    "other delimiter": _with_another_delimiter,
    "other line ends": _with_other_line_ends,
    "other numbers": _with_other_numbers,
    "another kind": _as_another_kind,
}
_RAW = {
    "bits flipped": _bit_flipped,
    "cut": _cut,
    "block doubled": _block_doubled,
    "bytes inserted": _bytes_inserted,
    "text inserted": _text_inserted,
}
_PACKED = {
    "halves packed": _halves,
    "half unpacked": _half_unpacked,
    "packed otherwise": _packed_otherwise,
    "packed twice": _packed_twice,
    "packing flipped": _packing_flipped,
    "packing cut": _packing_cut,
}
