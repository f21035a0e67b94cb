"""Presets of tools that record events: records after each vendor's format, every canonical column.

Every file of records has a row twice, rows that lack what they may, odd types, and one that is no
action of a person and is left out. ``refused`` files have what a row cannot do without missing.
"""

import io
import json

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from preset_rows import RECORDS, canonical, reasons, records, take, take_text

NOBODY = "nobody is named: user_id and anonymous_id are both missing"
NO_TIME = "event_ts is not an ISO 8601 timestamp such as 2024-03-05T12:34:56+01:00"
NO_OBJECT = "the line is no JSON object, or is nested too deeply"
NOON = "2025-03-31 12:00:00"  # of the landing date, where a row does not say when it was received

CAMPAIGN = {
    "utm_source": "news",
    "utm_medium": "email",
    "utm_campaign": "c",
    "utm_term": "t",
    "utm_content": "x",
}


def test_segment():
    visit = {
        "event_id": "ajs-next-1",
        "event_name": "page_view",
        "event_ts": "2025-03-31 08:00:00.123000",
        "anonymous_id": "anon-1",
        "received_ts": "2025-03-31 08:00:01",
        "platform": "web",
        "device": "desktop",
        "page_url": "https://shop.example/pricing?utm_source=news",
        "page_title": "Pricing",
        "referrer": "https://www.google.com/",
        **CAMPAIGN,
        "utm_campaign": "spring",
        "utm_term": "shoes",
        "utm_content": "a",
        "user_agent": "Mozilla/5.0",
    }
    # The call's own properties come before its context: an empty referrer there is none.
    page = visit | {"page_url": "https://shop.example/pricing"}
    del page["referrer"]
    purchase = {
        "event_id": "ajs-next-2",
        "event_name": "purchase",
        "user_id": "u-7",
        "event_ts": "2025-03-31 08:15:00",  # 10:15 at +02:00
        "value": 19.9,
        "currency": "EUR",
    }
    screen = {
        "event_id": "ajs-next-4",
        "event_name": "page_view",
        "event_ts": "2025-03-31 08:00:00",  # originalTimestamp, where timestamp is missing
        "user_id": "42",
        "received_ts": NOON,
        "platform": "ios",
        "country": "DE",
        "app_version": "3.1.0",
        "page_title": "Home",
        "feature": "board",
    }
    result = take("segment", "calls.ndjson")
    assert canonical(result, "segment") == [
        page,
        page,
        visit | purchase,
        visit | {"event_id": "ajs-next-3", "event_name": "identify", "user_id": "u-7"},
        screen,
    ]
    assert result.receipts["filtered_rows"].to_list() == [1]
    assert reasons(take("segment", "refused.ndjson")) == [
        "event_name is missing",
        "event_ts has no offset: name its zone in the settings of its feed "
        '(zone = "Europe/Berlin")',
        "value is not a number",
        NOBODY,
        NO_OBJECT,
    ]


def test_rudderstack():
    visit = {
        "event_id": "rs-1",
        "event_name": "page_view",
        "event_ts": "2025-03-31 09:00:00",
        "anonymous_id": "anon-2",
        "received_ts": "2025-03-31 09:00:02",
        "session_id": "anon-2.1743408000000",
        "platform": "web",
        "page_url": "https://shop.example/a",
        "page_title": "A",
        "referrer": "https://duck.example/",
        "utm_source": "news",
        "user_agent": "Mozilla/5.0",
    }
    search = visit | {"event_id": "rs-2", "event_name": "search", "user_id": "u-8", "value": 3.0}
    screen = {
        "event_id": "rs-3",
        "event_name": "page_view",
        "event_ts": "2025-03-31 09:00:00",
        "user_id": "43",
        "anonymous_id": "anon-2",
        "received_ts": NOON,
        "session_id": "anon-2.7",
        "platform": "ios",
        "country": "FR",
        "device": "tablet",
        "app_version": "2",
        "page_title": "Main",
    }
    result = take("rudderstack", "calls.ndjson")
    assert canonical(result, "rudderstack") == [
        visit,
        search,
        search,
        screen,
        visit | {"event_id": "rs-4", "event_name": "identify", "user_id": "u-8"},
    ]
    assert result.receipts["filtered_rows"].to_list() == [1]
    assert reasons(take("rudderstack", "refused.ndjson")) == [
        "event_name is missing",
        NOBODY,
        NO_TIME,
    ]


