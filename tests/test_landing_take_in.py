import hashlib
import json
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from landing_support import LANDED, TS, file, is_conserved, receipt, refused, rows, taken

from pipelines.landing.sources import ORDERS
from pipelines.landing.take_in import UNREADABLE
from schemas.base import dtypes
from schemas.landed_events import LandedEvents
from schemas.quarantine import Quarantine
from schemas.receipts import Receipts

HEAD = "event_name,event_ts,user_id\n"


def test_the_frames_are_as_the_models_have_them_even_without_files(tmp_path):
    some = taken(file(tmp_path, "a.csv", f"{HEAD}view,{TS},u\n,{TS},u\n"))
    for result in (taken([]), some):
        LandedEvents.validate(result.landed)
        Quarantine.validate(result.quarantined)
        Receipts.validate(result.receipts)
        assert dict(result.landed.schema) == dtypes(LandedEvents)


@pytest.mark.parametrize(
    ("column", "text", "said"),
    [
        ("event_name", " ", "event_name is missing"),
        ("event_ts", "", "event_ts is missing"),
        ("user_id", "  ", "nobody is named: user_id and anonymous_id are both missing"),
        (
            "event_ts",
            "2024-03-08T00:00:00Z",
            "event_ts lies more than a day after the landing date",
        ),
        (
            "event_ts",
            "1970-01-20T18:54:00Z",
            "event_ts lies before 2000-01-01, the setting earliest_event_date",
        ),
        ("value", "many", "value is not a number"),
        ("value", "inf", "value is not a finite number"),
        ("scroll_depth", "1.5", "scroll_depth is above 1.0"),
        ("scroll_depth", "-0.5", "scroll_depth is below 0.0"),
        ("engaged_seconds", "-1", "engaged_seconds is below 0.0"),
        ("is_bot", "maybe", "is_bot is not true or false"),
        ("properties", "{", "properties is not JSON"),
    ],
)
def test_each_reason(tmp_path, column, text, said):
    values = {"event_name": "view", "event_ts": TS, "user_id": "u"} | {column: text}
    content = ",".join(values) + "\n" + ",".join(values.values()) + "\n"
    assert refused(taken(file(tmp_path, "a.csv", content)))[0][2] == said


def test_all_reasons_of_a_row_are_told_and_an_unreadable_value_is_not_missing_too(tmp_path):
    text = "event_name,event_ts,user_id,value,scroll_depth\n,x,,many,2\n"
    assert refused(taken(file(tmp_path, "a.csv", text))) == [
        (
            2,
            ",x,,many,2",
            "event_ts is not an ISO 8601 timestamp such as 2024-03-05T12:34:56+01:00; "
            "value is not a number; event_name is missing; scroll_depth is above 1.0; "
            "nobody is named: user_id and anonymous_id are both missing",
        )
    ]


@pytest.mark.parametrize("text", ["true", "T", "1", "Yes", " y "])
def test_true_in_its_spellings(tmp_path, text):
    result = taken(
        file(tmp_path, "a.csv", f"event_name,event_ts,user_id,is_bot\nv,{TS},u,{text}\n")
    )
    assert rows(result, "is_bot") == [(True,)]


def test_the_event_date_is_a_day_of_the_reporting_zone(tmp_path):
    landed = file(tmp_path, "a.csv", f"{HEAD}v,2024-03-05T23:30:00Z,u\n")
    assert rows(taken(landed), "event_date") == [(date(2024, 3, 5),)]
    assert rows(taken(landed, timezone="Europe/Berlin"), "event_date") == [(date(2024, 3, 6),)]


def test_without_received_ts_an_event_was_received_at_noon_of_its_landing_date(tmp_path):
    result = taken(file(tmp_path, "a.csv", f"{HEAD}v,{TS},u\n"), timezone="Asia/Tokyo")
    assert rows(result, "received_ts", "landing_date") == [
        (datetime(2024, 3, 6, 3, tzinfo=UTC), LANDED)
    ]


