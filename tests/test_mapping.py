"""The mapping language, one expression at a time, through files."""

from datetime import UTC, date, datetime

import polars as pl
import pytest
from landing_support import LANDED, TS, file, receipt, refused, rows, taken
from pydantic import ValidationError

from pipelines.landing.feeds import Feed, check_feeds, mapping_fingerprint
from pipelines.landing.files import RawFile
from pipelines.landing.mapping import Expression
from pipelines.landing.sources import EVENTS


def mapped(tmp_path, header, row, columns, name="a.csv", **feed):
    """A file of one row; unless mapped, event_name, event_ts and user_id are constants."""
    defaults = {
        "event_name": {"constant": "view"},
        "event_ts": {"constant": TS},
        "user_id": {"constant": "u"},
    }
    return taken(file(tmp_path, name, f"{header}\n{row}\n"), {"columns": defaults | columns} | feed)


def value(tmp_path, header, row, expression, column="platform", **feed):
    result = mapped(tmp_path, header, row, {column: expression}, **feed)
    assert refused(result) == []
    return rows(result, column)[0][0]


def reasons(tmp_path, header, row, expression, column="platform", **feed):
    return refused(mapped(tmp_path, header, row, {column: expression}, **feed))[0][2]


def test_a_string_is_a_column(tmp_path):
    assert value(tmp_path, "os,x", "ios,1", "os") == "ios"


def test_a_dotted_string_is_a_path_into_json_unless_a_column_has_that_name(tmp_path):
    nested = '"{""page"":{""url"":""/a"",""n"":[1,{""k"":true}]}}"'
    assert value(tmp_path, "context,x", f"{nested},1", "context.page.url") == "/a"
    assert value(tmp_path, "context,x", f"{nested},1", "context.page.n.1.k") == "true"
    assert value(tmp_path, "context,x", f"{nested},1", "context.page.none") is None
    assert (
        value(tmp_path, "context.page.url,context", f"flat,{nested}", "context.page.url") == "flat"
    )
    always = {"path": ["context", "page", "url"]}
    assert value(tmp_path, "context.page.url,context", f"flat,{nested}", always) == "/a"


def test_a_path_leads_into_nested_ndjson(tmp_path):
    body = '{"e":"view","context":{"page":{"url":"/a"}},"context.page.url":null}\n'
    feed = {
        "columns": {
            "event_name": "e",
            "event_ts": {"constant": TS},
            "user_id": {"constant": 5},
            "page_url": "context.page.url",
        }
    }
    result = taken(file(tmp_path, "a.ndjson", body), feed)
    assert rows(result, "page_url", "user_id", "extra") == [("/a", "5", None)]


def test_a_constant(tmp_path):
    assert value(tmp_path, "x", "1", {"constant": True}) == "true"
    assert value(tmp_path, "x", "1", {"constant": 1.5}) == "1.5"


def test_a_concatenation_is_null_where_a_part_is(tmp_path):
    parts = {"concat": ["a", {"constant": ":"}, "b"]}
    assert value(tmp_path, "a,b", "x,y", parts) == "x:y"
    assert value(tmp_path, "a,b", "x,", parts) is None


def test_arithmetic_is_exact_in_decimals(tmp_path):
    # In doubles 0.1 + 0.2 is 0.30000000000000004, and 1.1 * 3 is 3.3000000000000003.
    assert value(tmp_path, "a,b", "0.1,0.2", {"plus": ["a", "b"]}, "value") == 0.3
    assert value(tmp_path, "a,b", "1.1,3", {"times": ["a", "b"]}, "value") == 3.3
    assert value(tmp_path, "a,b", "5,0.9", {"minus": ["a", "b", {"constant": 1}]}, "value") == 3.1
    assert value(tmp_path, "a,b", "5,", {"plus": ["a", "b"]}, "value") is None
    said = reasons(tmp_path, "a,b", "5,x", {"plus": ["a", "b"]}, "value")
    assert said == "value is computed from what is not a number"


def test_a_table_of_values(tmp_path):
    table = {"column": "a", "values": {"1": "web", "2": "ios"}}
    assert value(tmp_path, "a,b", "2,", table) == "ios"
    assert value(tmp_path, "a,b", ",1", table) is None
    assert reasons(tmp_path, "a,b", "3,", table) == "platform is not in its table of values"
    assert value(tmp_path, "a,b", "3,", table | {"default": "other"}) == "other"
    assert value(tmp_path, "a,b", "3,", table | {"others": "keep"}) == "3"