GA4_VISIT = {
    "event_name": "page_view",
    "event_ts": "2025-03-31 08:00:00.123456",
    "anonymous_id": "1234.5678",
    "received_ts": NOON,
    "session_id": "1234.5678.1743408000",
    "platform": "web",
    "country": "Germany",
    "device": "desktop",
}
GA4_PAGE = {"page_url": 'https://shop.example/a?b="c"'}
GA4_ROWS = [
    GA4_VISIT
    | GA4_PAGE
    | {
        "page_title": "A",
        "referrer": "https://duck.example/",
        **CAMPAIGN,
        "utm_campaign": "spring",
        "utm_content": "c",
        "engaged_seconds": 1.5,
    },
    # 90 % x 0.01 and 12 ms x 0.001.
    GA4_VISIT
    | GA4_PAGE
    | {
        "event_name": "scroll",
        "event_ts": "2025-03-31 08:00:10",
        "scroll_depth": 0.9,
        "engaged_seconds": 0.012,
    },
    GA4_VISIT
    | {
        "event_name": "purchase",
        "event_ts": "2025-03-31 08:00:20",
        "user_id": "u-9",
        "utm_source": "ads",
        "utm_medium": "cpc",
        "utm_campaign": "s",
        "value": 19.9,
        "currency": "EUR",
    },
    {
        "event_name": "page_view",
        "event_ts": "2025-03-31 08:00:30",
        "anonymous_id": "1234.5678",
        "received_ts": NOON,
        "session_id": "1234.5678.5",
        "platform": "android",
        "device": "mobile",
        "app_version": "2.0",
        "page_url": "Main",
        "value": 3.0,
    },
    {
        "event_name": "signup",
        "event_ts": "2025-03-31 08:00:40",
        "anonymous_id": "1234.5678",
        "received_ts": NOON,
        "platform": "web",
        "country": "Germany",
    },
]


def without_ids(rows):
    """GA4 has no ids: they are made of the content."""
    ids = [row.pop("event_id") for row in rows]
    assert len(set(ids)) == len(ids)
    return rows


def test_ga4():
    result = take("ga4", "events_20250331.json")
    assert without_ids(canonical(result, "ga4")) == GA4_ROWS
    assert result.receipts["filtered_rows"].to_list() == [1]
    bad_time, no_list, no_name = reasons(take("ga4", "refused.json"))
    assert bad_time == "event_ts is not a count of us since 1970"
    assert "session_id is sought in what is no list" in no_list.split("; ")
    assert no_name == "event_name is missing"


def test_ga4_gives_a_row_that_is_extracted_twice_the_same_id(tmp_path):
    first = records("ga4", "events_20250331.json").splitlines(keepends=True)[0]
    one = take_text(tmp_path, "ga4", "a.json", first)
    again = take_text(tmp_path, "ga4", "b.json", first)
    assert canonical(one, "ga4") == canonical(again, "ga4")


def ga4_parquet(spelled_out):
    """The records as Parquet, with lists as such or, as BigQuery may write them, spelled out."""
    rows = [json.loads(line) for line in records("ga4", "events_20250331.json").splitlines()]
    value = pa.struct(
        {
            "string_value": pa.string(),
            "int_value": pa.int64(),
            "float_value": pa.float64(),
            "double_value": pa.float64(),
        }
    )
    element = pa.struct({"key": pa.string(), "value": value})
    listed = (
        pa.struct({"list": pa.list_(pa.struct({"element": element}))})
        if spelled_out
        else pa.list_(element)
    )
    for row in rows:
        row["event_timestamp"] = int(row["event_timestamp"])
        for each in row["event_params"]:
            whole = each["value"].get("int_value")
            each["value"]["int_value"] = None if whole is None else int(whole)
        if spelled_out:
            row["event_params"] = {"list": [{"element": each} for each in row["event_params"]]}
        for name in ("items", "is_active_user", "traffic_source", "stream_id", "event_date"):
            row.pop(name, None)
    texts = {name: pa.string() for name in ("event_name", "user_id", "user_pseudo_id", "platform")}
    structs = {
        "device": pa.struct({"category": pa.string()}),
        "geo": pa.struct({"country": pa.string()}),
        "app_info": pa.struct({"version": pa.string()}),
        "ecommerce": pa.struct({"purchase_revenue": pa.float64()}),
        "collected_traffic_source": pa.struct(
            dict.fromkeys(
                (
                    f"manual_{part}"
                    for part in ("source", "medium", "campaign_name", "term", "content")
                ),
                pa.string(),
            )
        ),
    }
    schema = pa.schema({**texts, "event_timestamp": pa.int64(), "event_params": listed, **structs})
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), file)
    return file.getvalue()


