"""A home of all formats that holds a person, and a search for ids by code of the tests' own."""

import csv
import gzip
import io
import json
import re
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import zstandard
from homes import event, land, land_bytes, make_home

IDS = ("u1", "c1", "anon-1")
SETTINGS = """
[[sources.events]]
path = "latin*"
encoding = "latin-1"
[[sources.events]]
path = "**/*"
"""


def _csv(rows: list[dict[str, Any]], end: str = "\n") -> str:
    text = io.StringIO()
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(text, names, lineterminator=end)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _parquet(rows: list[dict[str, Any]], **options: Any) -> bytes:
    out = io.BytesIO()
    pq.write_table(pl.DataFrame(rows).to_arrow(), out, **options)
    return out.getvalue()


def _order(order_id: str, customer: str, **columns: Any) -> dict[str, Any]:
    row = {"order_id": order_id, "customer_id": customer, "ordered_ts": "2025-01-02T12:00:00Z"}
    return {**row, "amount": "10", "currency": "EUR", **columns}


def fill(root: Path) -> None:
    """u1 is customer c1 and visitor anon-1; u10 and c10 are somebody else."""
    make_home(root, SETTINGS)
    day = "2025-01-0"
    seen = [
        event("e1", "2025-01-01T10:00:00", user_id="u1", anonymous_id="anon-1"),
        event("e2", "2025-01-01T11:00:00", user_id="u10", page_url="https://x.org/?by=u1&to=u10"),
    ]
    land(root, f"{day}1", seen)
    land(root, f"{day}1", [event("e3", "2025-01-01T10:30:00", user_id="u10")], "others.ndjson")
    anonymous = event("e4", "2025-01-02T09:00:00", user_id=None, anonymous_id="anon-1")
    packed = [anonymous, event("e5", "2025-01-02T10:00:00", user_id="u10", anonymous_id="anon-10")]
    text = _csv(packed, "\r\n")
    land_bytes(root, f"{day}2", gzip.compress(text.encode(), mtime=0), "packed.csv.gz")
    umlauts = [
        event("e6", "2025-01-02T10:00:00", user_id="u1", page_title="Über"),
        event("e7", "2025-01-02T11:00:00", user_id="u10", page_title='Grüße, "u1"'),
    ]
    land_bytes(root, f"{day}2", _csv(umlauts).encode("latin-1"), "latin.csv")
    wide = [event(f"e8 {name}", "2025-01-03T10:00:00", user_id=name) for name in ("u1", "u10")]
    land_bytes(root, f"{day}3", _csv(wide).encode("utf-16"), "wide.csv")
    orders = [_order("o1", "c1"), _order("o2", "c10", channel="friend of c1")]
    land_bytes(root, f"{day}3", _parquet(orders, compression="zstd"), "o.parquet", "orders")
    answers = [
        {
            "response_id": f"r{number}",
            "survey": "s",
            "kind": "nps",
            "score": 9,
            "respondent_id": name,
            "comment": "as u\\u0031 said\nu1",
            "answered_ts": "2025-01-03T10:00:00Z",
        }
        for number, name in enumerate(("u1", "u10"))
    ]
    lines = "".join(json.dumps(row).replace("\\\\u", "\\u") + "\n" for row in answers)
    land_bytes(root, f"{day}3", zstandard.compress(lines.encode()), "a.ndjson.zst", "surveys")
    pairs = [{"customer_id": "c1", "user_id": "u1"}, {"customer_id": "c10", "user_id": "u10"}]
    land(root, f"{day}3", pairs, "c.ndjson", "customers")
    land_bytes(root, "notes", b"call u1, not u10\n", "notes.txt")


def _said(path: Path) -> str:
    """All that a file holds, by code of the test's own."""
    content = path.read_bytes()
    if content.startswith(b"\x1f\x8b"):
        content = gzip.decompress(content)
    if content.startswith(b"\x28\xb5\x2f\xfd"):
        content = zstandard.ZstdDecompressor().decompressobj().decompress(content)
    if content.startswith(b"PAR1"):
        file = pq.ParquetFile(io.BytesIO(content))
        return json.dumps([file.read().to_pylist(), str(file.metadata.metadata)], default=str)
    if content.startswith(b"\xff\xfe"):
        return content.decode("utf-16")
    return content.decode("latin-1").replace("\\u0031", "1")


def places(home: Path, *ids: str) -> list[str]:
    """Files in which an id stands as a whole; in databases among bytes, so only longer ones."""
    found = []
    for path in sorted(path for path in home.rglob("*") if path.is_file()):
        sought = ids
        if path.suffix in (".sqlite", ".duckdb"):
            sought = tuple(each for each in ids if len(each) > 4)
        pattern = rf"(?<![A-Za-z0-9_-])(?:{'|'.join(map(re.escape, sought))})(?![A-Za-z0-9_-])"
        if sought and re.search(pattern, _said(path)):
            found.append(str(path.relative_to(home)))
    return found