def test_texts_that_mean_null(tmp_path):
    assert value(tmp_path, "a,b", "n/a,", {"column": "a", "nulls": ["n/a", "-"]}) is None
    assert value(tmp_path, "a,b", "NULL,", "a", null_values=["NULL"]) is None


def test_a_base_date_plus_days_is_noon_of_that_day(tmp_path):
    # Day -10 before 1 October 2013 is 21 September.
    days = {"base": "2013-10-01", "days": "d"}
    assert value(tmp_path, "d,x", "-10,", days, "event_ts") == datetime(2013, 9, 21, 12, tzinfo=UTC)
    table = {
        "base": {"column": "course", "values": {"J": "2013-10-01", "B": date(2013, 2, 1)}},
        "days": "d",
    }
    got = value(tmp_path, "course,d", "B,1", table, "event_ts")
    assert got == datetime(2013, 2, 2, 12, tzinfo=UTC)
    said = reasons(tmp_path, "d,x", "soon,", days, "event_ts")
    assert said == "event_ts has days that are not a whole number within the calendar"
    assert reasons(tmp_path, "d,x", ",", days, "event_ts") == "event_ts is missing"


def test_a_part_of_the_file_name(tmp_path):
    pattern = {"file": r"(\w+)-\d+\.csv"}
    assert value(tmp_path, "x", "1", pattern, name="shop-01.csv") == "shop"
    assert value(tmp_path, "x", "1", pattern, name="other.csv") is None


@pytest.mark.parametrize(
    ("text", "rule", "utc"),
    [
        ("2024-03-05T12:00:00+01:00", {}, "2024-03-05T11:00:00"),
        ("2024-03-05 12:00:00.25Z", {}, "2024-03-05T12:00:00.25"),
        ("2024-03-05T12:00:00-0130", {}, "2024-03-05T13:30:00"),
        ("2024-03-05T12:00+01", {}, "2024-03-05T11:00:00"),
        ("20240305T120000Z", {}, "2024-03-05T12:00:00"),
        (" 2024-03-05T12:00:00Z ", {}, "2024-03-05T12:00:00"),
        ("2024-03-05", {}, "2024-03-05T12:00:00"),
        ("2024-03-05 12:00", {"zone": "Europe/Berlin"}, "2024-03-05T11:00:00"),
        # The clocks show 02:30 twice on 27 October 2024: the first, in summer time, is meant.
        ("2024-10-27T02:30:00", {"zone": "Europe/Berlin"}, "2024-10-27T00:30:00"),
        ("1709640000", {"epoch": "s"}, "2024-03-05T12:00:00"),
        ("1709640000.5", {"epoch": "s"}, "2024-03-05T12:00:00.5"),
        ("1709640000123", {"epoch": "ms"}, "2024-03-05T12:00:00.123"),
        ("1709640000123456", {"epoch": "us"}, "2024-03-05T12:00:00.123456"),
        ("05/03/2024 13:05", {"format": "%d/%m/%Y %H:%M", "zone": "UTC"}, "2024-03-05T13:05:00"),
        ("05/03/2024 13:05 +0100", {"format": "%d/%m/%Y %H:%M %z"}, "2024-03-05T12:05:00"),
        ("5.3.2024", {"format": "%d.%m.%Y"}, "2024-03-05T12:00:00"),
    ],
)
def test_timestamps_in_many_shapes(tmp_path, text, rule, utc):
    got = value(
        tmp_path,
        "t,x",
        f"{text},",
        {"column": "t"} | rule,
        "received_ts",
    )
    assert got == datetime.fromisoformat(utc).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "rule", "said"),
    [
        ("yesterday", {}, "is not an ISO 8601 timestamp such as 2024-03-05T12:34:56+01:00"),
        (
            "2024-02-30T12:00:00Z",
            {},
            "is not an ISO 8601 timestamp such as 2024-03-05T12:34:56+01:00",
        ),
        (
            "12024-03-05T12:00:00Z",
            {},
            "is not an ISO 8601 timestamp such as 2024-03-05T12:34:56+01:00",
        ),
        (
            "2024-03-05T12:00:00",
            {},
            'has no offset: name its zone in the settings of its feed (zone = "Europe/Berlin")',
        ),
        (
            "2024-03-31T02:30:00",
            {"zone": "Europe/Berlin"},
            "does not exist in Europe/Berlin: the clocks skipped this hour",
        ),
        (
            "1709640000",
            {},
            'looks like a count since 1970: say of what (epoch = "s", "ms" or "us")',
        ),
        ("2024-03-05", {"epoch": "s"}, "is not a count of s since 1970"),
        ("99999999999999", {"epoch": "s"}, "is not a count of s since 1970"),
        ("5/3", {"format": "%d.%m.%Y"}, "is not a timestamp in the format %d.%m.%Y"),
    ],
)
def test_timestamps_that_are_none(tmp_path, text, rule, said):
    got = reasons(tmp_path, "t,x", f"{text},", {"column": "t"} | rule, "received_ts")
    assert got == f"received_ts {said}"


