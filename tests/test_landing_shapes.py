"""Encodings and shapes of files: read as what they are, or refused by the name of what is wrong."""

import gzip
import json
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from homes import ROOT, command, event, make_home
from landing_support import LANDED, TS, file, is_conserved, receipt, refused, rows, taken

from pipelines.landing.files import Limits, RawFile

HEAD = "event_name,event_ts,user_id\n"
CSV = f"{HEAD}café,{TS},ū1\nview,{TS},u2\n"
NDJSON = "".join(
    json.dumps({"event_name": name, "event_ts": TS, "user_id": user}, ensure_ascii=False) + "\n"
    for name, user in (("café", "ū1"), ("view", "u2"))
)
READ = [("café", "ū1"), ("view", "u2")]
BODIES = {"csv": CSV, "tsv": CSV.replace(",", "\t"), "ndjson": NDJSON}


def line(**values: Any) -> str:
    return json.dumps({"event_name": "v", "event_ts": TS, "user_id": "u", **values})


def whole(result: Any) -> str:
    """Why the only file was refused."""
    ((number, raw, reason),) = refused(result)
    assert (number, raw) == (0, None)
    assert receipt(result, "status", "raw_rows") == {"status": "refused", "raw_rows": 0}
    return reason


@pytest.mark.parametrize("packing", ["", ".gz", ".zst"])
@pytest.mark.parametrize("ending", BODIES)
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"]
)
def test_a_byte_order_mark_says_the_encoding(
    tmp_path: Path, encoding: str, ending: str, packing: str
) -> None:
    mark = "" if encoding.startswith("utf-8") else "\ufeff"
    content = (mark + BODIES[ending]).encode(encoding)
    landed = file(tmp_path, f"a.{ending}{packing}", content)
    assert rows(taken(landed), "event_name", "user_id") == READ
    assert rows(taken(landed, block_bytes=9), "event_name", "user_id") == READ


@pytest.mark.parametrize("given", ["latin-1", "utf-16-le", "utf-8"])
def test_a_byte_order_mark_beats_the_setting(tmp_path: Path, given: str) -> None:
    landed = file(tmp_path, "a.csv", CSV.encode("utf-8-sig"))
    assert rows(taken(landed, {"encoding": given}), "event_name", "user_id") == READ


@pytest.mark.parametrize("ending", BODIES)
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_without_its_mark_is_refused_by_name_and_read_where_the_feed_says_so(
    tmp_path: Path, encoding: str, ending: str
) -> None:
    landed = file(tmp_path, f"a.{ending}", BODIES[ending].encode(encoding))
    assert whole(taken(landed)) == (
        "the file looks like UTF-16 without a byte order mark; "
        f'set encoding = "{encoding}" for its feed'
    )
    assert rows(taken(landed, {"encoding": encoding}), "event_name", "user_id") == READ


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
def test_text_of_one_byte_a_character_is_refused_by_line_and_byte_unless_named(
    tmp_path: Path, encoding: str
) -> None:
    text = f"{HEAD}view,{TS},u0\nview,{TS},André\n"
    landed = file(tmp_path, "a.csv", text.encode(encoding))
    # "view," and the timestamp and "," are 26 bytes, "Andr" 4: é is byte 31 of line 3.
    assert whole(taken(landed)) == (
        "the file is not UTF-8: byte 0xe9 in line 3, at byte 31 of it; where it is Latin-1 or "
        'Windows-1252, set encoding = "latin-1" or "cp1252" for its feed'
    )
    assert rows(taken(landed, {"encoding": encoding}), "user_id") == [("u0",), ("André",)]


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16-le"])
@pytest.mark.parametrize("packing", ["", ".gz", ".zst"])
def test_a_long_file_in_another_encoding_is_read_to_its_end_however_it_is_packed(
    tmp_path: Path, encoding: str, packing: str
) -> None:
    # So much that hardly packs: pieces of zstd hold no whole block.
    said = [Random(i).randbytes(40).hex() for i in range(3_000)]
    text = HEAD + "".join(f"café,{TS},{each}\n" for each in said)
    result = taken(file(tmp_path, f"a.csv{packing}", text.encode(encoding)), {"encoding": encoding})
    assert [user for (user,) in rows(result, "user_id")] == said
    assert is_conserved(result)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_text_that_is_not_in_the_encoding_of_its_feed_is_refused_by_line(
    tmp_path: Path, end: str
) -> None:
    text = f"{HEAD}view,{TS},u1\n".replace("\n", end).encode("ascii") + b"caf\xe9"
    said = whole(taken(file(tmp_path, "a.csv", text), {"encoding": "ascii"}))
    assert said.startswith("the file is not ascii: byte 0xe9 in line 3, ")
    assert said.endswith("; set encoding for its feed")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_line_end_gives_the_same_rows_of_ndjson(tmp_path: Path, end: str) -> None:
    text = "\n".join([line(user_id="a"), "", line(user_id="b"), "no", line(user_id="c")])
    landed = file(tmp_path, "a.ndjson", text.replace("\n", end))
    for options in ({}, {"block_bytes": 1}):
        result = taken(landed, **options)
        assert rows(result, "user_id", "line") == [("a", 1), ("b", 3), ("c", 5)]
        assert [number for number, _, _ in refused(result)] == [4]


