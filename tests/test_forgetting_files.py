"""Ids in texts, rows at the door, and files of landing without a person."""

import json
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from homes import event, scratch
from hypothesis import given, settings
from hypothesis import strategies as st
from landing_support import TS, file, receipt, refused, rows, taken

from pipelines.forgetting.contents import holds
from pipelines.forgetting.matching import Ids
from pipelines.forgetting.rewriting import Doomed, rewrite
from pipelines.landing.results import TakenIn
from pipelines.landing.tombstones import Tombstones, tokens

HEADER = "event_id,event_name,event_ts,user_id,anonymous_id,value\n"


def _tombstones(*ids: str) -> Tombstones:
    key = b"k" * 32
    return Tombstones(key, frozenset(Tombstones(key).hash_of(each) for each in ids))


@pytest.mark.parametrize(
    ("person", "before", "after"),
    [
        ("u1", "u1 u10 xu1 u1-2 u-u1 u1_ (u1)", "(forgotten) u10 xu1 u1-2 u-u1 u1_ ((forgotten))"),
        (
            "u1",
            "/users/u1.html?u1=1&x=%20u1",
            "/users/(forgotten).html?(forgotten)=1&x=%20(forgotten)",
        ),
        (
            "u1",
            r'"hi\nu1 \u00751 \u0020u1 \u0031u1"',
            r'"hi\n(forgotten) (forgotten) \u0020(forgotten) \u0031u1"',
        ),
        ("u1", "ends\nu1\n", "ends\n(forgotten)\n"),
        (
            "ann@x.org",
            "jo.ann@x.org ann@x.org. ann@x.org.uk",
            "jo.ann@x.org (forgotten). ann@x.org.uk",
        ),
        (
            "ann@x.org",
            r"ann\u0040x.org mail=ann%40x.org <ann@x.org>",
            "(forgotten) mail=(forgotten) <(forgotten)>",
        ),
        ("ann", "ann@x.org @ann ann", "ann@x.org @(forgotten) (forgotten)"),
        ("a/b:c", r"a\/b:c a%2Fb%3Ac a/b:cd", "(forgotten) (forgotten) a/b:cd"),
        ("jürgen", r"j\u00fcrgen j%C3%BCrgen jürgen", "(forgotten) (forgotten) (forgotten)"),
        ('o"1', 'o""1 o\\"1', "(forgotten) (forgotten)"),
        ("207119551", '{"id": 207119551, "n": [1.207119551]}', '{"id": null, "n": [1.207119551]}'),
        ("12", "12 of them cost 12", "12 of them cost 12"),
    ],
)
def test_an_id_is_blanked_as_a_whole_and_however_it_is_written(person, before, after):
    assert Ids([person]).blanked(before) == after
    assert Ids([person]).stand_in(before) == (before != after)
    assert not Ids([person]).stand_in(after)


def test_a_short_number_is_an_id_only_in_a_column_of_people():
    assert Ids(["12"]).stand_in("12", "customer_id")
    assert not Ids(["12"]).stand_in("12", "channel")


def test_a_number_in_json_stays_a_value():
    line = '{"u": 207119551, "others": [207119551, 2]}'
    blanked = json.loads(Ids(["207119551"]).blanked(line, is_json=True))
    assert blanked == {"u": "(forgotten)", "others": ["(forgotten)", 2]}


def test_the_text_of_a_refused_row_is_cut_into_all_that_may_be_ids():
    assert {"u1", "ann@x.org", "auth0|7f", "a b"} <= tokens(r'u1,"a b",ann\u0040x.org;auth0|7f')


def test_rows_of_forgotten_people_are_counted_and_nothing_else(tmp_path):
    text = (
        HEADER
        + f"e1,x,{TS},u1,,1\n"  # theirs
        + f"e2,x,{TS},,a1,1\n"  # theirs, by the anonymous id
        + f"e3,x,{TS},u2,,1\n"
        + "e4,x,never,u1,,1\n"  # theirs, would be refused
        + "e5,x,never,u2,,1\n"  # refused
        + f"e6,x,{TS},u2,,u1\n"  # refused: no number; the id stands in its text
        + "e7,x,u1\n"  # broken, and holds the id
    )
    result = taken(file(tmp_path, "e.csv", text), tombstones=_tombstones("u1", "a1"))
    assert rows(result, "event_id", "user_id") == [("e3", "u2")]
    assert [line for line, _, _ in refused(result)] == [6]
    # 7 raw = 5 forgotten + 2 read.
    counts = ("raw_rows", "filtered_rows", "forgotten_rows", "read_rows", "quarantined_rows")
    assert tuple(receipt(result, *counts).values()) == (7, 0, 5, 2, 1)
    away = result.turned_away.sort("line")
    assert away["line"].to_list() == [2, 3, 5, 7, 8]
    assert away["ids"].to_list() == [["u1"], ["a1"], ["u1"], ["u1"], ["u1"]]


def test_a_number_in_a_refused_row_of_another_is_no_id(tmp_path):
    text = HEADER + f"e1,x,never,u2,,12\ne2,x,{TS},12,,12\ne3,x,{TS},u2,,12\ne4,12\n"
    result = taken(file(tmp_path, "e.csv", text), tombstones=_tombstones("12"))
    assert rows(result, "event_id") == [("e3",)]
    assert [line for line, _, _ in refused(result)] == [2]
    # A line that is no row cannot say what a number in it is.
    assert result.turned_away.sort("line")["line"].to_list() == [3, 5]