@pytest.mark.parametrize(
    ("text", "mark", "number"),
    [
        ("12,5", ",", 12.5),
        ("1.450,44", ",", 1450.44),
        ("1.234.567", ",", 1234567.0),
        ("12 345,5", ",", 12345.5),
        ("-,5", ",", -0.5),
        ("1,450.44", ".", 1450.44),
        ("1'450.44", ".", 1450.44),
        (" ", ",", None),
    ],
)
def test_a_number_as_people_write_it_is_read_by_its_decimal_mark(tmp_path, text, mark, number):
    expression = {"column": "n", "decimal": mark}
    assert value(tmp_path, "n;x", f"{text};1", expression, "value", delimiter=";") == number


@pytest.mark.parametrize("text", ["12.5", "1,450.44", "1.23", "1.234 567", "1.2345,6", ".", "x"])
def test_a_number_that_its_decimal_mark_does_not_allow_is_refused(tmp_path, text):
    said = reasons(
        tmp_path, "n;x", f"{text};1", {"column": "n", "decimal": ","}, "value", delimiter=";"
    )
    assert said == "value is not a number with the decimal mark ','"


def test_a_decimal_mark_of_the_feed_holds_for_numbers_and_their_parts_only(tmp_path):
    columns = {"value": {"times": ["a", "b"]}, "app_version": "v"}
    result = mapped(tmp_path, "a;b;v", "1.000,5;2;1,2", columns, delimiter=";", decimal=",")
    assert rows(result, "value", "app_version") == [(2001.0, "1,2")]


def test_texts_are_taken_out_before_a_value_is_read(tmp_path):
    expression = {"column": "n", "without": ["EUR", "€"], "decimal": ","}
    assert value(tmp_path, "n;x", "€ 1.234,50 EUR;1", expression, "value", delimiter=";") == 1234.5


def test_a_part_of_a_text_is_extracted_and_null_where_it_is_not_found(tmp_path):
    path = {"column": "request", "extract": r"^GET (/\S*)"}
    assert value(tmp_path, "request,x", "GET /a?b=1 HTTP/1.1,1", path) == "/a?b=1"
    assert value(tmp_path, "request,x", "POST /a HTTP/1.1,1", path) is None
    coded = {"column": "c", "extract": r"-(\w+)$", "values": {"w": "web"}}
    assert value(tmp_path, "c,x", "a-w,1", coded) == "web"


@pytest.mark.parametrize("pattern", ["(", "a", "(a)(b)", r"(a)\1", "(?=a)(b)"])
def test_what_cannot_be_extracted_by_is_an_error(pattern):
    with pytest.raises(ValidationError, match=r"regular expression|exactly one group"):
        Expression.model_validate({"column": "c", "extract": pattern})


def test_a_decimal_mark_beside_a_table_of_values_is_an_error():
    with pytest.raises(ValidationError, match="decimal and values are two ways"):
        Expression.model_validate({"column": "n", "decimal": ",", "values": {"a": 1}})


def test_a_zone_and_an_epoch_may_stand_in_the_feed(tmp_path):
    got = value(tmp_path, "t,x", "2024-03-05T12:00,", "t", "received_ts", zone="Asia/Tokyo")
    assert got == datetime(2024, 3, 5, 3, tzinfo=UTC)