def test_line_ends_of_all_kinds_in_one_file_count_one_each(tmp_path: Path) -> None:
    text = f"{HEAD}a,{TS},u\r\nb,{TS},u\rc,{TS},u\n\r\nd,{TS},u\r\r\n"
    assert rows(taken(file(tmp_path, "a.csv", text)), "event_name", "line") == [
        ("a", 2),
        ("b", 3),
        ("c", 4),
        ("d", 6),
    ]


def test_a_nul_is_a_character_and_moves_no_line(tmp_path: Path) -> None:
    text = f'{HEAD}a\0b,{TS},u1\n\0,{TS},\0\n"q\0",{TS},u3\n'
    assert rows(taken(file(tmp_path, "a.csv", text)), "event_name", "user_id", "line") == [
        ("a\0b", "u1", 2),
        ("\0", "\0", 3),
        ("q\0", "u3", 4),
    ]


def test_a_nul_within_json_is_refused_bare_and_kept_escaped(tmp_path: Path) -> None:
    body = f"{line(user_id='a')}\n" + line(user_id="x").replace('"x"', '"\0"') + "\n"
    result = taken(file(tmp_path, "a.ndjson", body + line(user_id="b\0") + "\n"))
    assert rows(result, "user_id", "line") == [("a", 1), ("b\0", 3)]
    assert [number for number, _, _ in refused(result)] == [2]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('{"a": 1, "a": 1}', "a"),
        ('{"a":1,"b":"x","a" :2}', "a"),
        ('{"event_name":"v","event_name":"w"}', "event_name"),
        ('{"properties":{"p":1,"p":2}}', "p"),
        ('{"list":[{"k":1},{"k":1,"k":2}]}', "k"),
        ('{"a":"\\"x\\": y","b":1,"b":2}', "b"),
        ('{"\\u0061":1,"a":2}', "a"),
        ('{"n":1234567890123456789012345,"n":1}', "n"),
    ],
)
def test_a_key_that_stands_twice_refuses_its_row_by_name(
    tmp_path: Path, text: str, key: str
) -> None:
    result = taken(file(tmp_path, "a.ndjson", f"{line()}\n{text}\n{line()}\n"))
    assert refused(result) == [(2, text, f"the key {key} stands twice in one object")]
    assert receipt(result, "landed_rows") == {"landed_rows": 2}


@pytest.mark.parametrize(
    "properties",
    [{"a": {"x": 1}, "b": {"x": 1}}, [{"k": 1}, {"k": 2}], {"t": 'say ":" : {"a": 1, "a": 2}'}],
)
def test_what_looks_like_a_key_that_stands_twice_is_none(tmp_path: Path, properties: Any) -> None:
    result = taken(file(tmp_path, "a.ndjson", line(properties=properties) + "\n"))
    assert json.loads(rows(result, "properties")[0][0]) == properties


def test_fields_of_megabytes_are_fields(tmp_path: Path) -> None:
    huge = 'x""y,' * 1_000_000
    landed = file(tmp_path, "a.csv", f'{HEAD}"{huge}",{TS},u\nb,{TS},u\n')
    name, other = rows(taken(landed), "event_name")
    assert name[0] == 'x"y,' * 1_000_000
    assert other == ("b",)
    many = {"k": ["v" * 10] * 300_000}
    (only,) = rows(taken(file(tmp_path, "a.ndjson", line(properties=many))), "properties")
    assert json.loads(only[0]) == many


