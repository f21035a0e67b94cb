"""Numbers that are too large or too long, in text and as JSON numbers: the same in every format."""

import json
from decimal import Decimal

import pytest
from landing_support import TS, file, is_conserved, refused, rows, taken

from pipelines.landing.sources import SOURCES

TOO_LARGE = "amount is not a number below 10^14"
NOT_FINITE = "value is not a finite number"
AS_WHAT = ["number", "text", "csv"]
# Of 19 digits in a row a line is read with care, of any others in one sweep with its neighbours.
CAREFULLY = ["1", "1234567890123456789"]
BEYOND_A_DOUBLE = [
    "1e400",
    "-1e999",
    "1.1234567890123456789e999",
    "1234567890123456789e999",
    "1e99999999999999999999",
    "9" * 400,
    "9" * 5000,
]


def written(number, as_what, **row):
    """A file of one row with the number in each column of ``row`` that is None."""
    if as_what == "csv":
        values = [number if value is None else value for value in row.values()]
        return "a.csv", ",".join(row) + "\n" + ",".join(values) + "\n"
    spelled = number if as_what == "number" else json.dumps(number)
    said = (f"{json.dumps(k)}: {spelled if v is None else json.dumps(v)}" for k, v in row.items())
    return "a.ndjson", "{" + ", ".join(said) + "}\n"


def order(tmp_path, number, as_what):
    row = {"order_id": "o", "customer_id": "c", "ordered_ts": TS, "currency": "EUR"}
    name, body = written(number, as_what, **row, amount=None)
    return taken(file(tmp_path, name, body), source=SOURCES["orders"])


@pytest.mark.parametrize("as_what", AS_WHAT)
@pytest.mark.parametrize(
    "number", [*BEYOND_A_DOUBLE, "1e308", "1234567890123456789012345", "-9223372036854775808"]
)
def test_an_amount_that_no_column_holds_is_refused_by_its_name(tmp_path, number, as_what):
    result = order(tmp_path, number, as_what)
    assert [reason for _, _, reason in refused(result)] == [TOO_LARGE]
    assert is_conserved(result)


@pytest.mark.parametrize("as_what", AS_WHAT)
@pytest.mark.parametrize(
    ("number", "amount"),
    [
        ("1.00005", "1.0000"),
        ("0.1234567890123456789012345", "0.1235"),
        ("1.1234567890123456789e-999", "0"),
        ("1.5E3", "1500"),
        ("-0.0", "0"),
        ("1000000000000", "1000000000000"),
    ],
)
def test_an_amount_is_rounded_half_to_even_once(tmp_path, number, amount, as_what):
    assert rows(order(tmp_path, number, as_what), "amount") == [(Decimal(amount),)]


@pytest.mark.parametrize("id_", CAREFULLY)
@pytest.mark.parametrize("as_what", AS_WHAT)
@pytest.mark.parametrize("number", BEYOND_A_DOUBLE)
def test_a_value_that_no_double_reaches_is_refused_by_its_name(tmp_path, number, as_what, id_):
    row = {"event_id": id_, "event_name": "view", "event_ts": TS, "user_id": "u"}
    result = taken(file(tmp_path, *written(number, as_what, **row, value=None)))
    assert [reason for _, _, reason in refused(result)] == [NOT_FINITE]


@pytest.mark.parametrize("id_", CAREFULLY)
@pytest.mark.parametrize("as_what", AS_WHAT)
@pytest.mark.parametrize("number", BEYOND_A_DOUBLE)
def test_beside_the_columns_it_is_kept_as_it_was_written(tmp_path, number, as_what, id_):
    row = {"event_id": id_, "event_name": "view", "event_ts": TS, "user_id": "u"}
    result = taken(file(tmp_path, *written(number, as_what, **row, size=None)))
    assert rows(result, "event_id", "extra") == [(id_, f'{{"size":"{number}"}}')]


@pytest.mark.parametrize("id_", CAREFULLY)
def test_within_properties_long_integers_keep_their_digits_and_what_is_beyond_its_text(
    tmp_path, id_
):
    row = f'"event_id": {id_}, "event_name": "view", "event_ts": "{TS}", "user_id": "u"'
    body = f'{{{row}, "properties": {{"a": 1e999, "b": [{"1" * 25}, -1e400], "c": 1.5}}}}\n'
    result = taken(file(tmp_path, "a.ndjson", body))
    kept = '{"a":"1e999","b":[1111111111111111111111111,"-1e400"],"c":1.5}'
    assert rows(result, "event_id", "properties") == [(id_, kept)]


def test_a_number_beyond_a_double_changes_no_neighbour(tmp_path):
    row = {"event_name": "view", "event_ts": TS, "user_id": "u"}
    parts = [written(number, "number", **row, size=None)[1] for number in ("1", "1e999", "2.50")]
    result = taken(file(tmp_path, "a.ndjson", "".join(parts)))
    assert rows(result, "line", "extra") == [
        (1, '{"size":1}'),
        (2, '{"size":"1e999"}'),
        (3, '{"size":2.5}'),
    ]
