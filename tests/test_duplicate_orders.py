from frames import assert_rows, day, frame
from order_rows import line

from schemas.duplicate_orders import DuplicateOrders
from schemas.landed_orders import LandedOrders
from transforms.duplicate_orders import duplicate_orders


def test_the_row_that_was_received_later_loses_at_any_age() -> None:
    rows = [line(1), line(2, when="2021-03-01 10:00", landing_date=day("2024-03-09"))]
    assert_rows(
        duplicate_orders(frame(LandedOrders, rows)),
        DuplicateOrders,
        [{"event_date": day("2021-03-01"), "landing_date": day("2024-03-09"), "line": 2}],
    )


def test_order_line_and_kind_are_the_identity() -> None:
    rows = [line(1), line(2, "p"), line(3, line_id="2"), line(4, kind="refund")]
    assert_rows(duplicate_orders(frame(LandedOrders, rows)), DuplicateOrders, [])


def test_what_one_order_is_called_never_runs_into_its_line() -> None:
    rows = [line(1, "a", line_id="bc"), line(2, "ab", line_id="c")]
    assert_rows(duplicate_orders(frame(LandedOrders, rows)), DuplicateOrders, [])


def test_a_duplicate_that_says_something_else_than_the_row_that_counts_is_marked() -> None:
    rows = [line(1), line(2, content_hash=2), line(3), line(4, "p", content_hash=5)]
    assert_rows(
        duplicate_orders(frame(LandedOrders, rows)),
        DuplicateOrders,
        [{"line": 2, "differs": True}, {"line": 3, "differs": False}],
    )