def test_tomorrow_is_taken_and_counted_as_future_the_day_after_is_refused(tmp_path):
    text = f"{HEAD}a,2024-03-06T23:59:59Z,u\nb,2024-03-07T23:59:59Z,u\nc,2024-03-08T00:00:00Z,u\n"
    result = taken(file(tmp_path, "a.csv", text))
    assert rows(result, "event_name") == [("a",), ("b",)]
    # b and c happened after the landing date.
    assert receipt(result, "future_rows", "quarantined_rows") == {
        "future_rows": 2,
        "quarantined_rows": 1,
    }


def test_lateness_is_counted_in_whole_days_from_event_to_receipt(tmp_path):
    head = "event_name,event_ts,user_id,received_ts\n"
    waits = [0, 23, 24, 7 * 24 - 1, 7 * 24, 30 * 24]
    start = datetime(2024, 1, 1, tzinfo=UTC)
    ends = [start + timedelta(hours=hours) for hours in waits]
    body = "".join(f"v,{start.isoformat()},u,{end.isoformat()}\n" for end in ends)
    result = taken(file(tmp_path, "a.csv", head + body))
    assert receipt(result, "late_1d_rows", "late_7d_rows", "late_30d_rows") == {
        "late_1d_rows": 4,
        "late_7d_rows": 2,
        "late_30d_rows": 1,
    }


def test_ids_from_content_are_the_same_wherever_a_row_lands(tmp_path):
    first = taken(file(tmp_path, "a.csv", f"{HEAD}v,{TS},u\n"))
    moved = taken(
        file(
            tmp_path,
            "b.ndjson",
            '\n{"user_id":"u","event_ts":"2024-03-05T13:00:00+01:00","event_name":"v"}\n',
            date(2024, 3, 9),
        )
    )
    ((one,),), ((other,),) = rows(first, "event_id"), rows(moved, "event_id")
    assert one == other
    # Written down, so that no later version makes other ids of old rows.
    said = "event_name:1:v;event_ts:16:1709640000000000;user_id:1:u"
    assert one == hashlib.blake2b(said.encode(), digest_size=16).hexdigest()


def test_ids_differ_where_anything_of_the_content_does(tmp_path):
    head = "event_name,event_ts,user_id,anonymous_id,value,is_bot,received_ts,x\n"
    base = ["v", TS, "u", "", "1.5", "true", TS, "1"]
    variants = [base]
    for i, other in enumerate(
        ["w", "2024-03-05T12:00:01Z", "x", "u", "2", "false", "2024-03-06", "2"]
    ):
        variants.append([*base[:i], other, *base[i + 1 :]])
    result = taken(file(tmp_path, "a.csv", head + "".join(",".join(v) + "\n" for v in variants)))
    assert result.landed["event_id"].n_unique() == len(variants) == 9


def test_equal_rows_of_a_file_are_two_events_unless_the_feed_drops_them(tmp_path):
    row = f"v,{TS},u\n"
    text = HEAD + row + f"w,{TS},u\n" + row + row
    kept = taken(file(tmp_path, "a.csv", text))
    (one, _, two, three) = [found for (found,) in rows(kept, "event_id")]
    assert (two, three) == (f"{one}-2", f"{one}-3")
    again = taken([file(tmp_path, "b.csv", text), file(tmp_path, "c.csv", text)], block_bytes=40)
    assert [i for (i,) in rows(again, "event_id")] == [i for (i,) in rows(kept, "event_id")] * 2
    dropped = taken(file(tmp_path, "a.csv", text), {"identical_rows": "drop"})
    assert [i for (i,) in rows(dropped, "event_id")].count(one) == 3


def test_blank_ids_are_made_and_own_ids_are_kept(tmp_path):
    text = f"event_id,event_name,event_ts,user_id\nmine,v,{TS},u\nmine,v,{TS},u\n  ,v,{TS},u\n"
    ids = [found for (found,) in rows(taken(file(tmp_path, "a.csv", text)), "event_id")]
    assert ids[:2] == ["mine", "mine"]
    assert len(ids[2]) == 32


