"""Whatever bytes land: nothing crashes, every row is accounted for, no split changes a row."""

import csv
import gzip
import io
import tempfile
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from homes import LONG
from hypothesis import example, given, settings
from hypothesis import strategies as st
from landing_support import TS, file, is_conserved, taken

HEAD = "event_name,event_ts,user_id,x\n"
MARKS = [",", ",", ",", '"', '"', '""', "\n", "\n", "\r\n", "\r", " ", "\0", "\ufeff"]
WORDS = ["view", TS, "u", "é", '"a,b"', f"v,{TS},u,1\n", "null", "1"]
JSON = ["{", "}", "[", "]", ":", '{"event_name":"v"}']
PIECES = st.sampled_from([*MARKS, *WORDS, *JSON])
TEXT = st.lists(PIECES, max_size=40).map("".join)


def check(name: str, content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        landed = file(Path(folder), name, b"")
        landed.path.write_bytes(content)
        whole = taken(landed)
        assert is_conserved(whole)
        # Text that is no text shows when Python asks for it.
        assert len(whole.landed.rows()) == whole.landed.height
        order = ["file", "line"]
        assert whole.landed.select("line").is_unique().all()
        blocks = taken(landed, block_bytes=64)
        if blocks.receipts["status"].item() == "read":
            assert blocks.landed.sort(order).equals(whole.landed.sort(order))
            assert blocks.quarantined.sort(order).equals(whole.quarantined.sort(order))


@given(TEXT)
@example('a,b\n"')
@settings(max_examples=250 if LONG else 62)
def test_any_text_after_a_header_is_taken_in_as_csv(text):
    check("a.csv", (HEAD + text).encode())


@given(TEXT)
@settings(max_examples=100 if LONG else 25)
def test_any_text_is_taken_in_as_csv_or_ndjson(text):
    check("a.csv", text.encode())
    check("a.ndjson", text.encode())


@given(st.binary(max_size=60), st.sampled_from(["csv", "ndjson", "parquet", "csv.gz", "csv.zst"]))
@settings(max_examples=150 if LONG else 37)
def test_any_bytes_are_taken_in_or_refused(content, ending):
    check(f"a.{ending}", content)


def small_parquet() -> bytes:
    buffer = io.BytesIO()
    frame = pl.DataFrame(
        {
            "event_name": ["v", None] * 20,
            "event_ts": [TS] * 40,
            "user_id": ["u"] * 40,
            "x": [[1]] * 40,
        }
    )
    frame.write_parquet(buffer)
    return buffer.getvalue()


@given(st.integers(0), st.binary(min_size=1, max_size=4))
@settings(max_examples=150 if LONG else 37)
def test_a_spoiled_parquet_or_gzip_is_taken_in_or_refused(place, spoil):
    for name, sound in (
        ("a.parquet", small_parquet()),
        ("a.csv.gz", gzip.compress(HEAD.encode() * 9, mtime=0)),
    ):
        at = place % len(sound)
        check(name, sound[:at] + spoil + sound[at + len(spoil) :])


FIELD = st.text(st.sampled_from('ab,"\n é;\t'), max_size=6)


@given(st.lists(st.tuples(FIELD, FIELD, FIELD), max_size=12), st.sampled_from([",", ";", "\t"]))
@settings(max_examples=200 if LONG else 50)
def test_what_python_writes_as_csv_is_read_back_field_by_field(records, delimiter):
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    writer.writerow(["event_name", "event_ts", "user_id", "a", "b", "c"])
    for record in records:
        writer.writerow(["v", TS, "u", *record])
    # Six columns: that a field's text looks like whole rows of six does not happen here.
    with tempfile.TemporaryDirectory() as folder:
        columns = {"platform": "a", "country": "b", "device": "c"}
        feed = {"delimiter": delimiter, "columns": columns, "null_values": []}
        result = taken(file(Path(folder), "a.csv", out.getvalue()), feed)
    got = result.landed.sort("line").select("platform", "country", "device").rows()
    blank = [tuple(field if field.strip() else None for field in record) for record in records]
    assert got == blank


@given(st.lists(TEXT, min_size=1, max_size=5), st.randoms(use_true_random=False))
@settings(max_examples=60 if LONG else 20)
def test_files_in_any_company_give_the_same_rows(texts, random):
    with tempfile.TemporaryDirectory() as folder:
        files = [
            file(Path(folder), f"{i}.csv", HEAD + text, date(2024, 3, 6 + i % 2))
            for i, text in enumerate(texts)
        ]
        alone = [taken(one) for one in files]
        random.shuffle(files)
        together = taken(files)
    assert is_conserved(together)
    for name in ("landed", "quarantined", "receipts"):
        expected = pl.concat(getattr(result, name) for result in alone)
        keys = ["landing_date", "file", *(["line"] if "line" in expected.columns else [])]
        assert getattr(together, name).sort(keys).equals(expected.sort(keys))


@pytest.mark.parametrize("zone", ["Pacific/Apia", "America/St_Johns", "Asia/Kathmandu"])
def test_odd_zones_are_no_obstacle(tmp_path, zone):
    text = f"event_name,event_ts,user_id\nv,2011-12-30,u\nv,{TS},u\n"
    assert taken(file(tmp_path, "a.csv", text), timezone=zone).landed.height == 2
