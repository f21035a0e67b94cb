"""Files that change their columns: what is new is kept and told, what is missing is hinted at."""

import json
import random
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from homes import command, event, land, make_home, run_home
from landing_mutations import FORMATS, PLAINLY, sound_table, written
from landing_support import TS, file, receipt, refused, rows, taken

from pipelines.landing.files import RawFile
from pipelines.landing.sources import SOURCES
from pipelines.landing.unmapped import MOST_NAMES, new_columns
from schemas.receipts import Receipts

ROWS = 12
# The column of each source that is renamed here: a row cannot do without it.
NEEDED = {
    "events": "event_ts",
    "surveys": "survey",
    "subscriptions": "plan",
    "orders": "amount",
    "social_posts": "post_id",
    "social_accounts": "followers",
    "tickets": "ticket_id",
    "campaign_costs": "cost",
    "exchange_rates": "rate",
    "customers": "customer_id",
}


def landed_as(folder: Path, ending: str, table: dict[str, list[Any]]) -> RawFile:
    return file(folder, f"a.{ending}", written(table, ending, random.Random(PLAINLY)))


@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize("name", SOURCES)
def test_a_new_column_is_kept_and_named_in_the_receipt(
    tmp_path: Path, name: str, ending: str
) -> None:
    source = SOURCES[name]
    table = {**sound_table(source), "shoe size": ["44"] * ROWS, "hat": ["é"] * ROWS}
    result = taken(landed_as(tmp_path, ending, table), source=source)
    assert result.landed.height == ROWS
    assert set(result.landed["extra"]) == {'{"hat":"é","shoe size":"44"}'}
    assert receipt(result, "unmapped_columns") == {"unmapped_columns": '["hat", "shoe size"]'}
    sound = taken(landed_as(tmp_path, ending, sound_table(source)), source=source)
    assert receipt(sound, "unmapped_columns") == {"unmapped_columns": None}


@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize("name", SOURCES)
def test_a_file_without_a_needed_column_is_refused_with_the_nearest_name(
    tmp_path: Path, name: str, ending: str
) -> None:
    source, column = SOURCES[name], NEEDED[name]
    renamed = {
        f"{column}_2" if each == column else each: values
        for each, values in sound_table(source).items()
    }
    result = taken(landed_as(tmp_path, ending, renamed), source=source)
    lacks = "no row has the key" if ending == "ndjson" else "the file has no column"
    assert refused(result) == [
        (
            0,
            None,
            f"{lacks} {column}, which [sources.{name}] does not map either; "
            f"did you mean {column}_2?",
        )
    ]
    assert receipt(result, "status", "raw_rows") == {"status": "refused", "raw_rows": 0}


def test_a_mapped_column_that_was_renamed_is_hinted_at(tmp_path: Path) -> None:
    feed = {"columns": {"event_ts": "happened_at"}}
    text = f"event_name,happend_at,user_id\nv,{TS},u\n"
    said = "happened_at, from which event_ts is mapped; did you mean happend_at?"
    assert refused(taken(file(tmp_path, "a.csv", text), feed)) == [
        (0, None, f"the file has no column {said}")
    ]
    line = f'{{"event_name":"v","happend_at":"{TS}","user_id":"u"}}\n'
    assert refused(taken(file(tmp_path, "a.ndjson", line * 2), feed)) == [
        (0, None, f"no row has the key {said}")
    ]


def test_ndjson_may_lack_a_key_that_a_row_can_do_without(tmp_path: Path) -> None:
    line = f'{{"event_name":"v","event_ts":"{TS}","user_id":"u"}}\n'
    result = taken(file(tmp_path, "a.ndjson", line * 2), {"columns": {"country": "geo.country"}})
    assert rows(result, "country") == [(None,), (None,)]


def test_rows_of_ndjson_are_refused_one_by_one_where_some_have_the_key(tmp_path: Path) -> None:
    body = f'{{"event_name":"v","user_id":"u"}}\n{{"event_ts":"{TS}","user_id":"u"}}\n'
    assert [(line, said) for line, _, said in refused(taken(file(tmp_path, "a.ndjson", body)))] == [
        (1, "event_ts is missing"),
        (2, "event_name is missing"),
    ]


def test_ndjson_of_which_filters_leave_nothing_is_read(tmp_path: Path) -> None:
    feed = {"filters": [{"column": "kind", "in": ["event"]}]}
    result = taken(file(tmp_path, "a.ndjson", '{"kind":"ping"}\n' * 3), feed)
    assert receipt(result, "status", "filtered_rows", "read_rows") == {
        "status": "read",
        "filtered_rows": 3,
        "read_rows": 0,
    }


def test_the_names_of_a_file_do_not_depend_on_its_blocks_or_its_company(tmp_path: Path) -> None:
    lines = [
        json.dumps({"event_name": "v", "event_ts": TS, "user_id": "u", f"k{i % 7}": None})
        for i in range(60)
    ]
    first = file(tmp_path, "a.ndjson", "\n".join(lines))
    other = file(tmp_path, "b.ndjson", lines[0].replace("k0", "z"))
    expected = [json.dumps([f"k{i}" for i in range(7)]), '["z"]']
    for options in ({}, {"block_bytes": 100}):
        result = taken([first, other], **options)
        assert result.receipts.sort("file")["unmapped_columns"].to_list() == expected


