import json

from landing_support import TS, file, is_conserved, receipt, refused, rows, taken

TOOL = " (jq -c '.[]' makes them of it)"


def line(**values):
    return json.dumps({"event_name": "view", "event_ts": TS, "user_id": "u"} | values) + "\n"


def test_one_object_a_line_with_keys_in_any_order_and_number(tmp_path):
    other = '{"user_id": "v", "event_ts": "2024-03-05T12:00:00Z", "event_name": "x"}\n'
    body = line(platform="web") + "\n" + other
    result = taken(file(tmp_path, "a.ndjson", body))
    assert rows(result, "event_name", "user_id", "platform", "line") == [
        ("view", "u", "web", 1),
        ("x", "v", None, 3),
    ]


def test_a_key_that_first_appears_late_is_not_missed(tmp_path):
    body = line() * 200 + line(country="DE", shoe=5)
    result = taken(file(tmp_path, "a.jsonl", body))
    assert rows(result, "country", "extra")[-1] == ("DE", '{"shoe":5}')


def test_values_come_as_text_with_all_their_digits(tmp_path):
    body = line(
        user_id=12345678901234567890123, value=1.5, is_bot=True, properties={"a": [1, "\\"]}
    )
    result = taken(file(tmp_path, "a.ndjson", body))
    assert rows(result, "user_id", "value", "is_bot", "properties") == [
        ("12345678901234567890123", 1.5, True, '{"a":[1,"\\\\"]}')
    ]


def test_extra_keeps_the_json_types(tmp_path):
    body = line(z="5", y=5, x=None, w={"k": [True]}, v='caf\u00e9 "q"') + line(y="text")
    result = taken(file(tmp_path, "a.ndjson", body))
    assert rows(result, "extra") == [
        ('{"v":"caf\u00e9 \\"q\\"","w":{"k":[true]},"y":5,"z":"5"}',),
        ('{"y":"text"}',),
    ]


def test_a_line_that_is_no_object_is_refused_by_itself(tmp_path):
    bad = ["[1]", "5", "null", '{"event_name": "a"', '{"a": 1} x', '{"a": NaN}', '{"a":"\\ud800"}']
    result = taken(file(tmp_path, "a.ndjson", "\n".join([line().strip(), *bad, line()])))
    reason = "the line is no JSON object, or is nested too deeply"
    assert refused(result) == [(i, raw, reason) for i, raw in enumerate(bad, 2)]
    assert rows(result, "line") == [(1,), (9,)]
    assert is_conserved(result)


def test_what_is_nested_too_deeply_is_refused(tmp_path):
    deep = line(properties=json.loads("[" * 150 + "]" * 150))
    result = taken(file(tmp_path, "a.ndjson", deep + line()))
    assert receipt(result, "landed_rows", "quarantined_rows") == {
        "landed_rows": 1,
        "quarantined_rows": 1,
    }


def test_a_missing_key_is_a_missing_value_of_the_row(tmp_path):
    result = taken(file(tmp_path, "a.ndjson", '{"user_id": "u"}\n'))
    assert refused(result) == [
        (1, '{"user_id": "u"}', "event_name is missing; event_ts is missing")
    ]


def test_properties_that_are_no_json_are_refused(tmp_path):
    result = taken(file(tmp_path, "a.ndjson", line(properties="hello")))
    assert refused(result)[0][2] == "properties is not JSON"


def test_a_json_array_is_refused_as_a_file(tmp_path):
    result = taken(file(tmp_path, "a.json", "[\n{}\n]\n"))
    assert refused(result) == [
        (0, None, "the file is a JSON array; it must have one object per line" + TOOL)
    ]


def test_rows_do_not_depend_on_what_stands_beside_them(tmp_path):
    lines = [line(y=1), line(y="1"), line(y=1.0), line(y={"a": 1}), line(), line(y=10**30)]
    together = taken(file(tmp_path, "a.ndjson", "".join(lines)))
    alone = [
        rows(taken(file(tmp_path, f"{i}.ndjson", text)), "event_id", "extra")[0]
        for i, text in enumerate(lines)
    ]
    assert rows(together, "event_id", "extra") == alone


def test_blocks_of_any_size_give_the_same_rows(tmp_path):
    landed = file(tmp_path, "a.ndjson", "".join(line(user_id=f"u{i}") + "x\n" for i in range(100)))
    whole, blocks = taken(landed), taken(landed, block_bytes=200)
    assert blocks.landed.sort("line").equals(whole.landed.sort("line"))
    assert blocks.quarantined.sort("line").equals(whole.quarantined.sort("line"))


def test_what_follows_a_nested_value_is_no_part_of_a_number(tmp_path):
    bad = line(z={}).strip().replace("{}", "{}.5")
    result = taken(file(tmp_path, "a.ndjson", line(z={}) + bad))
    reason = "the line is no JSON object, or is nested too deeply"
    assert refused(result) == [(2, bad, reason)]
    assert rows(result, "extra") == [('{"z":{}}',)]


def test_the_end_of_a_key_with_a_quote_is_no_key(tmp_path):
    files = [
        file(tmp_path, "a.ndjson", line(country=None, zone=None)),
        file(tmp_path, "b.ndjson", line(**{'a"zone': None})),
    ]
    unmapped = taken(files).receipts.sort("file")["unmapped_columns"].to_list()
    assert unmapped == ['["zone"]', '["a\\"zone"]']
