"""Lines of NDJSON that are read many at once come out as they do one by one."""

import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from landing_support import TS, file, is_conserved, refused, rows, taken
from polars.testing import assert_frame_equal

from pipelines.landing import ndjson_rows as module
from pipelines.landing.ndjson_bytes import Lines
from pipelines.landing.ndjson_nested import flattened
from pipelines.landing.rows import Segment

USED = frozenset({"a", "b", "user_id"})
KEYS = [
    "a",
    "b",
    "user_id",
    "c",
    "d.e",
    "with space",
    "é",
    ":",
    ",",
    "",
    r"\u0061",
    r"x\"a",
    "true",
]
VALUES = [
    *("1", "-1", "0", "-0", "5.0", "-5.0", "0.0", "-0.0", "1.50", "0.25", "48.9", "0.00001", "1e5"),
    *("1E400", "1.", "01", "+1", ".5", "NaN", "1234567890123456", "12345678901234567", "1e"),
    *("9223372036854775808", "123456789012345678901234567890", "123456789012.345", "5.00"),
    *("true", "false", "null", "nul", "nullx", "tru", "undefined", "", '""', '"x"', '"5.0"'),
    *(r'"\""', r'"\\"', r'"\/"', r'"\u00e9"', r'"\ud83d\ude00"', r'"\ud83d"', r'"\x"', '"\t"'),
    *(
        '":"',
        '":null"',
        '":{}"',
        '","',
        '"é"',
        '"{"',
        '"}"',
        '"["',
        r'"\":{"',
        r'"\":5.0"',
        '"\x7f"',
    ),
    *("{}", "[]", '{"a":1}', '{"a":{"b":[1,{"c":null}]}}', '{"a":1,"a":2}', '{"a" :1}', "[1,2.0]"),
    *('{"a":"}"}', '{"a":"{"}', '["]"]', '{"a":"x"', "[1", '{"a":1e5}', '{ "a" : 1 }', "[ ]"),
    *("{}.5", "[1]5", '{"c":{}e1}'),
    *('{"c":5.0,"d.e":null}', r'{"a":"\u00e9"}', '{"a":12345678901234567890123}', "'x'"),
]
COLONS = [":", ": ", " :", ":  ", ":\t", ""]
COMMAS = [",", ", ", " ,", ",,", ""]

fields = st.tuples(st.sampled_from(KEYS), st.sampled_from(COLONS), st.sampled_from(VALUES))
mostly_plain = st.tuples(
    st.sampled_from(KEYS[:5]), st.sampled_from(COLONS[:2]), st.sampled_from(VALUES)
)


def line_of(said, comma=",", ends=("{", "}")):
    return ends[0] + comma.join(f'"{key}"{colon}{value}' for key, colon, value in said) + ends[1]


lines = st.one_of(
    st.lists(mostly_plain, max_size=6).map(line_of),
    st.lists(mostly_plain, max_size=6).map(line_of),
    st.builds(
        line_of,
        st.lists(fields, max_size=4),
        st.sampled_from(COMMAS),
        st.sampled_from([("{", "}"), ("", ""), ("{", ""), ("[", "]"), ("{{", "}}"), (" {", "} ")]),
    ),
    st.sampled_from(["", "  ", "{}", "{}{}", "{} {}", "null", "[]", '"x"', "}{", "{}\x00"]),
)


