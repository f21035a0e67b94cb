"""The mapping language, one expression at a time, through files."""

from datetime import UTC, date, datetime

import pytest
from landing_support import TS, file, receipt, refused, rows, taken
from pydantic import ValidationError

from pipelines.landing.feeds import Feed, check_feeds, mapping_fingerprint
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
            'has no offset; name its zone in the settings of its feed (zone = "Europe/Berlin")',
        ),
        (
            "2024-03-31T02:30:00",
            {"zone": "Europe/Berlin"},
            "does not exist in Europe/Berlin: the clocks skipped this hour",
        ),
        (
            "1709640000",
            {},
            'looks like a count since 1970; say of what (epoch = "s", "ms" or "us")',
        ),
        ("2024-03-05", {"epoch": "s"}, "is not a count of s since 1970"),
        ("99999999999999", {"epoch": "s"}, "is not a count of s since 1970"),
        ("5/3", {"format": "%d.%m.%Y"}, "is not a timestamp in the format %d.%m.%Y"),
    ],
)
def test_timestamps_that_are_none(tmp_path, text, rule, said):
    got = reasons(tmp_path, "t,x", f"{text},", {"column": "t"} | rule, "received_ts")
    assert got == f"received_ts {said}"


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