@pytest.mark.parametrize("options", [{}, {"block_bytes": 3000}])
def test_keys_that_are_values_are_kept_and_named_up_to_a_hundred(
    tmp_path: Path, options: dict[str, int]
) -> None:
    lines = [
        json.dumps({f"k{i:04}": i, "é": None, "event_name": "v", "event_ts": TS, "user_id": "u"})
        for i in range(2000)
    ]
    result = taken(file(tmp_path, "a.ndjson", "\n".join(lines)), **options)
    assert [extra for (extra,) in rows(result, "extra")] == [
        f'{{"k{i:04}":{i}}}' for i in range(2000)
    ]
    named = json.loads(receipt(result, "unmapped_columns")["unmapped_columns"])
    assert named == [f"k{i:04}" for i in range(MOST_NAMES)]


# What a column becomes when its type changes: the value that lands, or why the row is refused.
CHANGED = [
    ("orders", "amount", 12, Decimal(12)),
    ("orders", "amount", 12.5, Decimal("12.5")),
    ("orders", "amount", "1e2", Decimal(100)),
    ("orders", "amount", True, "amount is not a number below 10^14"),
    ("subscriptions", "quantity", 2.0, 2),
    ("subscriptions", "quantity", "2.0", 2),
    ("subscriptions", "quantity", 2.5, "quantity is not a whole number"),
    ("social_accounts", "followers", 10**25, "followers is not a whole number"),
    ("events", "user_id", 17, "17"),
    ("events", "value", 3, 3.0),
    ("events", "event_ts", 1709640000, "event_ts looks like a count since 1970: say of what"),
    ("events", "event_ts", "2024-03-05T12:00:00", "event_ts has no offset: name its zone"),
    ("customers", "is_staff", 1, True),
    ("customers", "is_staff", 2, "is_staff is not true or false"),
    ("campaign_costs", "cost_day", "2024-03-05T00:00:00Z", "cost_day is not a day such as"),
]


@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize(
    ("name", "column", "value", "expected"), CHANGED, ids=[f"{c[1]} {c[2]}" for c in CHANGED]
)
def test_a_changed_type_is_cast_by_rule_or_refused(
    tmp_path: Path, name: str, column: str, value: Any, expected: Any, ending: str
) -> None:
    table = {**sound_table(SOURCES[name]), column: [value] * ROWS}
    result = taken(landed_as(tmp_path, ending, table), source=SOURCES[name])
    if isinstance(expected, str) and " " in expected:
        assert result.landed.height == 0
        assert {said.startswith(expected) for _, _, said in refused(result)} == {True}
        assert receipt(result, "quarantined_rows") == {"quarantined_rows": ROWS}
    else:
        assert result.landed[column].unique().to_list() == [expected]


@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize(
    ("unit", "count", "lands"),
    [
        ("s", 1709640000, True),
        ("ms", 1709640000000, True),
        ("us", 1709640000000000, True),
        ("s", 1709640000000, False),
        ("ms", 1709640000, False),
        ("us", 1709640000000, False),
        ("ms", 1709640000000000, False),
    ],
)
def test_a_count_of_another_unit_than_the_feed_says_is_refused(
    tmp_path: Path, unit: str, count: int, lands: bool, ending: str
) -> None:
    table = {**sound_table(SOURCES["events"]), "event_ts": [count] * ROWS}
    result = taken(landed_as(tmp_path, ending, table), {"epoch": unit})
    if lands:
        assert set(result.landed["event_ts"]) == {datetime(2024, 3, 5, 12, tzinfo=UTC)}
    assert receipt(result, "landed_rows") == {"landed_rows": ROWS if lands else 0}


def receipts(*files: tuple[int, str, str | None]) -> pl.LazyFrame:
    plain = dict.fromkeys(Receipts.to_schema().columns, 0)
    return pl.LazyFrame(
        [
            {
                **plain,
                "landing_date": date(2025, 1, day),
                "file": name,
                "status": "read",
                "unmapped_columns": columns,
            }
            for day, name, columns in files
        ],
        schema_overrides={"unmapped_columns": pl.String},
    )


def test_new_is_what_no_earlier_landing_date_had_and_the_first_had_neither() -> None:
    found = new_columns(
        receipts(
            (3, "b.csv", '["a", "c"]'),
            (1, "a.csv", '["a"]'),
            (3, "a.csv", '["c"]'),
            (2, "a.csv", None),
            (4, "a.csv", '["a", "b", "c"]'),
        )
    )
    # a was there from the start; c came on the 3rd, with file a first; b on the 4th.
    assert [(new.landing_date.day, new.file, new.columns) for new in found] == [
        (3, "a.csv", ("c",)),
        (4, "a.csv", ("b",)),
    ]


def test_a_file_of_a_hundred_names_is_no_news() -> None:
    many = json.dumps([f"k{i:03}" for i in range(MOST_NAMES)])
    assert new_columns(receipts((1, "a", None), (2, "a", many))) == []


def test_a_new_column_is_a_notice_of_its_run_and_stays_in_status(folder: Path) -> None:
    day = "2025-01-0{}T10:00:00"
    home = make_home(
        folder / "home",
        files={
            "2025-01-02": [event("a", day.format(1), old=1)],
            "2025-01-03": [event("b", day.format(3), old=1, platfrom="web", shoe=44)],
        },
    )
    notices = run_home(home, select=["events"]).landed[0].notices
    place = home / "landing/events/2025-01-03/events.ndjson"
    assert notices == [
        f"{place} has columns that no earlier landing date had and no mapping uses: "
        "platfrom (did you mean platform?), shoe; they are kept in extra"
    ]
    assert run_home(home, select=["events"]).landed[0].notices == []
    land(home, "2025-01-04", [event("c", day.format(4), shoe=45)])
    assert run_home(home, select=["events"]).landed[0].notices == []
    said = "no mapping uses, since 2025-01-03 (events.ndjson): platfrom (did you mean platform?)"
    assert said in command(home, "status").out
