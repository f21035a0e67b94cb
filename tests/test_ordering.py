"""Sorting by packed numbers gives what polars' own sort gives."""

from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any
from unittest.mock import patch

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms import ordering
from transforms.ordering import is_sorted, order_of, rank_of, sorted_by

SCHEMA = {
    "day": pl.Date,
    "name": pl.String,
    "at": pl.Datetime("us", "UTC"),
    "number": pl.Int64,
    "is_it": pl.Boolean,
    "id": pl.String,
}
FAR, NEAR = datetime(1, 1, 1, tzinfo=UTC), datetime(2024, 5, 1, tzinfo=UTC)
ROWS = st.lists(
    st.tuples(
        st.sampled_from([None, date(2024, 5, 1), date(1, 1, 1), date(9999, 12, 31)]),
        st.sampled_from([None, "", "a", "b", "Ä", "ab", "\x00"]),
        st.sampled_from([None, NEAR, FAR]),
        st.sampled_from([None, 0, -1, 2**63 - 1, -(2**63)]),
        st.sampled_from([None, True, False]),
        st.text(max_size=3) | st.none(),
    ),
    max_size=30,
)


@given(ROWS, st.permutations(list(SCHEMA)), st.integers(1, len(SCHEMA)))
def test_any_columns_of_any_rows_come_in_the_order_of_polars(
    rows: list[tuple[Any, ...]], names: list[str], how_many: int
) -> None:
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    by = names[:how_many]
    expected = frame.sort(by).select(by)
    assert frame[order_of(frame, by)].select(by).equals(expected)
    assert is_sorted(frame, by) == frame.select(by).equals(expected)


def test_rows_that_came_in_order_are_not_touched_and_others_are_sorted() -> None:
    with patch.object(ordering, "_FEW_ROWS", 0):
        frame = pl.DataFrame({"name": [None, "a", "a", "b"], "number": [3, 1, 2, 0]})
        assert sorted_by(frame, ["name", "number"]) is frame
        assert sorted_by(frame, ["number"])["number"].to_list() == [0, 1, 2, 3]


@given(ROWS, st.integers(0, 30), st.integers(0, 30))
def test_rows_in_pieces_come_in_the_order_of_those_in_one(
    rows: list[tuple[Any, ...]], first: int, second: int
) -> None:
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    cuts = sorted({0, min(first, len(rows)), min(second, len(rows)), len(rows)})
    parts = [rows[start:end] for start, end in pairwise(cuts)]
    pieces = [pl.DataFrame(part, schema=SCHEMA, orient="row") for part in parts] or [frame]
    with patch.object(ordering, "_FEW_ROWS", 0):
        in_pieces = sorted_by(pl.concat(pieces, rechunk=False), list(SCHEMA))
    assert in_pieces.equals(frame.sort(list(SCHEMA)))


def test_that_rows_are_sorted_is_not_said_after_a_look_at_the_first_ones() -> None:
    with patch.object(ordering, "_FEW", 2):
        assert not is_sorted(pl.DataFrame({"number": [1, 2, 0]}), ["number"])


@pytest.mark.parametrize(
    ("values", "ranks"),
    [
        (["b", None, "a", "b"], [1, None, 0, 1]),
        (["b", "b", "b", None, None, "a", "a", "b", "b"], [1, 1, 1, None, None, 0, 0, 1, 1]),
        ([None, None, None, "a", "a", "a"], [None, None, None, 0, 0, 0]),
        (["d", "c", "b", "a"], [3, 2, 1, 0]),
        ([None, None], [None, None]),
        ([], []),
    ],
)
def test_a_rank_is_the_place_among_the_distinct_values(
    values: list[str | None], ranks: list[int | None]
) -> None:
    assert rank_of(pl.Series(values, dtype=pl.String)).to_list() == ranks