def test_filters_keep_rows_and_what_they_leave_out_is_counted(tmp_path):
    text = f"event_name,event_ts,user_id,kind\na,{TS},u,x\nb,{TS},u,y\nc,{TS},u,\nbroken\n"
    landed = file(tmp_path, "a.csv", text)

    def kept(rule):
        result = taken(landed, {"filters": [rule]})
        counts = receipt(result, "raw_rows", "filtered_rows", "quarantined_rows")
        names = [name for (name,) in rows(result, "event_name")]
        assert counts == {
            "raw_rows": 4,
            "filtered_rows": 3 - len(names),
            "quarantined_rows": 1,
        }
        return "".join(names)

    assert kept({"column": "kind", "in": ["x"]}) == "a"
    assert kept({"column": "kind", "not_in": ["x"]}) == "bc"
    assert kept({"column": "kind", "is_null": True}) == "c"
    assert kept({"column": "kind", "not_null": True}) == "ab"


def test_a_mapped_column_that_the_file_lacks_refuses_it_unless_optional(tmp_path):
    result = mapped(tmp_path, "browser,x", "1,2", {"platform": {"concat": ["x", "brwser"]}})
    assert refused(result)[0] == (
        0,
        None,
        "the file has no column brwser, from which platform is mapped; did you mean browser?",
    )
    assert value(tmp_path, "browser,x", "1,2", {"column": "brwser", "optional": True}) is None


def test_a_filter_on_a_missing_column_refuses_the_file(tmp_path):
    feed = {"filters": [{"column": "kind", "not_null": True}]}
    result = taken(file(tmp_path, "a.csv", "event_name,event_ts\n"), feed)
    assert refused(result)[0][2].startswith("the file has no column kind, by which rows are")


def test_the_first_feed_whose_path_matches_reads_a_file(tmp_path):
    files = [
        file(tmp_path, name, f"event_name,event_ts,user_id\nv,{TS},u\n")
        for name in ("web/a.csv", "web/deep/b.csv", "app-1.csv", "other.csv")
    ]
    feeds = [
        {"path": "web/**/*", "columns": {"platform": {"constant": "web"}}},
        {"path": "app-[0-9].*", "columns": {"platform": {"constant": "app"}}},
    ]
    result = taken(files, *feeds)
    assert rows(result, "file", "platform") == [
        ("app-1.csv", "app"),
        ("web/a.csv", "web"),
        ("web/deep/b.csv", "web"),
    ]
    assert refused(result) == [
        (
            0,
            None,
            "no feed of [sources.events] takes this file: its name matches none of the paths "
            "web/**/*, app-[0-9].*",
        )
    ]


def several(tmp_path, name, content, columns, **feed):
    """Rows of a file that the feed turns into several; event_ts is a constant."""
    mapping = {"event_name": {"constant": "view"}, "event_ts": {"constant": TS}} | columns
    return taken(file(tmp_path, name, content), {"columns": mapping} | feed)


COUNTS = ("raw_rows", "filtered_rows", "read_rows", "landed_rows", "quarantined_rows")
ITEMS = {"user_id": "u", "feature": "items.sku", "value": "items.price"}


def test_a_list_becomes_rows_that_keep_their_line_and_are_numbered(tmp_path):
    body = (
        '{"u":"a","k":1,"items":[{"sku":"x","price":1},{"sku":"y","price":2.5}]}\n'
        '{"u":"b","items":[{"sku":"x","price":3}]}\n'
    )
    result = several(tmp_path, "a.ndjson", body, ITEMS, explode="items")
    assert rows(result, "user_id", "feature", "value", "line", "item", "extra") == [
        ("a", "x", 1.0, 1, 1, '{"k":1}'),
        ("a", "y", 2.5, 1, 2, '{"k":1}'),
        ("b", "x", 3.0, 2, 1, None),
    ]
    # Two raw rows are three; a row that is not turned into several is the first of one.
    counts = receipt(result, "raw_rows", "filtered_rows", "read_rows", "landed_rows")
    assert list(counts.values()) == [2, 0, 3, 3]
    assert rows(mapped(tmp_path, "a,b", "1,2", {}), "item") == [(1,)]


