"""What the mapping language has for vendors' exports: lists, pages, alternatives, bare TSV."""

import json
from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from landing_support import TS, file, is_conserved, receipt, refused, rows, taken
from pydantic import ValidationError

from pipelines.landing.feeds import Feed, mapping_fingerprint
from pipelines.landing.mapping import Expression

BASE = {
    "event_name": {"constant": "view"},
    "event_ts": {"constant": TS},
    "user_id": {"constant": "u"},
}
PARAMS = {"find": "params", "where": {"key": "page"}, "take": "value.text"}


def landed(tmp_path, lines, columns, name="a.ndjson", **feed):
    body = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
    return taken(file(tmp_path, name, body), {"columns": BASE | columns} | feed)


def values(tmp_path, lines, expression, column="page_url", **feed):
    result = landed(tmp_path, lines, {column: expression}, **feed)
    assert refused(result) == []
    return [row[0] for row in rows(result, column)]


def reasons(tmp_path, lines, expression, column="page_url", **feed):
    return [said for _, _, said in refused(landed(tmp_path, lines, {column: expression}, **feed))]


def test_the_first_element_that_says_what_is_sought_is_found(tmp_path):
    one = {"key": "page", "value": {"text": "/a"}}
    lines = [
        {"params": [{"key": "os"}, one, {"key": "page", "value": {"text": "/b"}}]},
        {"params": [{"key": "os"}]},
        {"params": []},
        {"x": 1},
        {"params": ["page", 7, None, one]},
    ]
    assert values(tmp_path, lines, PARAMS) == ["/a", None, None, None, "/a"]


def test_what_is_sought_is_compared_as_text_and_all_of_it_must_be_there(tmp_path):
    found = {"find": "f", "where": {"id": 36, "on": True}, "take": "v"}
    both = {"f": [{"id": 36, "on": False, "v": "a"}, {"id": "36", "on": True, "v": 5}]}
    assert values(tmp_path, [both], found) == ["5"]


def test_without_take_the_element_is_found_as_json(tmp_path):
    found = {"find": "f", "where": {"k": 12345678901234567890}}
    # Digits beyond 64 bits stay.
    line = {"f": [{"k": 12345678901234567890}]}
    assert values(tmp_path, [line], found) == ['{"k":12345678901234567890}']


def test_a_list_may_lie_below_a_path_and_be_text_of_csv(tmp_path):
    found = {"find": "c.data", "where": {"s": "web"}, "take": "d.0.id"}
    inner = json.dumps({"data": [{"s": "web", "d": [{"id": 3}]}]}).replace('"', '""')
    result = landed(tmp_path, ["c,x", f'"{inner}",1'], {"page_url": found}, "a.csv")
    assert rows(result, "page_url") == [("3",)]


def test_what_is_no_list_refuses_the_row(tmp_path):
    assert reasons(tmp_path, [{"params": "page"}], PARAMS) == [
        "page_url is sought in what is no list"
    ]


def test_a_list_that_is_sought_through_twice_is_found_in_both_times(tmp_path):
    other = {"find": "params", "where": {"key": "os"}, "take": "value.text"}
    line = {"params": [{"key": k, "value": {"text": k.upper()}} for k in ("page", "os")]}
    columns = {"page_url": PARAMS, "platform": other, "page_title": {"concat": [PARAMS, other]}}
    assert rows(landed(tmp_path, [line], columns), *columns) == [("PAGE", "OS", "PAGEOS")]
    filters = [{"column": other, "in": ["OS"]}]
    assert rows(landed(tmp_path, [line], columns, filters=filters), "page_url") == [("PAGE",)]


def test_what_was_sought_does_not_show_in_the_text_of_a_refused_row(tmp_path):
    frame = pl.DataFrame({"params": [[{"key": "page", "value": {"text": "/a"}}]], "v": ["x"]})
    path = tmp_path / "2024-03-06" / "a.parquet"
    path.parent.mkdir()
    frame.write_parquet(path)
    columns = BASE | {"page_url": PARAMS, "value": "v"}
    raw = file(tmp_path, "a.parquet", path.read_bytes())
    ((_, text, said),) = refused(taken(raw, {"columns": columns}))
    assert json.loads(text) == {"params": [{"key": "page", "value": {"text": "/a"}}], "v": "x"}
    assert said == "value is not a number"


