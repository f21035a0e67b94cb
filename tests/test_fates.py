from typing import Any

import polars as pl
from frames import day
from hypothesis import given
from hypothesis import strategies as st

from transforms.fates import counted, latest

SCHEMA = {
    "id": pl.String,
    "updated": pl.Int64,
    "landing_date": pl.Date,
    "file": pl.String,
    "line": pl.Int64,
    "item": pl.Int64,
}


def row(
    line: int, name: str | None, *, updated: int | None = None, **columns: Any
) -> dict[str, Any]:
    usual = {"landing_date": day("2024-03-05"), "file": "f", "item": 1}
    return {"id": name, "updated": updated, "line": line} | usual | columns


def winners(*rows: dict[str, Any], updated: str | None = "updated") -> list[int]:
    """Lines of the rows that count."""
    judged = latest(pl.LazyFrame(rows, schema=SCHEMA), ["id"], updated)
    lines = counted(judged).select("line").collect().to_series()
    return sorted(lines.to_list())


def test_the_row_that_was_updated_last_counts() -> None:
    assert winners(row(1, "a", updated=5), row(2, "a", updated=4), row(3, "b", updated=1)) == [1, 3]


def test_a_row_without_a_time_is_older_than_one_with() -> None:
    assert winners(row(1, "a", updated=5), row(2, "a")) == [1]


def test_between_equal_times_the_later_landing_then_file_line_and_item_decide() -> None:
    assert winners(row(1, "a", landing_date=day("2024-03-06")), row(2, "a")) == [1]
    assert winners(row(1, "a", file="g"), row(2, "a")) == [1]
    assert winners(row(1, "a"), row(2, "a")) == [2]
    judged = latest(pl.LazyFrame([row(1, "a", item=2), row(1, "a")], schema=SCHEMA), ["id"], None)
    assert counted(judged).select("item").collect().item() == 2


def test_without_a_time_of_update_arrival_alone_decides() -> None:
    assert winners(row(1, "a", updated=5), row(2, "a", updated=4), updated=None) == [2]


def test_a_missing_id_is_an_id_like_any_other() -> None:
    assert winners(row(1, None), row(2, None), row(3, "a")) == [2, 3]


@given(
    st.lists(
        st.builds(
            row,
            st.integers(1, 9),
            st.sampled_from(["a", "b", None]),
            updated=st.sampled_from([None, 1, 2]),
        ),
        unique_by=lambda each: each["line"],
    ),
    st.randoms(),
)
def test_order_of_arrival_in_memory_does_not_matter(rows: list[dict[str, Any]], dice: Any) -> None:
    shuffled = list(rows)
    dice.shuffle(shuffled)
    assert winners(*rows) == winners(*shuffled)
    assert len(winners(*rows)) == len({each["id"] for each in rows})