@pytest.mark.parametrize("spelled_out", [False, True])
def test_ga4_as_parquet_brings_the_same(tmp_path, spelled_out):
    result = take_text(tmp_path, "ga4", "events.parquet", ga4_parquet(spelled_out))
    assert reasons(result) == []
    assert without_ids(canonical(result, "ga4")) == GA4_ROWS


def test_posthog():
    visit = {
        "event_id": "0195e-1",
        "event_name": "page_view",
        "event_ts": "2025-03-31 07:00:00.500000",
        "anonymous_id": "dev-1",
        "received_ts": "2025-03-31 07:00:02",
        "session_id": "s-1",
        "platform": "web",
        "country": "AT",
        "device": "Desktop",
        "page_url": "https://app.example/home",
        "user_agent": "Mozilla/5.0",
    }
    click = {"event_id": "0195e-2", "event_name": "click", "referrer": "https://duck.example/"}
    leave = {
        "event_id": "0195e-4",
        "event_name": "page_leave",
        "event_ts": "2025-03-31 07:05:00.250000",
        "user_id": "u-1",
        "scroll_depth": 0.5,
    }
    server = {
        "event_id": "0195e-5",
        "event_name": "export used",
        "event_ts": "2025-03-31 07:00:00.500000",
        "anonymous_id": "77",
        "received_ts": "2025-03-31 07:10:00",
        "platform": "posthog-python",
        "feature": "export",
        "value": 5.0,
        "currency": "USD",
    }
    screen = {
        "event_id": "0195e-6",
        "event_name": "page_view",
        "event_ts": "2025-03-31 07:00:00.500000",
        "anonymous_id": "dev-1",
        "received_ts": NOON,
        "platform": "ios",
        "app_version": "1.4",
        "page_url": "Main",
    }
    result = take("posthog", "events.jsonl")
    assert canonical(result, "posthog") == [
        visit | CAMPAIGN | {"page_title": "Home"},
        visit | click,
        visit | {"event_id": "0195e-3", "event_name": "identify", "user_id": "u-1"},
        visit | leave,
        server,
        server,
        screen,
    ]
    assert result.receipts["filtered_rows"].to_list() == [1]
    assert reasons(take("posthog", "refused.jsonl")) == [
        NOBODY,
        "event_name is missing",
        "scroll_depth is above 1.0",
    ]


def test_posthog_as_parquet_has_its_properties_as_text(tmp_path):
    rows = [json.loads(line) for line in records("posthog", "events.jsonl").splitlines()]
    kept = ("uuid", "event", "distinct_id", "timestamp", "created_at", "inserted_at")
    texts = {name: [row.get(name) and str(row[name]) for row in rows] for name in kept}
    texts["properties"] = [json.dumps(row["properties"]) for row in rows]
    whole = io.BytesIO()
    pl.DataFrame(texts).write_parquet(whole)
    result = take_text(tmp_path, "posthog", "events.parquet", whole.getvalue())
    assert canonical(result, "posthog") == canonical(take("posthog", "events.jsonl"), "posthog")


def test_mixpanel():
    visit = {
        "event_id": "mp1",
        "event_name": "page_view",
        "event_ts": "2025-03-31 08:00:00",
        "anonymous_id": "d-1",
        "received_ts": "2025-03-31 08:00:05.123000",
        "platform": "web",
        "country": "DE",
        "page_url": "https://app.example/a",
        "page_title": "A",
        **CAMPAIGN,
    }
    signup = {
        "event_id": "mp2",
        "event_name": "signup",
        "event_ts": "2025-03-31 08:00:01.500000",
        "user_id": "u-2",
        "anonymous_id": "d-1",
        "received_ts": "2025-03-31 08:00:05.123000",
        "session_id": "s1",
        "platform": "web",
        "referrer": "https://duck.example/",
    }
    bought = {
        "event_id": "mp3",
        "event_name": "Plan Bought",
        "event_ts": "2025-03-31 08:00:02",
        "anonymous_id": "88",
        "received_ts": NOON,
        "platform": "ios",
        "device": "iPhone",
        "app_version": "9.1",
        "feature": "billing",
        "value": 12.5,
        "currency": "EUR",
    }
    result = take("mixpanel", "export.ndjson")
    assert canonical(result, "mixpanel") == [visit, visit, signup, bought]
    assert result.receipts["filtered_rows"].to_list() == [1]
    assert reasons(take("mixpanel", "refused.ndjson")) == [
        "event_ts is missing",
        "event_ts is not a count of s since 1970",  # it is one of milliseconds
        NOBODY,
        f"event_name is missing; event_ts is missing; {NOBODY}",
    ]