def test_no_raw_row_vanishes_with_its_list(tmp_path):
    body = '{"u":"a","items":[]}\n{"u":"b"}\n{"u":"c","items":null}\n{"u":"d","items":[null,7]}\n'
    columns = {"user_id": "u", "feature": "items"}
    result = several(tmp_path, "a.ndjson", body, columns, explode="items")
    found = rows(result, "user_id", "feature", "item")
    assert found == [("a", None, 1), ("b", None, 1), ("c", None, 1), ("d", None, 1), ("d", "7", 2)]
    some = [{"column": "items", "not_null": True}]
    result = several(tmp_path, "a.ndjson", body, columns, explode="items", filters=some)
    assert rows(result, "feature", "item") == [("7", 2)]
    counts = receipt(result, "raw_rows", "filtered_rows", "read_rows")
    assert list(counts.values()) == [4, 4, 1]


def test_what_is_no_list_is_refused_whatever_the_filters_say(tmp_path):
    body = '{"u":"a","items":"x,y"}\n{"u":"b","items":{"sku":"x"}}\n{"u":"c","items":["[", "é"]}\n'
    some = [{"column": "items", "not_null": True}]
    columns = {"user_id": "u", "feature": "items"}
    result = several(tmp_path, "a.ndjson", body, columns, explode="items", filters=some)
    assert [reason for _, _, reason in refused(result)] == ["items is not a list"] * 2
    assert rows(result, "feature") == [("[",), ("é",)]


def test_each_row_that_was_made_is_judged_by_itself(tmp_path):
    body = '{"u":"a","items":[{"sku":"x","price":"free"},{"sku":"y","price":2}]}\nbroken\n'
    result = several(tmp_path, "a.ndjson", body, ITEMS, explode="items")
    assert rows(result, "feature", "line", "item") == [("y", 1, 2)]
    ordered = result.quarantined.sort("line", "item")
    assert ordered.select("line", "item", "raw", "reasons").rows() == [
        (1, 1, body.splitlines()[0], "value is not a number"),
        (2, 1, "broken", "the line is no JSON object, or is nested too deeply"),
    ]
    # One raw row became two, the other was none.
    assert list(receipt(result, *COUNTS).values()) == [2, 0, 3, 1, 2]


def test_a_list_may_lie_under_a_path_or_in_a_csv_column(tmp_path):
    body = '{"u":"a","order":{"no":"7","lines":[{"sku":"x"},{"sku":"y"}]}}\n'
    columns = {"user_id": "u", "feature": "order.lines.sku", "platform": "order.no"}
    for explode in ("order.lines", {"path": ["order", "lines"]}):
        result = several(tmp_path, "a.ndjson", body, columns, explode=explode)
        assert rows(result, "feature", "platform", "item") == [("x", "7", 1), ("y", "7", 2)]
    text = 'u,items\na,"[{""sku"":""x""},{""sku"":""y""}]"\n'
    columns = {"user_id": "u", "feature": "items.sku"}
    result = several(tmp_path, "a.csv", text, columns, explode="items")
    assert rows(result, "feature", "line", "item") == [("x", 2, 1), ("y", 2, 2)]


def test_numbers_in_a_list_keep_their_digits(tmp_path):
    body = '{"u":"a","items":[12345678901234567890123, 0.1]}\n'
    columns = {"user_id": "u", "feature": "items"}
    result = several(tmp_path, "a.ndjson", body, columns, explode="items")
    assert rows(result, "feature") == [("12345678901234567890123",), ("0.1",)]


def test_lists_of_parquet_are_exploded_and_refused_as_they_came(tmp_path):
    raw = pl.DataFrame(
        {
            "u": ["a", "b", None],
            "items": [
                [{"sku": "x", "price": 1}, {"sku": "y", "price": None}],
                None,
                [{"sku": "z"}],
            ],
        }
    )
    path = tmp_path / "a.parquet"
    raw.write_parquet(path)
    mapping = {"event_name": {"constant": "view"}, "event_ts": {"constant": TS}} | ITEMS
    result = taken(RawFile(LANDED, "a.parquet", path), {"columns": mapping, "explode": "items"})
    assert rows(result, "user_id", "feature", "value", "line", "item") == [
        ("a", "x", 1.0, 1, 1),
        ("a", "y", None, 1, 2),
        ("b", None, None, 2, 1),
    ]
    ((line, text, reason),) = refused(result)
    assert (line, text) == (3, '{"u":null,"items":[{"sku":"z","price":null}]}')
    assert reason.startswith("nobody is named")