def test_digests_are_those_of_the_bytes_on_disk_also_of_refused_files(tmp_path):
    files = [
        file(tmp_path, "a.csv.gz", f"{HEAD}v,{TS},u\n"),
        file(tmp_path, "b.dat", b"x" * 3_000_000),
        file(tmp_path, "c.parquet", b"broken"),
    ]
    result = taken(files)
    assert result.digests == {f: hashlib.sha256(f.path.read_bytes()).hexdigest() for f in files}


def test_a_file_that_cannot_be_opened_is_refused(tmp_path):
    gone = file(tmp_path, "a.csv", "")
    gone.path.unlink()
    result = taken(gone)
    assert refused(result) == [(0, None, "the file cannot be read: No such file or directory")]
    assert result.digests == {gone: UNREADABLE}


def test_an_unknown_ending_is_refused_and_a_feed_may_set_the_format(tmp_path):
    landed = file(tmp_path, "a.log", f"{HEAD}v,{TS},u\n")
    assert "the name ends in none of .csv, .tsv" in refused(taken(landed))[0][2]
    assert taken(landed, {"format": "csv"}).landed.height == 1


def test_files_give_the_same_rows_together_as_one_by_one(tmp_path):
    contents = [
        f'{HEAD}a,{TS},u\n"b\n,{TS},v\nc,{TS},"w\nx"\n',
        f"{HEAD}a,{TS}\n",
        f"user_id,event_ts,event_name\nu,{TS},z\n",
        f'{HEAD}d,{TS},u\n"e,{TS},u',
        HEAD,
        "",
    ]
    files = [
        file(tmp_path, f"{i}.csv", text, date(2024, 3, 6 + i % 2))
        for i, text in enumerate(contents)
    ]
    files.append(file(tmp_path, "n.ndjson", '{"event_name":"q"}\nno\n'))
    together = taken(files)
    alone = [taken(one) for one in files]
    for name in ("landed", "quarantined", "receipts"):
        one_by_one = pl.concat(getattr(result, name) for result in alone)
        keys = [c for c in ("landing_date", "file", "line") if c in one_by_one.columns]
        assert getattr(together, name).sort(keys).equals(one_by_one.sort(keys))
    assert is_conserved(together)


def test_thousands_of_small_files_cost_little_each(tmp_path):
    files = [file(tmp_path, f"{i}.csv", f"{HEAD}v,{TS},u{i}\n") for i in range(2000)]
    result = taken(files)
    assert result.landed.height == 2000
    assert result.landed.sort("file")["line"].unique().to_list() == [2]


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        ({}, False),
        ({"event_id": "f"}, False),
        ({"received_ts": "2024-03-05T13:00:00Z"}, False),
        ({"sent": "again"}, False),
        ({"user_id": "U"}, True),
        ({"value": 2}, True),
        ({"value": None, "engaged_seconds": 1}, True),
        ({"page_url": "a", "page_title": None}, True),
        ({"page_url": None, "page_title": "a"}, True),
        ({"properties": {"a": 1}}, True),
        ({"event_ts": "2024-03-05T12:00:00.000001Z"}, True),
    ],
)
def test_what_a_row_says_tells_it_from_its_twins(tmp_path, change, differs):
    row = {"event_id": "e", "event_name": "view", "event_ts": TS, "user_id": "u", "value": 1}
    text = ",".join(row) + "\n" + ",".join(map(str, row.values())) + "\n"
    lines = json.dumps(row | change) + "\n"
    result = taken([file(tmp_path, "a.csv", text), file(tmp_path, "b.ndjson", lines)])
    one, other = result.landed.sort("file")["content_hash"]
    assert (one != other) is differs


def test_orders_have_what_they_say_too(tmp_path):
    head = "order_id,customer_id,ordered_ts,amount,currency\n"
    text = f"{head}a,c,{TS},5,EUR\na,c,{TS},5.00,eur\na,c,{TS},5.01,EUR\n"
    one, same, other = taken(file(tmp_path, "a.csv", text), source=ORDERS).landed["content_hash"]
    assert one == same
    assert one != other