def test_no_file_is_refused_for_want_of_rows_that_were_forgotten(tmp_path):
    text = "".join(json.dumps(event(f"e{n}", TS, user_id="u1")) + "\n" for n in range(3))
    result = taken(file(tmp_path, "e.ndjson", text), tombstones=_tombstones("u1"))
    assert receipt(result, "status", "forgotten_rows", "read_rows") == {
        "status": "read",
        "forgotten_rows": 3,
        "read_rows": 0,
    }


def _forgotten(result: TakenIn, path: Path, ids: Ids, *, is_json: bool) -> None:
    numbers = {
        number
        for line, lines, is_whole in result.turned_away.select("line", "lines", "is_whole").rows()
        if is_whole
        for number in range(line, line + lines)
    }
    rewrite(path, Doomed(numbers, ids, "utf-8", is_json))


def test_of_a_raw_row_that_is_also_of_others_only_the_id_goes(tmp_path):
    feed = {"explode": "users", "columns": {"user_id": "users", "event_id": {"content": True}}}
    raw = {"event_name": "x", "event_ts": TS, "users": ["u1", "u2"]}
    alone = {"event_name": "x", "event_ts": TS, "users": ["u1", "u1"]}
    landed = file(tmp_path, "e.ndjson", f"{json.dumps(raw)}\n{json.dumps(alone)}\n")
    dead = _tombstones("u1")
    _forgotten(taken(landed, feed, tombstones=dead), landed.path, Ids(["u1"]), is_json=True)
    (left,) = landed.path.read_text().splitlines()
    assert json.loads(left)["users"] == ["(forgotten)", "u2"]
    again = taken(landed, feed, tombstones=dead)
    assert rows(again, "user_id") == [("u2",)]
    assert receipt(again, "forgotten_rows", "read_rows") == {"forgotten_rows": 1, "read_rows": 1}


def test_a_record_over_several_lines_goes_whole(tmp_path):
    header = "event_id,event_name,event_ts,user_id,page_title\n"
    ours, theirs = f'e2,x,{TS},u2,"c\nd"\n', f'e1,x,{TS},u1,"a\nb"\n'
    landed = file(tmp_path, "e.csv", header + theirs + ours)
    _forgotten(taken(landed, tombstones=_tombstones("u1")), landed.path, Ids(["u1"]), is_json=False)
    assert landed.path.read_text() == header + ours


def test_nested_texts_of_parquet_are_blanked_and_rows_dropped(tmp_path):
    path = tmp_path / "p.parquet"
    tags = pa.array(["u1", "u1", "x"]).dictionary_encode()
    people = [{"names": ["u1"]}, {"names": ["z", "by u1"]}, {"names": []}]
    pq.write_table(pa.table({"who": ["u1", "u2", "u3"], "tag": tags, "people": people}), path)
    schema = pq.read_schema(path)
    assert rewrite(path, Doomed({1}, Ids(["u1"]), "utf-8", False))
    assert pq.read_schema(path) == schema
    assert pq.read_table(path).to_pylist() == [
        {"who": "u2", "tag": "(forgotten)", "people": {"names": ["z", "by (forgotten)"]}},
        {"who": "u3", "tag": "x", "people": {"names": []}},
    ]
    assert not holds(path, Ids(["u1"]))


IDS = st.sampled_from(["u1", "u10", "u-1", "a1", "12", "ann@x.org", "jo.ann@x.org", "Ü"])
TEXTS = st.lists(IDS | st.sampled_from(["", "by", "é", '"', ",", "\n"]), max_size=4).map(" ".join)
EVENTS = st.lists(st.tuples(IDS | st.none(), IDS | st.none(), TEXTS), max_size=8)


@settings(max_examples=15, deadline=None)
@given(people=EVENTS, person=IDS, is_json=st.booleans())
def test_rows_of_others_are_the_same_but_for_the_id(people, person, is_json):
    shown = [
        event(f"e-{n}", TS, user_id=user, anonymous_id=anonymous, page_title=title)
        for n, (user, anonymous, title) in enumerate(people)
    ]
    with scratch() as folder:
        name = "e.ndjson" if is_json else "e.csv"
        text = "".join(json.dumps(row) + "\n" for row in shown)
        if not is_json:
            columns = [
                "event_id",
                "event_name",
                "event_ts",
                "user_id",
                "anonymous_id",
                "page_title",
            ]
            schema = dict.fromkeys(columns, pl.String)
            text = pl.DataFrame(shown, schema=schema, orient="row").write_csv()
        landed = file(folder, name, text)
        before = taken(landed)
        away = taken(landed, tombstones=_tombstones(person))
        _forgotten(away, landed.path, Ids([person]), is_json=is_json)
        now = taken(landed, tombstones=_tombstones(person))
        assert not holds(landed.path, Ids([person]))
    columns = ["event_id", "user_id", "anonymous_id"]
    theirs = pl.any_horizontal(pl.col("user_id", "anonymous_id").eq_missing(pl.lit(person)))
    kept = before.landed.filter(~theirs).sort("event_id")
    assert now.landed.sort("event_id").select(columns).equals(kept.select(columns))
    blanked = [title and Ids([person]).blanked(title) for title in kept["page_title"]]
    assert now.landed.sort("event_id")["page_title"].to_list() == blanked
    assert now.receipts["forgotten_rows"].to_list() == [0]
    assert away.receipts["forgotten_rows"].sum() == before.landed.filter(theirs).height + (
        before.quarantined.height - away.quarantined.height
    )