SURVEY = {
    "unpivot": {
        "columns": {
            "recommend": {"column": "NETPRO", "nulls": ["11"]},
            "overall": {"column": "Q7", "values": {"5": 5, "4": 4, "0": ""}},
        },
        "name": "question",
        "value": "answer",
    }
}
ANSWERS = {"event_name": "question", "user_id": "id", "value": "answer"}


def test_columns_become_rows_with_a_name_and_a_value(tmp_path):
    text = "id,NETPRO,Q7,zip\na,9,5,94131\nb,11,4,\n"
    result = several(tmp_path, "a.csv", text, ANSWERS, **SURVEY)
    assert rows(result, "user_id", "event_name", "value", "line", "item", "extra") == [
        ("a", "recommend", 9.0, 2, 1, '{"zip":"94131"}'),
        ("a", "overall", 5.0, 2, 2, '{"zip":"94131"}'),
        ("b", "recommend", None, 3, 1, None),
        ("b", "overall", 4.0, 3, 2, None),
    ]
    some = [{"column": "answer", "not_null": True}, {"column": "question", "in": ["recommend"]}]
    result = several(tmp_path, "a.csv", text, ANSWERS, **SURVEY, filters=some)
    assert rows(result, "user_id", "value", "item") == [("a", 9.0, 1)]
    assert list(receipt(result, "raw_rows", "filtered_rows", "read_rows").values()) == [2, 3, 1]


def test_a_list_of_columns_names_each_by_itself(tmp_path):
    rule = {"columns": ["NETPRO", "Q7"]}
    columns = {"event_name": "name", "user_id": "id", "value": "value"}
    result = several(tmp_path, "a.csv", "id,NETPRO,Q7\na,9,5\n", columns, unpivot=rule)
    assert rows(result, "event_name", "value") == [("NETPRO", 9.0), ("Q7", 5.0)]


def test_a_value_that_cannot_be_unpivoted_is_refused_and_its_neighbours_are_not(tmp_path):
    text = "id,NETPRO,Q7\na,9,6\n"
    some = [{"column": "answer", "not_null": True}]
    result = several(tmp_path, "a.csv", text, ANSWERS, **SURVEY, filters=some)
    assert rows(result, "event_name", "value") == [("recommend", 9.0)]
    assert refused(result) == [(2, "a,9,6", "answer is not in its table of values")]
    assert list(receipt(result, *COUNTS).values()) == [1, 0, 2, 1, 1]


def test_a_list_is_exploded_before_its_columns_are_unpivoted(tmp_path):
    body = '{"id":"a","pages":[{"views":1,"clicks":2},{"views":3,"clicks":4}]}\n'
    rule = {"columns": {"view": "pages.views", "click": "pages.clicks"}}
    columns = {"event_name": "name", "user_id": "id", "value": "value"}
    result = several(tmp_path, "a.ndjson", body, columns, explode="pages", unpivot=rule)
    assert rows(result, "event_name", "value", "item") == [
        ("view", 1.0, 1),
        ("click", 2.0, 2),
        ("view", 3.0, 3),
        ("click", 4.0, 4),
    ]


def test_rows_without_an_id_get_one_of_their_own_each(tmp_path):
    body = '{"u":"a","items":["x","x"]}\n{"u":"a","items":["x"]}\n'
    columns = {"user_id": "u", "feature": "items"}
    result = several(tmp_path, "a.ndjson", body, columns, explode="items")
    assert result.landed["event_id"].n_unique() == 3


def test_a_file_without_the_columns_to_be_unfolded_is_refused(tmp_path):
    def said(header, **feed):
        return refused(several(tmp_path, "a.csv", f"{header}\n", ANSWERS, **feed))[0][2]

    assert said("id,NETPRO", **SURVEY).startswith(
        "the file has no column Q7, which is to be unpivoted; "
    )
    assert said("id,NETPRO,Q7,answer", **SURVEY) == (
        "the file has a column answer; unpivot must make one of another name"
    )
    assert said("id,item,question,answer", explode="items") == (
        "the file has no column items, which is to be exploded; did you mean item?"
    )
    optional = {"columns": {"a": "NETPRO", "b": {"column": "Q8", "optional": True}}}
    columns = {"event_name": "name", "user_id": "id", "value": "value"}
    text = "id,NETPRO\na,1\n"
    result = several(tmp_path, "a.csv", text, columns, unpivot=optional)
    assert rows(result, "event_name", "value") == [("a", 1.0), ("b", None)]