@pytest.mark.parametrize("block_bytes", [64, 5000, 1 << 26])
@pytest.mark.parametrize("packing", ["", ".gz", ".zst"])
def test_a_line_beyond_the_limit_refuses_its_file_by_number(
    tmp_path: Path, packing: str, block_bytes: int
) -> None:
    longest = "x" * (2000 - len(f",{TS},u"))
    for more, ending in (("", ""), ("x", "\n"), ("x", "")):
        text = f"{HEAD}a,{TS},u\n{more}{longest},{TS},u{ending}"
        landed = file(tmp_path, f"a.csv{packing}", text)
        result = taken(landed, limits=Limits(line_bytes=2000), block_bytes=block_bytes)
        if more:
            said = "line 3 is longer than 2,000 bytes, the setting max_line_bytes"
            assert whole(result) == said
        else:
            assert receipt(result, "landed_rows") == {"landed_rows": 2}


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.ndjson.zst", "a.parquet.gz"])
def test_a_file_beyond_the_limit_is_refused_however_small_it_is_packed(
    tmp_path: Path, name: str
) -> None:
    result = taken(file(tmp_path, name, HEAD * 1000), limits=Limits(file_bytes=9999))
    assert whole(result) == (
        "the file is longer than 9,999 bytes when it is unpacked, the setting max_file_bytes"
    )


_PEAK = """
import resource, sys
from datetime import date
from pathlib import Path
from pipelines.landing.files import RawFile
from pipelines.landing.sources import EVENTS
from pipelines.landing.take_in import take_in
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
path = Path(sys.argv[1])
files = [RawFile(date(2024, 3, 6), path.name, path)]
taken = take_in(files, EVENTS, [], timezone="UTC", earliest_event_date=date(2000, 1, 1))
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(taken.receipts["status"].item(), (peak - before) // 1024)
"""


@pytest.mark.parametrize(
    ("name", "piece", "status"),
    [
        ("zeros.csv.zst", b"\0", "refused"),
        ("zeros.ndjson.gz", b"\0", "refused"),
        ("lines.csv.zst", b"\n", "read"),
    ],
)
def test_a_bomb_takes_no_more_memory_than_its_blocks(
    tmp_path: Path, name: str, piece: bytes, status: str
) -> None:
    plain = piece * (600 << 20 if status == "refused" else 80 << 20)
    compress = gzip.compress if name.endswith(".gz") else zstandard.compress
    path = tmp_path / name
    path.write_bytes(compress(plain, 1))
    assert path.stat().st_size < 3 << 20
    done = subprocess.run(
        [sys.executable, "-c", _PEAK, path], cwd=ROOT, capture_output=True, text=True, check=True
    )
    became, megabytes = done.stdout.split()
    assert became == status
    # A line of at most 64 MiB, twice while it is put together; blocks of as much.
    assert int(megabytes) < 450


PAGE = "<!DOCTYPE html>\n<html><body>502 Bad Gateway, try later</body></html>\n"
KINDS = [
    (PAGE.encode(), "an HTML page"),
    (b"\n  <HTML>" + b" " * 600, "an HTML page"),
    (b"\xef\xbb\xbf<!-- cached --><html></html>", "an HTML page"),
    (PAGE.encode("utf-16"), "an HTML page"),
    (b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "an XML document"),
    (b"PK\x03\x04\x14\0\x06\0", "a zip archive or an Excel workbook"),
    (b"%PDF-1.7\n", "a PDF document"),
    (gzip.compress(CSV.encode(), mtime=0), "gzip"),
    (zstandard.compress(CSV.encode()), "zstd"),
]


@pytest.mark.parametrize(("content", "kind"), KINDS, ids=[str(i) for i in range(len(KINDS))])
@pytest.mark.parametrize(
    ("name", "wanted"),
    [("a.csv", "CSV"), ("a.tsv.gz", "CSV"), ("a.ndjson.zst", "NDJSON"), ("a.jsonl", "NDJSON")],
)
def test_a_file_of_another_kind_is_refused_by_its_name(
    tmp_path: Path, name: str, wanted: str, content: bytes, kind: str
) -> None:
    assert whole(taken(file(tmp_path, name, content))) == f"the file is {kind}, not {wanted}"


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("a.csv.gz", "gzip"), ("a.ndjson.zst", "zstd"), ("a.parquet", "Parquet")],
)
def test_a_page_in_the_place_of_a_packed_file_is_told_too(
    tmp_path: Path, name: str, wanted: str
) -> None:
    path = tmp_path / name
    path.write_bytes(PAGE.encode())
    assert whole(taken(RawFile(LANDED, name, path))) == f"the file is an HTML page, not {wanted}"