def read(data, many_at_once=True, pieces=None):
    with pytest.MonkeyPatch.context() as patch:
        if not many_at_once:
            patch.setattr(module, "_LONGEST_PIECE", 0)
        if pieces:
            patch.setattr(module, "_PIECE_BYTES", pieces)
        half = data.find(b"\n", len(data) // 2) + 1
        segments = [Segment(0, 1, data[:half]), Segment(1, 1, data[half:])]
        return module.ndjson_rows(segments, used=USED, null_values=("",))


def assert_same(data, **many_at_once):
    made, keys = read(data, **many_at_once)
    one_by_one, expected = read(data, many_at_once=False)
    assert keys == expected
    assert_frame_equal(made.columns, one_by_one.columns, check_column_order=False)
    assert made.extra.to_list() == one_by_one.extra.to_list()
    assert_frame_equal(made.at, one_by_one.at)
    order = ["intake", "line", "item"]
    assert_frame_equal(made.broken.sort(order), one_by_one.broken.sort(order))


@given(st.lists(lines, min_size=1, max_size=12))
@example(['{"b":{"a":"{"}', '{"a":{}}'])
@example(['{"d.e":1}', '{"c":null}'])
@example(['{"a":null}', r'{"x\"a":null}'])
@example(['{"a":{}}', '{"a":{}.5}'])
@example(['{"a":1,"a":null}', '{"a":1}'])
@example(['{"a":null,"a":null}', '{"a":null}'])
@example(['{"a":1,"a":{"c":null}}', '{"c":5,"a":{}}'])
@example(['{"a":5.0,"b":"5.0"}', '{"a":"5.0","b":5}'])
@example(['{"c":5.0}', '{"c":"5.0"}', '{"c":5}', '{"c":{"c":"x"}}'])
def test_lines_come_out_the_same_many_at_once_and_one_by_one(said):
    assert_same("".join(f"{line}\n" for line in said).encode())


def test_many_lines_in_several_pieces_come_out_as_one_by_one():
    pick = random.Random(7).choice
    plain = ["a", "b", "c", "d.e"], [":", ": "], ["1", "5.0", '"x"', "null", '{"k":[1]}', "2.5"]
    said = [[tuple(map(pick, plain)) for _ in range(pick(range(4)))] for _ in range(4_000)]
    odd = [[(pick(KEYS), ":", pick(VALUES))] for _ in range(200)]
    assert_same("".join(line_of(each) + "\n" for each in said + odd).encode(), pieces=5_000)


def test_only_what_is_not_plain_is_left_to_be_read_one_by_one():
    plain = ['{"a":1}', '{"a": "x", "b": 5.0}', "{}", r'{"a":"\n"}', '{"a":null,"b":-2.25}']
    nested = ['{"a":{"b":[1,{"c":5}]},"c":2}']
    odd = [
        "",
        "[]",
        '{"a":1e5}',
        '{"a":1.50}',
        '{"a" :1}',
        r'{"a":"\ud83d"}',
        '{"a":{"b":1,"b":2}}',
    ]
    found = Lines("".join(f"{line}\n" for line in [*plain, *nested, *odd]).encode())
    assert found.plain().tolist() == [0, 1, 2, 3, 4]
    flat = flattened(found)
    assert (flat.numbers.to_list(), flat.data) == ([5], b'{"a":0 ,"c":2}\n')
    assert {key: said.to_list() for key, said in flat.nested.items()} == {
        "a": ['{"b":[1,{"c":5}]}']
    }


def test_values_of_plain_lines_keep_their_spelling(tmp_path):
    ids = ["5.0", '"5.0"', "5", "-5.0", "1.50", "1e22", "0.00001", "12345678901234567890"]
    ids += ['{"n":5.0}', r'"\u00e9\n"', "true"]
    body = "".join(
        f'{{"event_name":"view","event_ts":"{TS}","user_id":{each},"more":{each}}}\n'
        for each in ids
    )
    assert rows(taken(file(tmp_path, "a.ndjson", body)), "user_id", "extra") == [
        ("5.0", '{"more":5.0}'),
        ("5.0", '{"more":"5.0"}'),
        ("5", '{"more":5}'),
        ("-5.0", '{"more":-5.0}'),
        ("1.5", '{"more":1.5}'),
        ("1e+22", '{"more":1e+22}'),
        ("0.00001", '{"more":0.00001}'),
        ("12345678901234567890", '{"more":12345678901234567890}'),
        ('{"n":5.0}', '{"more":{"n":5.0}}'),
        ("é\n", r'{"more":"é\n"}'),
        ("true", '{"more":true}'),
    ]


def test_a_key_that_stands_twice_in_a_flat_line_is_refused_wherever_it_is_null(tmp_path):
    start = f'{{"event_name":"view","event_ts":"{TS}","user_id":"u"'
    good = start + ',"page_url":null}'
    bad = [start + ',"value":1,"value":null}', start + ',"value":null,"value":null}']
    result = taken(file(tmp_path, "a.ndjson", "\n".join([good, *bad])))
    reason = "the key value stands twice in one object"
    assert refused(result) == [(2, bad[0], reason), (3, bad[1], reason)]
    assert rows(result, "line") == [(1,)]
    assert is_conserved(result)