def test_blocks_of_any_size_give_the_same_rows(tmp_path):
    body = "".join(f'{{"u":"{n}","items":[{n},null,"x"]}}\n' for n in range(200))
    landed = file(tmp_path, "a.ndjson", body)
    mapping = {"event_name": {"constant": "view"}, "event_ts": {"constant": TS}, "user_id": "u"}
    feed = {"columns": mapping | {"feature": "items"}, "explode": "items"}
    whole, small = taken(landed, feed), taken(landed, feed, block_bytes=300)
    assert rows(whole, "event_id", "feature", "line", "item") == rows(
        small, "event_id", "feature", "line", "item"
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "needs exactly one of column, path"),
        ({"column": "a", "constant": 1}, "given: column and constant"),
        ({"colum": "a"}, "Extra inputs are not permitted"),
        ({"plus": ["a"]}, "needs a list of two or more parts"),
        ({"base": "2024-01-01"}, "base and days belong together"),
        ({"file": "a.csv"}, "needs exactly one group"),
        ({"file": "("}, "is no regular expression"),
        ({"column": "a", "zone": "Berlin"}, "is no IANA time zone"),
        ({"column": "a", "default": 1}, "default and others need values"),
        ({"column": "a", "format": "%Q"}, "is no format that a time could be read back from"),
        (5, "write a column's name or a table such as"),
    ],
)
def test_a_wrong_expression_is_told_what_is_wrong(given, said):
    with pytest.raises(ValidationError, match=said.replace("(", r"\(")):
        Expression.model_validate(given)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"delimiter": ";;"}, "must be one ASCII character"),
        ({"encoding": "utf-9"}, "is no text encoding"),
        ({"encoding": "hex"}, "is no text encoding"),
        ({"filters": [{"column": "a"}]}, "needs exactly one of in, not_in"),
        ({"zone": "Mars"}, "is no IANA time zone"),
        ({"explode": {"constant": 1}}, "takes a column or a path"),
        ({"explode": {"column": "a", "nulls": ["-"]}}, "takes a column or a path"),
        ({"unpivot": {"columns": []}}, "at least 1"),
        ({"unpivot": {"columns": ["a", "a"]}}, "names the column a twice"),
        ({"unpivot": {"columns": ["a"], "name": "v", "value": "v"}}, "name and value are both 'v'"),
        ({"unpivot": {"columns": {"a": {"colum": "b"}}}}, "Extra inputs are not permitted"),
    ],
)
def test_a_wrong_feed_is_told_what_is_wrong(given, said):
    with pytest.raises(ValidationError, match=said):
        Feed.model_validate(given)


def test_a_mapping_of_an_unknown_column_is_refused_with_a_hint():
    feed = Feed.model_validate({"columns": {"event_time": "t"}})
    with pytest.raises(ValueError, match=r"columns\.event_time.*did you mean event_name"):
        check_feeds(EVENTS, [feed])


def test_the_fingerprint_tells_what_shapes_a_row_and_nothing_else():
    def fingerprint(**feed):
        return mapping_fingerprint([Feed.model_validate(feed)])

    assert fingerprint() == fingerprint(name="web", delimiter=None) == "[{}]"
    one = fingerprint(columns={"user_id": "a", "platform": {"constant": 1}})
    other = fingerprint(columns={"platform": {"constant": 1}, "user_id": {"column": "a"}})
    assert one == other
    assert one != fingerprint(columns={"user_id": "b", "platform": {"constant": 1}})
    # The order of what is unpivoted numbers the rows.
    listed = fingerprint(unpivot={"columns": ["a", "b"]})
    assert listed == fingerprint(unpivot={"columns": {"a": "a", "b": {"column": "b"}}})
    assert listed != fingerprint(unpivot={"columns": ["b", "a"]})