def test_amplitude():
    visit = {
        "event_id": "amp-1",  # not the counter that the file calls event_id
        "event_name": "page_view",
        "event_ts": "2025-03-31 06:00:00.123000",
        "anonymous_id": "dv-1",
        "received_ts": "2025-03-31 06:00:01",
        "session_id": "dv-1.1743400000000",
        "platform": "web",
        "country": "Germany",
        "device": "Apple Mac",
    }
    page = {"page_url": "https://app.example/a?x=1", "page_title": "A", **CAMPAIGN}
    del page["utm_medium"]  # EMPTY
    purchase = {
        "event_id": "amp-2",
        "event_name": "purchase",
        "user_id": "u-3",
        "app_version": "4.2",
        "referrer": "https://duck.example/",
        "feature": "shop",
        "value": 9.5,
        "currency": "EUR",
    }
    click = {
        "event_id": "amp-3",
        "event_name": "click",
        "event_ts": "2025-03-31 06:00:02",
        "anonymous_id": "dv-1",
        "received_ts": "2025-03-31 06:00:01.500000",  # of the upload
        "platform": "ios",
        "country": "Germany",
        "device": "Mac",
    }
    server = {
        "event_id": "amp-4",
        "event_name": "Songs Played",
        "event_ts": "2025-03-31 06:00:00.123000",
        "user_id": "99",
        "received_ts": NOON,
    }
    result = take("amplitude", "export.json")
    assert canonical(result, "amplitude") == [
        visit | page,
        visit | page,
        visit | purchase,
        click,
        server,
    ]
    assert reasons(take("amplitude", "refused.json")) == ["event_name is missing", NOBODY, NO_TIME]


def test_snowplow():
    visit = {
        "event_id": "6f0c-1",
        "event_name": "page_view",
        "event_ts": "2025-03-31 05:00:01",
        "anonymous_id": "dom-1",
        "received_ts": "2025-03-31 05:00:01.250000",
        "session_id": "ses-1",
        "platform": "web",
        "country": "DE",
        "device": "Computer",
        "page_url": "https://shop.example/",
        "page_title": '"Quoted" title',
        "user_agent": "Mozilla/5.0",
    }
    page = visit | CAMPAIGN | {"referrer": "https://duck.example/"}
    basket = {"event_id": "6f0c-2", "event_name": "add_to_basket", "user_id": "u-4", "value": 3.5}
    screen = {
        "event_id": "6f0c-4",
        "event_name": "page_view",
        "event_ts": "2025-03-31 05:00:01.250000",  # the collector's, where none is derived
        "anonymous_id": "mob-1",
        "received_ts": "2025-03-31 05:00:01.250000",
        "session_id": "ms-1",
        "platform": "mobile",
        "device": "Mobile",
        "app_version": "7.0",
        "user_agent": "Mozilla/5.0",
    }
    sale = {"event_id": "6f0c-5", "event_name": "purchase", "value": 20.5, "currency": "EUR"}
    result = take("snowplow", "enriched.tsv")
    assert canonical(result, "snowplow") == [
        page,
        page,
        visit | basket,
        visit | {"event_id": "6f0c-3", "event_name": "click", "is_bot": True},
        screen,
        visit | sale,
        # Contexts that are no JSON cost what lies in them, not the row.
        visit | {"event_id": "6f0c-9", "anonymous_id": "net-1"},
    ]
    assert result.receipts["filtered_rows"].to_list() == [1]
    assert reasons(take("snowplow", "refused.tsv")) == [
        "has 130 fields, the header 131",
        NOBODY,
        NO_TIME,
    ]


@pytest.mark.parametrize(
    ("preset", "name", "key"),
    [
        ("segment", "calls.ndjson", "properties"),
        ("rudderstack", "calls.ndjson", "properties"),
        ("ga4", "events_20250331.json", "event_params"),
        ("posthog", "events.jsonl", "properties"),
        ("mixpanel", "export.ndjson", "properties"),
        ("amplitude", "export.json", "event_properties"),
    ],
)
def test_properties_are_the_vendors_own(preset, name, key):
    lines = (RECORDS / preset / name).read_text(encoding="utf-8").splitlines()
    landed = take(preset, name).landed.sort("line")
    for line, properties in landed.select("line", "properties").rows():
        own = json.loads(lines[line - 1]).get(key)
        assert (properties and json.loads(properties)) == own
