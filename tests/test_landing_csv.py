import re
from itertools import product

import pytest
from landing_support import TS, file, is_conserved, receipt, refused, rows, taken

from pipelines.landing import csv_bytes

HEAD = "event_name,event_ts,user_id\n"


def test_canonical_columns_need_no_mapping_and_lines_count_from_the_header(tmp_path):
    result = taken(file(tmp_path, "a.csv", f"{HEAD}view,{TS},u1\nclick,{TS},u2\n"))
    assert rows(result, "event_name", "user_id", "file", "line") == [
        ("view", "u1", "a.csv", 2),
        ("click", "u2", "a.csv", 3),
    ]
    assert receipt(result, "status", "raw_rows", "landed_rows") == {
        "status": "read",
        "raw_rows": 2,
        "landed_rows": 2,
    }


def test_quotes_hold_delimiters_doubled_quotes_and_line_ends(tmp_path):
    body = f'"a,b",{TS},u1\n"say ""hi""",{TS},u2\n"two\nlines",{TS},u3\nlast,{TS},"u4"\n'
    result = taken(file(tmp_path, "a.csv", HEAD + body))
    assert rows(result, "event_name", "user_id", "line") == [
        ("a,b", "u1", 2),
        ('say "hi"', "u2", 3),
        ("two\nlines", "u3", 4),
        ("last", "u4", 6),
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_line_end_gives_the_same_rows(tmp_path, end):
    text = f'{HEAD}view,{TS},u1\n\n"a\nb",{TS},u2\n'.replace("\n", end)
    result = taken(file(tmp_path, "a.csv", text))
    assert rows(result, "event_name", "line") == [("view", 2), ("a\nb", 4)]
    assert receipt(result, "raw_rows") == {"raw_rows": 2}


def test_a_row_with_too_few_or_too_many_fields_is_refused_with_its_raw_text(tmp_path):
    result = taken(file(tmp_path, "a.csv", f"{HEAD}view,{TS}\nview,{TS},u1\na,{TS},u,x,y\n"))
    assert refused(result) == [
        (2, f"view,{TS}", "has 2 fields, the header 3"),
        (4, f"a,{TS},u,x,y", "has 5 fields, the header 3"),
    ]
    assert rows(result, "line") == [(3,)]


def test_a_quote_that_is_never_closed_costs_its_own_line_only(tmp_path):
    lines = [f'"view,{TS},u1', f"view,{TS},u2", f'"a",{TS},u3', f"view,{TS},u4"]
    result = taken(file(tmp_path, "a.csv", HEAD + "\n".join(lines) + "\n"))
    assert rows(result, "user_id") == [("u2",), ("u3",), ("u4",)]
    assert refused(result) == [(2, lines[0], "has text after a closing quote")]
    alone = taken(file(tmp_path, "b.csv", f'{HEAD}view,{TS},u1\nview,{TS},"u2\nview,{TS},u3\n'))
    assert rows(alone, "user_id") == [("u1",), ("u3",)]
    assert refused(alone) == [(3, f'view,{TS},"u2', "has a quote that is never closed")]


def test_two_stray_quotes_do_not_swallow_the_rows_between_them(tmp_path):
    lines = [f'"view,{TS},u1', f"view,{TS},u2", f"view,{TS},u3", f'x",{TS},u4']
    result = taken(file(tmp_path, "a.csv", HEAD + "\n".join(lines) + "\n"))
    # The fourth line begins without a quote: the quote in it is a character like any other.
    assert rows(result, "event_name", "user_id") == [("view", "u2"), ("view", "u3"), ('x"', "u4")]
    assert refused(result) == [(2, lines[0], "has a quote that is never closed")]


def test_a_ragged_record_over_several_lines_is_one_row(tmp_path):
    result = taken(file(tmp_path, "a.csv", f'{HEAD}"two\nlines",{TS}\nview,{TS},u1\n'))
    assert refused(result) == [(2, f'"two\nlines",{TS}', "has 2 fields, the header 3")]
    assert rows(result, "line") == [(4,)]


def test_text_after_a_closing_quote_is_refused(tmp_path):
    result = taken(file(tmp_path, "a.csv", f'{HEAD}"view"x,{TS},u1\nview,{TS},u2\n'))
    assert refused(result) == [(2, f'"view"x,{TS},u1', "has text after a closing quote")]


def test_a_quote_inside_a_bare_field_is_a_character(tmp_path):
    result = taken(file(tmp_path, "a.csv", f'{HEAD}5" disk,{TS},u1\n'))
    assert rows(result, "event_name") == [('5" disk',)]


def test_a_tab_delimits_tsv_and_a_feed_may_set_another(tmp_path):
    tabs = taken(file(tmp_path, "a.tsv", f"{HEAD}view,{TS},u1\n".replace(",", "\t")))
    assert rows(tabs, "user_id") == [("u1",)]
    semicolons = file(tmp_path, "a.csv", f'{HEAD}"a;b",{TS},u1\n'.replace(",", ";"))
    assert rows(taken(semicolons, {"delimiter": ";"}), "event_name") == [("a;b",)]


def test_a_byte_order_mark_is_no_part_of_the_header(tmp_path):
    result = taken(file(tmp_path, "a.csv", f"\ufeff{HEAD}view,{TS},u1\n"))
    assert rows(result, "event_name") == [("view",)]


def test_a_byte_order_mark_further_on_is_a_character(tmp_path):
    for body in (f"\ufeffv,{TS},u1\n", f"\ufeffv,{TS},u1\nw,{TS},u2\n"):
        result = taken(file(tmp_path, "a.csv", HEAD + body))
        assert rows(result, "event_name")[0] == ("\ufeffv",)
    short = taken(file(tmp_path, "b.csv", f"{HEAD}\ufeffv\n"))
    assert refused(short) == [(2, "\ufeffv", "has 1 field, the header 3")]


def test_other_encodings_are_read_where_the_feed_names_them(tmp_path):
    name = "caf\u00e9"
    latin = file(tmp_path, "a.csv", f"{HEAD}{name},{TS},u1\n".encode("latin-1"))
    assert rows(taken(latin, {"encoding": "latin-1"}), "event_name") == [(name,)]
    wide = file(tmp_path, "b.csv", f"{HEAD}{name},{TS},u1\n".encode("utf-16"))
    assert rows(taken(wide, {"encoding": "utf-16"}), "event_name") == [(name,)]


def test_bytes_that_are_not_utf8_refuse_the_file_and_name_the_line(tmp_path):
    bad = file(tmp_path, "a.csv", HEAD.encode() + b"view,\xff,u1\n")
    good = file(tmp_path, "b.csv", f"{HEAD}view,{TS},u1\n")
    result = taken([bad, good])
    assert refused(result) == [
        (
            0,
            None,
            "the file is not UTF-8: byte 0xff in line 2, at byte 6 of it; where it is Latin-1 or "
            'Windows-1252, set encoding = "latin-1" or "cp1252" for its feed',
        )
    ]
    assert rows(result, "file") == [("b.csv",)]
    assert result.receipts.select("status", "raw_rows").rows() == [("refused", 0), ("read", 1)]


def test_an_empty_file_is_a_file_without_rows(tmp_path):
    for content in ("", "\n\n", HEAD):
        result = taken(file(tmp_path, "a.csv", content))
        assert receipt(result, "status", "raw_rows") == {"status": "read", "raw_rows": 0}
        assert refused(result) == []


def test_a_header_without_a_required_column_refuses_the_file_with_a_hint(tmp_path):
    result = taken(file(tmp_path, "a.csv", "event_name,event_time,user_id\nview,x,u\n"))
    assert refused(result) == [
        (
            0,
            None,
            "the file has no column event_ts, which [sources.events] does not map either; "
            "did you mean event_time?",
        )
    ]
    other = taken(file(tmp_path, "b.csv", HEAD.replace(",", ";")))
    assert refused(other)[0][2].endswith("its header is one column: is the delimiter ';'?")


def test_a_header_that_names_a_column_twice_refuses_the_file(tmp_path):
    result = taken(file(tmp_path, "a.csv", "event_name,event_ts,event_ts\n"))
    assert refused(result) == [(0, None, "the header names the column event_ts twice")]


def test_columns_that_no_contract_names_are_kept_as_json(tmp_path):
    text = f'event_name,event_ts,user_id,z,b\nv,{TS},u1,1,"say ""x"""\nv,{TS},u2,,\n'
    result = taken(file(tmp_path, "a.csv", text))
    assert rows(result, "extra") == [('{"b":"say \\"x\\"","z":"1"}',), (None,)]


def test_blocks_of_any_size_give_the_same_rows(tmp_path):
    body = "".join(
        f'"name\n{i}",{TS},u{i}\n' if i % 3 else f'v{i},{TS},"u{i}\n' for i in range(400)
    )
    landed = file(tmp_path, "a.csv", HEAD + body)
    whole = taken(landed)
    blocks = taken(landed, block_bytes=100)
    order = ["line"]
    assert blocks.landed.sort(order).equals(whole.landed.sort(order))
    assert blocks.quarantined.sort(order).equals(whole.quarantined.sort(order))
    assert blocks.receipts.equals(whole.receipts)
    assert is_conserved(whole)


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_compressed_files_are_read_and_refused_where_they_are_cut_short(tmp_path, suffix):
    body = HEAD + "".join(f"view,{TS},user {i * i}\n" for i in range(500))
    whole = file(tmp_path, "a.csv" + suffix, body)
    assert taken(whole).landed.height == 500
    whole.path.write_bytes(whole.path.read_bytes()[:-9])
    cut = taken(whole, block_bytes=1000)
    assert cut.landed.height == 0
    ((line, raw, reason),) = refused(cut)
    assert (line, raw) == (0, None)
    assert "the file is cut short" in reason
    assert receipt(cut, "status", "raw_rows") == {"status": "refused", "raw_rows": 0}


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_what_is_not_compressed_as_its_name_says_is_refused(tmp_path, suffix):
    landed = file(tmp_path, "a.csv" + suffix, "")
    landed.path.write_bytes(b"event_name,event_ts\n")
    assert "the file is no sound" in refused(taken(landed))[0][2]


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_a_first_line_that_names_the_delimiter_is_no_header(tmp_path, delimiter):
    body = f"event_name,event_ts,user_id\nview,{TS},u\n".replace(",", delimiter)
    result = taken(file(tmp_path, "a.csv", f"sep={delimiter}\r\n{body}"))
    assert rows(result, "event_name", "user_id", "line") == [("view", "u", 3)]


def test_a_line_like_it_further_down_is_a_row(tmp_path):
    text = f"event_name,event_ts,user_id\nsep=;\nview,{TS},u\n"
    result = taken(file(tmp_path, "a.csv", text))
    assert refused(result) == [(2, "sep=;", "has 1 field, the header 3")]


def test_white_space_of_any_script_is_no_value(tmp_path):
    blanks = ["", " ", "\t", "\u00a0", "\u2003\u3000", "\x1f", "é", "~", "!", "ｘ"]
    body = "event_name,event_ts,user_id,platform\n"
    body += "".join(f"view,{TS},u,{blank}\n" for blank in blanks)
    assert rows(taken(file(tmp_path, "a.csv", body)), "platform") == [
        *[(None,)] * 5,
        ("\x1f",),
        ("é",),
        ("~",),
        ("!",),
        ("ｘ",),
    ]


def test_rows_between_lines_that_are_none_are_whole(tmp_path):
    good = f'view,{TS},é,"a, b"\n'
    bad = "view,x\n"
    body = "event_name,event_ts,user_id,platform\n" + good + bad + "\n" + good * 2 + bad * 2 + good
    result = taken(file(tmp_path, "a.csv", body))
    assert rows(result, "line", "user_id", "platform") == [
        (line, "é", "a, b") for line in (2, 5, 6, 9)
    ]
    said = "has 2 fields, the header 4"
    assert refused(result) == [(line, "view,x", said) for line in (3, 7, 8)]


def test_quotes_are_plain_to_see_where_they_hold_whole_fields(monkeypatch):
    monkeypatch.setattr(csv_bytes, "_PIECE_BYTES", 500)
    said = ["".join(each) for size in range(8) for each in product('",a', repeat=size)]
    fields, regular = csv_bytes.judged_lines(
        "".join(f"{line}\n" for line in said).encode(), b",", quotes=True
    )
    field = r'(?:"(?:[^"]|"")*"|[^",]*)'
    expected = [re.fullmatch(f"{field}(?:,{field})*", line) is not None for line in said]
    assert regular.to_list() == expected
    assert [count for count, is_one in zip(fields, expected, strict=True) if is_one] == [
        re.sub('"[^"]*"', "", line).count(",") + 1
        for line, is_one in zip(said, expected, strict=True)
        if is_one
    ]


@pytest.mark.parametrize("empty", ["", '""'])
@pytest.mark.parametrize("beside", ["plain", '"over\nlines"'])
def test_an_empty_field_is_null_only_where_the_feed_says_so(tmp_path, empty, beside):
    # A field over several lines takes its line to the careful reader.
    landed = file(tmp_path, "a.csv", f"{HEAD.strip()},x,y\nv,{TS},u,{empty},{beside}\n")
    text = beside.strip('"').replace("\n", "\\n")
    for null_values, kept in (["", "-"], ""), (["-"], '"x":"",'), ([], '"x":"",'):
        result = taken(landed, {"null_values": null_values})
        assert rows(result, "extra") == [(f'{{{kept}"y":"{text}"}}',)]


def test_a_byte_order_mark_after_the_header_is_text_whatever_parts_the_fields(tmp_path):
    text = f'{HEAD}\ufeffv,{TS},"u"\n'.replace(",", "x")
    result = taken(file(tmp_path, "a.csv", text), {"delimiter": "x", "quotes": False})
    assert rows(result, "event_name", "user_id", "line") == [("\ufeffv", '"u"', 2)]