element = st.fixed_dictionaries(
    {"key": st.sampled_from(["page", "os", "é\n"]), "value": st.none() | st.text(max_size=3)}
)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.none() | st.lists(element, max_size=4), min_size=1, max_size=6))
def test_text_and_parquet_find_what_a_plain_search_finds(tmp_path_factory, lists):
    folder = tmp_path_factory.mktemp("finds")
    found = {"find": "f", "where": {"key": "é\n"}, "take": "value"}
    first = [next((e for e in each or [] if e["key"] == "é\n"), {}).get("value") for each in lists]
    expected = [text if text and text.strip() else None for text in first]
    assert values(folder, [{"f": each} for each in lists], found) == expected
    whole = pl.Struct({"key": pl.String, "value": pl.String})
    path = folder / "b.parquet"
    pl.DataFrame({"f": lists}, schema={"f": pl.List(whole)}).write_parquet(path)
    raw = file(folder, "b.parquet", path.read_bytes())
    result = taken(raw, {"columns": BASE | {"page_url": found}})
    assert [row[0] for row in rows(result, "page_url")] == expected


def test_the_first_part_that_has_a_value_is_taken(tmp_path):
    first = {"coalesce": ["a", "b.c", {"constant": "none"}]}
    lines = [{"a": "1", "b": {"c": "2"}}, {"b": {"c": "2"}}, {"a": None}]
    assert values(tmp_path, lines, first) == ["1", "2", "none"]


def test_times_that_are_written_in_several_ways(tmp_path):
    ways = {
        "coalesce": [
            {"column": "t", "epoch": "s"},
            {"column": "t", "format": "%d/%m/%Y %H:%M", "zone": "Europe/Berlin"},
            {"column": "t", "zone": "UTC"},
        ]
    }
    lines = [{"t": t} for t in (1709640000, "05/03/2024 13:00", "2024-03-05 12:00")]
    noon = datetime(2024, 3, 5, 12, tzinfo=UTC)
    # 13:00 in Berlin is 12:00 in UTC; a count of the feed's own is not meant here.
    columns = {"received_ts": ways, "event_ts": {"constant": 1709640000000}}
    result = landed(tmp_path, lines, columns, epoch="ms")
    assert rows(result, "received_ts", "event_ts") == [(noon, noon)] * 3
    (said,) = reasons(tmp_path, [{"t": "noon"}], ways, "received_ts")
    assert said.startswith("received_ts is not a count of s since 1970; received_ts is not a time")


def test_a_value_that_is_in_no_table_is_not_passed_over(tmp_path):
    first = {"coalesce": ["a", {"column": "b", "values": {"x": "X"}}, {"constant": "none"}]}
    assert values(tmp_path, [{"a": "1", "b": "y"}, {"b": "x"}], first) == ["1", "X"]
    assert reasons(tmp_path, [{"b": "y"}], first) == ["page_url is not in its table of values"]


def test_one_part_must_be_in_the_file(tmp_path):
    result = landed(tmp_path, ["b,x", "2,1"], {"page_url": {"coalesce": ["a", "b"]}}, "a.csv")
    assert rows(result, "page_url") == [("2",)]
    result = landed(tmp_path, ["c,x", "2,1"], {"page_url": {"coalesce": ["a", "b"]}}, "a.csv")
    assert refused(result)[0][2].startswith("the file has no column a, from which page_url is")
    held = {"column": "b", "when": {"column": "kind", "in": ["x"]}}
    result = landed(tmp_path, ["b,x", "2,1"], {"page_url": held}, "a.csv")
    assert refused(result)[0][2].startswith("the file has no column kind, from which page_url")