def test_parquet_under_another_name_is_told(tmp_path: Path) -> None:
    said = whole(taken(file(tmp_path, "a.csv", b"PAR1\x15\x04" + b"\0" * 50)))
    assert said == "the file is Parquet, not CSV"


def test_markup_within_a_row_is_text(tmp_path: Path) -> None:
    assert rows(taken(file(tmp_path, "a.csv", f"{HEAD}<html>,{TS},u\n")), "event_name") == [
        ("<html>",)
    ]


def test_a_header_of_too_many_columns_is_refused(tmp_path: Path) -> None:
    header = HEAD.strip() + "".join(f",c{i}" for i in range(9_998)) + "\n"
    said = whole(taken(file(tmp_path, "a.csv", header)))
    assert said == "the header has 10,001 columns; at most 10,000 are read"


@pytest.mark.parametrize("ending", ["csv", "ndjson"])
def test_packed_halves_are_one_file(tmp_path: Path, ending: str) -> None:
    content = BODIES[ending].encode()
    for packing, pack in ((".gz", gzip.compress), (".zst", zstandard.compress)):
        path = tmp_path / f"a.{ending}{packing}"
        path.write_bytes(pack(content[:50]) + pack(content[50:]))
        result = taken(RawFile(LANDED, path.name, path))
        assert rows(result, "event_name", "user_id") == READ


AT = datetime(2024, 3, 5, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("column", "values", "expected"),
    [
        ("event_ts", pa.array([AT], pa.timestamp("ns", "Europe/Berlin")), AT),
        ("event_ts", pa.array([AT], pa.timestamp("ms", "UTC")), AT),
        ("event_ts", pa.array([date(2024, 3, 5)], pa.date64()), AT),
        ("event_name", pa.array(["é"], pa.large_string()), "é"),
        ("event_name", pa.array(["é"]).dictionary_encode(), "é"),
        ("event_name", pa.array(["é".encode()], pa.binary()), "é"),
        ("user_id", pa.array([b"\xff\0\x01"], pa.binary(3)), "ff0001"),
        ("user_id", pa.array([7], pa.uint8()), "7"),
        ("user_id", pa.array([Decimal("12.50")], pa.decimal128(9, 2)), "12.50"),
        ("value", pa.array([Decimal("1.25")], pa.decimal128(38, 10)), 1.25),
        ("value", pa.array([Decimal("1.25")], pa.decimal256(50, 10)), 1.25),
        ("value", pa.array([1.5], pa.float32()), 1.5),
        ("value", pa.array([3], pa.int16()), 3.0),
        ("is_bot", pa.array([1], pa.int8()), True),
        ("value", pa.array([1.5], pa.float16()), 1.5),
        ("event_ts", pa.array([AT], pa.timestamp("ms", "+05:30")), AT),
        ("user_id", pa.array([UUID(int=7).bytes], pa.uuid()), str(UUID(int=7))),
        ("properties", pa.array(['{"a":1}'], pa.json_()), '{"a":1}'),
        ("properties", pa.array([{"a": [1]}]), '{"a":[1]}'),
        (
            "properties",
            pa.array(
                [{"d": Decimal("1.50"), "b": b"\xff", "t": [AT]}],
                pa.struct(
                    [
                        ("d", pa.decimal256(50, 2)),
                        ("b", pa.binary()),
                        ("t", pa.list_(pa.timestamp("us", "+05:30"))),
                    ]
                ),
            ),
            '{"d":"1.50","b":"ff","t":["2024-03-05T12:00:00+00:00"]}',
        ),
        (
            "properties",
            pa.array([[("a", b"x"), ("b", None)]], pa.map_(pa.string(), pa.binary())),
            '{"a":"x","b":null}',
        ),
        (
            "properties",
            pa.array(
                [{"m": [(b"k", [AT]), (b"l", None)], "d": [("k", Decimal("1.50"))]}],
                pa.struct(
                    [
                        ("m", pa.map_(pa.binary(), pa.list_(pa.timestamp("us", "+05:30")))),
                        ("d", pa.map_(pa.string(), pa.decimal256(50, 2))),
                    ]
                ),
            ),
            '{"m":{"k":["2024-03-05T12:00:00+00:00"],"l":null},"d":{"k":"1.50"}}',
        ),
    ],
    ids=lambda value: str(getattr(value, "type", ""))[:40],
)
def test_parquet_of_other_physical_types_is_cast_by_rule(
    tmp_path: Path, column: str, values: pa.Array, expected: Any
) -> None:
    plain = {
        "event_name": pa.array(["v"]),
        "event_ts": pa.array([AT], pa.timestamp("us", "UTC")),
        "user_id": pa.array(["u"]),
    }
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({**plain, column: values}), path)
    assert rows(taken(RawFile(LANDED, "a.parquet", path)), column) == [(expected,)]


