import json
from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from landing_support import LANDED, file, receipt, refused, rows, taken

from pipelines.landing.files import RawFile

AT = datetime(2024, 3, 5, 12, tzinfo=UTC)


def parquet(folder, frame, name="a.parquet"):
    path = folder / name
    frame.write_parquet(path)
    return RawFile(LANDED, name, path)


def test_types_that_fit_are_taken_as_they_are(tmp_path):
    frame = pl.DataFrame(
        {"event_name": ["a"], "event_ts": [AT], "user_id": ["u"], "value": [1.5], "is_bot": [True]}
    )
    result = taken(parquet(tmp_path, frame))
    assert rows(result, "event_ts", "value", "is_bot", "line") == [(AT, 1.5, True, 1)]


def test_other_types_are_cast_by_the_rules_of_text(tmp_path):
    frame = pl.DataFrame(
        {
            "event_name": pl.Series(["a"], dtype=pl.Categorical),
            "event_ts": [date(2024, 3, 5)],
            "user_id": [1234.0],
            "anonymous_id": [b"bytes"],
            "session_id": [7],
            "value": [Decimal("1.25")],
            "is_bot": [1],
            "properties": [{"a": [1, None]}],
        }
    )
    result = taken(parquet(tmp_path, frame), timezone="Europe/Berlin")
    noon = datetime(2024, 3, 5, 11, tzinfo=UTC)
    got = rows(result, "event_name", "event_ts", "user_id", "session_id", "value", "is_bot")
    assert got == [("a", noon, "1234", "7", 1.25, True)]
    assert rows(result, "properties") == [('{"a":[1,null]}',)]


def test_naive_timestamps_need_a_zone(tmp_path):
    frame = pl.DataFrame(
        {"event_name": ["a"], "event_ts": [datetime(2024, 3, 5, 12)], "user_id": ["u"]}
    )
    landed = parquet(tmp_path, frame)
    assert refused(taken(landed))[0][2].startswith("event_ts has no offset: name its zone")
    zoned = taken(landed, {"zone": "America/New_York"})
    assert rows(zoned, "event_ts") == [(datetime(2024, 3, 5, 17, tzinfo=UTC),)]


@pytest.mark.parametrize("packed", [False, True])
def test_what_means_null_does_so_in_dictionaries_too(tmp_path, packed):
    said = pa.array(['{"a":1}', "NULL", "", None, "[]"])
    table = pa.table(
        {"event_name": ["v"] * 5, "event_ts": [AT] * 5, "user_id": ["u"] * 5}
        | dict.fromkeys(["properties", "more"], said.dictionary_encode() if packed else said)
    )
    pq.write_table(table, tmp_path / "a.parquet")
    landed = RawFile(LANDED, "a.parquet", tmp_path / "a.parquet")
    assert rows(taken(landed, {"null_values": ["", "NULL"]}), "properties", "extra") == [
        ('{"a":1}', r'{"more":"{\"a\":1}"}'),
        (None, None),
        (None, None),
        (None, None),
        ("[]", '{"more":"[]"}'),
    ]


def test_a_refused_row_keeps_its_values_as_json(tmp_path):
    frame = pl.DataFrame({"event_name": ["a", None], "event_ts": [AT, AT], "user_id": ["u", "v"]})
    ((line, raw, reasons),) = refused(taken(parquet(tmp_path, frame)))
    assert (line, reasons) == (2, "event_name is missing")
    assert json.loads(raw) == {"event_name": None, "event_ts": AT.isoformat(), "user_id": "v"}


def test_unused_columns_go_to_extra_with_their_types(tmp_path):
    frame = pl.DataFrame(
        {
            "event_name": ["a"],
            "event_ts": [AT],
            "user_id": ["u"],
            "n": [5],
            "f": [0.1],
            "t": ["x"],
            "l": [[1, 2]],
            "none": [None],
        }
    )
    result = taken(parquet(tmp_path, frame))
    assert rows(result, "extra") == [('{"f":0.1,"l":[1,2],"n":5,"t":"x"}',)]


def test_paths_lead_into_structs_and_lists(tmp_path):
    frame = pl.DataFrame(
        {"event_name": ["a"], "event_ts": [AT], "who": [{"ids": ["x", "y"], "name": "n"}]}
    )
    feed = {"columns": {"user_id": "who.ids.1", "platform": "who.name", "country": "who.no"}}
    assert rows(taken(parquet(tmp_path, frame), feed), "user_id", "platform", "country") == [
        ("y", "n", None)
    ]


def test_batches_of_any_size_give_the_same_rows(tmp_path):
    frame = pl.DataFrame(
        {"event_name": ["a"] * 5000, "event_ts": [AT] * 5000, "user_id": ["u", None] * 2500}
    )
    landed = parquet(tmp_path, frame)
    whole, blocks = taken(landed), taken(landed, block_bytes=1)
    assert blocks.landed.sort("line").equals(whole.landed.sort("line"))
    assert blocks.receipts.equals(whole.receipts)
    assert receipt(whole, "landed_rows", "quarantined_rows") == {
        "landed_rows": 2500,
        "quarantined_rows": 2500,
    }


def test_a_broken_file_is_refused_and_the_others_go_on(tmp_path):
    frame = pl.DataFrame({"event_name": ["a"], "event_ts": [AT], "user_id": ["u"]})
    good = parquet(tmp_path, frame)
    broken = [
        file(tmp_path, "empty.parquet", b""),
        file(tmp_path, "text.parquet", b"event_name\n" * 10),
        file(tmp_path, "cut.parquet", good.path.read_bytes()[:-40]),
    ]
    result = taken([*broken, good])
    assert [line for line, _, _ in refused(result)] == [0, 0, 0]
    assert all("is no sound Parquet" in reason for _, _, reason in refused(result))
    assert rows(result, "file") == [("a.parquet",)]


def test_compressed_parquet_is_unpacked(tmp_path):
    frame = pl.DataFrame({"event_name": ["a"], "event_ts": [AT], "user_id": ["u"]})
    data = parquet(tmp_path, frame).path.read_bytes()
    assert taken(file(tmp_path, "b.parquet.zst", data)).landed.height == 1