def test_a_value_counts_only_when_the_row_passes(tmp_path):
    held = {
        "column": "a",
        "when": [{"column": "k", "in": ["x"]}, {"column": "b", "not_null": True}],
    }
    lines = [{"a": "1", "k": "x", "b": 1}, {"a": "2", "k": "x"}, {"a": "3", "k": "y", "b": 1}]
    assert values(tmp_path, lines, held) == ["1", None, None]
    table = {"column": "a", "values": {"1": "one"}, "when": {"column": "k", "in": ["x"]}}
    assert values(tmp_path, [{"a": "9", "k": "y"}], table) == [None]
    assert reasons(tmp_path, [{"a": "9", "k": "x"}], table) == [
        "page_url is not in its table of values"
    ]


def test_minutes_and_seconds_after_a_time(tmp_path):
    lines = [{"t": "2024-03-05T11:00:00Z", "n": n} for n in (60, "59.5", -1, None)]
    hour = {"base": "t", "minutes": "n"}
    assert values(tmp_path, lines, hour, "received_ts")[:3] == [
        datetime(2024, 3, 5, 12, tzinfo=UTC),
        datetime(2024, 3, 5, 11, 59, 30, tzinfo=UTC),
        datetime(2024, 3, 5, 10, 59, tzinfo=UTC),
    ]
    second = {"base": {"column": "t", "epoch": "ms"}, "seconds": "n"}
    # 1,709,640,000 s is noon of 5 March; a quarter of a second later.
    line = {"t": 1709640000000, "n": 0.25}
    assert values(tmp_path, [line], second, "received_ts") == [
        datetime(2024, 3, 5, 12, 0, 0, 250_000, tzinfo=UTC)
    ]
    for n in ("soon", 1e300, "NaN"):
        line = {"t": "2024-03-05T11:00:00Z", "n": n}
        assert reasons(tmp_path, [line], hour, "received_ts") == [
            "received_ts has a length of time that is no number"
        ]


PAGE = {"page_url": {"column": "a", "optional": True}}


def test_the_rows_of_a_page_are_rows(tmp_path):
    lines = [
        {"rows": [{"a": "1", "b": 2}, {"a": "2"}], "count": 2},
        {"a": "3"},
        {"rows": []},
        {"rows": [{"a": "4"}]},
    ]
    result = landed(tmp_path, lines, PAGE, unwrap="rows")
    assert rows(result, "line", "item", "page_url", "extra") == [
        (1, 1, "1", '{"b":2}'),
        (1, 2, "2", None),
        (2, 1, "3", None),
        (4, 1, "4", None),
    ]
    assert receipt(result, "raw_rows", "landed_rows") == {"raw_rows": 4, "landed_rows": 4}


def test_a_refused_row_of_a_page_is_kept_by_itself(tmp_path):
    lines = [{"rows": [{"v": "x"}, {"v": 1}, 5, None]}, {"rows": {"v": "x"}, "v": 2}]
    result = landed(tmp_path, lines, {"value": "v"}, unwrap="rows")
    no_object = "the line is no JSON object, or is nested too deeply"
    assert sorted(refused(result)) == [
        (1, "5", no_object),
        (1, "null", no_object),
        (1, '{"v":"x"}', "value is not a number"),
    ]
    assert rows(result, "line", "item", "value") == [(1, 2, 1.0), (2, 1, 2.0)]
    assert is_conserved(result)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.text("ab", max_size=3), max_size=4), max_size=5), st.integers(20, 400))
def test_pages_bring_what_their_rows_would_however_they_are_cut(tmp_path_factory, pages, block):
    folder = tmp_path_factory.mktemp("pages")
    whole = file(
        folder,
        "a.ndjson",
        "".join(json.dumps({"rows": [{"a": a} for a in p]}) + "\n" for p in pages),
    )
    single = file(
        folder, "b.ndjson", "".join(json.dumps({"a": a}) + "\n" for p in pages for a in p)
    )
    feed = {"columns": BASE | PAGE, "unwrap": "rows"}
    got = rows(taken(whole, feed, block_bytes=max(block, 200)), "page_url")
    assert got == rows(taken(single, feed), "page_url")


