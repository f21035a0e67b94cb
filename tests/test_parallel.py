"""Work that is shared among cores."""

from collections.abc import Callable
from threading import Event
from typing import Any
from unittest.mock import patch

import pytest

from pipelines.warehouse import parallel
from pipelines.warehouse.parallel import in_parallel, one_ahead


@pytest.mark.parametrize("each", [in_parallel, one_ahead])
@pytest.mark.parametrize("cores", [None, 1, 3])
def test_results_come_in_the_order_of_the_items(
    cores: int | None, each: Callable[..., Any]
) -> None:
    with patch.object(parallel.os, "cpu_count", lambda: cores):
        for items in ([], [1], list(range(20))):
            assert list(each(lambda item: item * item, items)) == [i * i for i in items]


def test_items_are_worked_on_side_by_side() -> None:
    second_began = Event()

    def work(item: int) -> bool:
        if item == 2:
            second_began.set()
        return second_began.wait(timeout=30)

    with patch.object(parallel.os, "cpu_count", lambda: 2):
        assert list(in_parallel(work, [1, 2])) == [True, True]


def test_one_item_is_worked_on_while_the_result_before_it_is_used_and_no_more() -> None:
    begun = {item: Event() for item in range(3)}

    def work(item: int) -> int:
        begun[item].set()
        return item

    with patch.object(parallel.os, "cpu_count", lambda: 2):
        results = one_ahead(work, range(3))
        assert next(results) == 0
        assert begun[1].wait(timeout=30)
        assert not begun[2].is_set()
        assert list(results) == [1, 2]


@pytest.mark.parametrize("each", [in_parallel, one_ahead])
def test_what_goes_wrong_with_an_item_is_raised_where_its_result_is_taken(
    each: Callable[..., Any],
) -> None:
    results = each(lambda item: 1 // item, [1, 0, 1])
    assert next(results) == 1
    with pytest.raises(ZeroDivisionError):
        next(results)
