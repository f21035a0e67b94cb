"""Which slices are made together: as many as memory allows, whatever lies between them."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from types import SimpleNamespace
from typing import cast

from pipelines.settings import Settings
from pipelines.warehouse.inputs import Inputs
from pipelines.warehouse.manifest import Manifest
from pipelines.warehouse.records import Slice, SliceKey
from pipelines.warehouse.specs import Reads, Spec, UpTo, Within

FIRST = date(2025, 3, 1)


def day(number: int, part: str = "") -> SliceKey:
    return SliceKey(FIRST + timedelta(days=number), part)


def together(
    reads: Reads, chunk_rows: int, stored: Mapping[SliceKey, int], wanted: Iterable[SliceKey]
) -> list[list[tuple[int, str]]]:
    """Days after the first and parts of the slices that are made together."""
    slices = {key: Slice(b"", b"", rows, None) for key, rows in stored.items()}
    manifest = cast(Manifest, SimpleNamespace(slices={"events": slices}))
    spec = Spec("some", "day", {"events": reads}, "facts", has_parts=True, chunk_rows=chunk_rows)
    chunks = Inputs(manifest, Settings()).chunks(spec, list(wanted))
    return [[((key.period - FIRST).days, key.part) for key in chunk] for chunk in chunks]


def base_days(*numbers: int) -> list[tuple[int, str]]:
    return [(number, "") for number in numbers]


SIX_DAYS = {day(number): 2 for number in range(6)}


def test_days_of_two_rows_each_are_made_three_at_a_time_where_six_rows_may_be_read() -> None:
    assert together(Within(), 6, SIX_DAYS, SIX_DAYS) == [base_days(0, 1, 2), base_days(3, 4, 5)]


def test_a_day_that_reads_the_next_one_counts_with_it_and_what_is_read_anyway_counts_once() -> None:
    # Days 0 to 3 are 8 rows, for three days; then 3 to 5 are 6 rows, and nothing comes after them.
    assert together(Within(0, 1), 8, SIX_DAYS, SIX_DAYS) == [base_days(0, 1, 2), base_days(3, 4, 5)]


def test_at_least_half_as_many_days_are_made_together_as_one_of_them_reads() -> None:
    # Seven days are read for one: of nine, for three.
    assert together(Within(3, 3), 1, SIX_DAYS, SIX_DAYS) == [base_days(0, 1, 2), base_days(3, 4, 5)]


def test_what_reads_all_before_it_is_weighed_by_its_own_rows() -> None:
    assert together(UpTo(), 6, SIX_DAYS, SIX_DAYS) == [base_days(0, 1, 2), base_days(3, 4, 5)]


def test_late_parts_of_days_far_apart_are_weighed_by_all_the_days_around_them() -> None:
    stored = {day(number): 2 for number in range(40)}
    late = {day(number, "late"): 1 for number in (0, 10, 20, 30)}
    # Four days to begin with, then seven around each, of 2 rows, and 1 row that is late: 9 and 15.
    assert together(Within(3, 3), 24, stored | late, late) == [
        [(0, "late"), (10, "late")],
        [(20, "late")],
        [(30, "late")],
    ]


def test_a_late_part_is_not_made_together_with_the_base_of_its_day() -> None:
    stored = {day(0): 2, day(0, "late"): 1}
    assert together(Within(), 100, stored, stored) == [[(0, "")], [(0, "late")]]