def test_lists_within_lists_are_exploded_one_after_the_other(tmp_path):
    order = {
        "id": 1,
        "refunds": [{"at": "x", "t": [{"n": 1}, {"n": 2}]}, {"at": "y", "t": []}, {"at": "z"}],
    }
    columns = {"page_url": "refunds.at", "value": "refunds.t.n"}
    explode = ["refunds", {"column": "refunds.t", "optional": True}]
    result = landed(
        tmp_path, [{"rows": [order, {"id": 2}]}], columns, explode=explode, unwrap="rows"
    )
    # Three refunds with two, no and no parts make 2 + 1 + 1 rows; an order without any, one.
    assert rows(result, "item", "page_url", "value") == [
        (1, "x", 1.0),
        (2, "x", 2.0),
        (3, "y", None),
        (4, "z", None),
        (5, None, None),
    ]


def test_csv_without_a_header_and_without_quotes(tmp_path):
    body = 'view\t"a" b\t1\nview\t"open\t2\nview\tx\n'
    feed = {
        "columns": BASE | {"event_name": "what", "page_title": "title", "value": "n"},
        "header": ["what", "title", "n"],
        "quotes": False,
    }
    result = taken(file(tmp_path, "a.tsv", body), feed)
    assert rows(result, "line", "page_title", "value") == [(1, '"a" b', 1.0), (2, '"open', 2.0)]
    assert refused(result) == [(3, "view\tx", "has 2 fields, the header 3")]


def test_a_file_without_quotes_may_have_its_header(tmp_path):
    feed = {"columns": BASE | {"page_title": '"title"'}, "quotes": False}
    result = taken(file(tmp_path, "a.csv", 'x,"title"\n1,"a"\n'), feed)
    assert rows(result, "page_title", "extra") == [('"a"', '{"x":"1"}')]


@pytest.mark.parametrize("block_bytes", [40, 64, 1 << 20])
def test_files_without_header_are_the_same_in_any_blocks(tmp_path, block_bytes):
    body = "".join(f"n{i}\t{i}\n" for i in range(40))
    feed = {"columns": BASE | {"page_title": "a", "value": "b"}, "header": ["a", "b"]}
    result = taken(file(tmp_path, "a.tsv", body), feed, block_bytes=block_bytes)
    expected = [(i + 1, f"n{i}", float(i)) for i in range(40)]
    assert rows(result, "line", "page_title", "value") == expected


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"find": "a"}, "find and where belong together"),
        ({"find": "a", "where": {}}, "find and where belong together"),
        ({"column": "a", "take": "b"}, "find and where belong together"),
        ({"coalesce": ["a"]}, "two or more parts"),
        ({"base": "a", "days": "b", "minutes": "c"}, "base and days belong together"),
        ({"minutes": "b"}, "exactly one of"),
        ({"coalesce": [{"column": "a", "epoch": "s"}, "b"], "epoch": "ms"}, "at the parts of"),
        ({"column": "a", "when": {"column": "b"}}, "needs exactly one of in"),
    ],
)
def test_a_wrong_expression_is_told_what_is_wrong(given, said):
    with pytest.raises(ValidationError, match=said):
        Expression.model_validate(given)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"header": ["a", "a"]}, "names the column a twice"),
        ({"header": []}, "names every column"),
        ({"header": ["a", ""]}, "names every column"),
        ({"unwrap": ""}, "at least 1 character"),
        ({"explode": ["a", {"constant": 1}]}, "takes a column or a path"),
    ],
)
def test_a_wrong_feed_is_told_what_is_wrong(given, said):
    with pytest.raises(ValidationError, match=said):
        Feed.model_validate(given)


def test_what_is_sought_and_when_it_counts_shape_the_fingerprint():
    def print_of(expression):
        return mapping_fingerprint([Feed(columns={"page_url": expression})])

    found = print_of(PARAMS)
    assert found != print_of(PARAMS | {"where": {"key": "other"}})
    held = {"column": "a", "when": {"column": "k", "in": ["x"]}}
    assert print_of(held) != print_of(held | {"when": {"column": "k", "in": ["y"]}})
    assert print_of(held) == print_of(held | {"when": [{"column": "k", "in": ["x"]}]})