def test_int96_has_no_offset_and_needs_a_zone(tmp_path: Path) -> None:
    columns = {"event_name": ["v"], "event_ts": [AT], "user_id": ["u"]}
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table(columns), path, use_deprecated_int96_timestamps=True)
    landed = RawFile(LANDED, "a.parquet", path)
    assert refused(taken(landed))[0][2].startswith("event_ts has no offset: name its zone")
    assert rows(taken(landed, {"zone": "UTC"}), "event_ts") == [(AT,)]


@pytest.mark.parametrize("ending", ["csv", "ndjson", "csv.gz"])
@pytest.mark.parametrize("content", ["", "\n", "\r\n \r\n", "\ufeff"])
def test_a_file_of_nothing_is_read_and_has_no_rows(
    tmp_path: Path, ending: str, content: str
) -> None:
    if ending.startswith("csv") and " " in content:
        content = content.replace(" ", "")
    result = taken(file(tmp_path, f"a.{ending}", content))
    assert receipt(result, "status", "raw_rows") == {"status": "read", "raw_rows": 0}
    assert is_conserved(result)


def test_the_limits_are_settings_and_a_raised_one_takes_the_file_in(folder: Path) -> None:
    day = "2025-01-02"
    big = event("big", f"{day}T10:00:00", page_title="x" * 3000)
    home = make_home(folder / "home", "max_line_bytes = 2000\n", {day: [big]})
    assert command(home, "run", "--select", "events").status == 3
    assert "line 1 is longer than 2,000 bytes" in command(home, "status").out.replace("\n", " ")
    (home / "tidemark.toml").write_text("max_file_bytes = 2000\n")
    assert command(home, "run", "--select", "events").status == 3
    assert "the setting max_file_bytes" in command(home, "status").out.replace("\n", " ")
    (home / "tidemark.toml").write_text("")
    assert command(home, "run", "--select", "events").status == 0


@pytest.mark.parametrize(
    "kind",
    [pa.timestamp("ms", "UTC"), pa.timestamp("us"), pa.date32()],
    ids=str,
)
def test_an_instant_beyond_the_calendar_refuses_its_row_and_no_other(
    tmp_path: Path, kind: pa.DataType
) -> None:
    beyond = 2**31 - 1 if kind == pa.date32() else 2**62
    times = pa.concat_arrays([pa.array([beyond], kind), pa.array([AT], kind)])
    path = tmp_path / "a.parquet"
    table = {"event_name": ["v", "v"], "event_ts": times, "user_id": ["u", "w"], "seen": times}
    pq.write_table(pa.table(table), path)
    result = taken(RawFile(LANDED, "a.parquet", path), {"zone": "UTC"})
    assert rows(result, "user_id", "event_ts") == [("w", AT)]
    raw = f'{{"event_name":"v","event_ts":{beyond},"user_id":"u","seen":{beyond}}}'
    assert refused(result) == [(1, raw, "event_ts lies outside the years 1 to 9999")]


def test_a_day_beyond_the_calendar_is_its_count_beside_the_columns(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    seen = pa.array([2**31 - 1, 19787], pa.date32())
    table = {"event_name": ["v", "v"], "event_ts": [AT, AT], "user_id": ["u", "w"], "seen": seen}
    pq.write_table(pa.table(table), path)
    result = taken(RawFile(LANDED, "a.parquet", path))
    assert rows(result, "extra") == [('{"seen":2147483647}',), ('{"seen":"2024-03-05"}',)]
