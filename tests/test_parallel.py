"""Work that is shared among cores."""

from threading import Event
from unittest.mock import patch

import pytest

from pipelines.warehouse import parallel
from pipelines.warehouse.parallel import in_parallel


@pytest.mark.parametrize("cores", [None, 1, 3])
def test_results_come_in_the_order_of_the_items(cores: int | None) -> None:
    with patch.object(parallel.os, "cpu_count", lambda: cores):
        for items in ([], [1], list(range(20))):
            assert list(in_parallel(lambda item: item * item, items)) == [i * i for i in items]


def test_items_are_worked_on_side_by_side() -> None:
    second_began = Event()

    def work(item: int) -> bool:
        if item == 2:
            second_began.set()
        return second_began.wait(timeout=30)

    with patch.object(parallel.os, "cpu_count", lambda: 2):
        assert list(in_parallel(work, [1, 2])) == [True, True]


def test_what_goes_wrong_with_an_item_is_raised_where_its_result_is_taken() -> None:
    results = in_parallel(lambda item: 1 // item, [1, 0, 1])
    assert next(results) == 1
    with pytest.raises(ZeroDivisionError):
        next(results)
