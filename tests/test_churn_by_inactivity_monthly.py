"""Customers of shops without subscriptions."""

from typing import Any

import polars as pl
from frames import assert_rows, collected, day, frame

from schemas.churn_by_inactivity_monthly import ChurnByInactivityMonthly
from schemas.orders import Orders
from transforms.churn_by_inactivity_monthly import churn_by_inactivity_monthly


def order(date: str, customer_id: str = "ann", **columns: Any) -> dict[str, Any]:
    usual = {"kind": "purchase", "fate": "counts"}
    return {"event_date": day(date), "customer_id": customer_id, **usual, **columns}


def churn(*orders: dict[str, Any], through: str, days: int = 90) -> pl.LazyFrame:
    return churn_by_inactivity_monthly(
        frame(Orders, orders), churn_inactivity_days=days, data_through=day(through)
    )


def story(*orders: dict[str, Any], through: str, days: int = 90) -> list[tuple[str, int, int]]:
    """Month, customers at its end, customers lost in it."""
    rows = collected(churn(*orders, through=through, days=days), ChurnByInactivityMonthly)
    columns = rows.select("month", "customers_end", "lost_customers").rows()
    return [(f"{month:%Y-%m}", end, lost) for month, end, lost in columns]


def test_a_customer_is_lost_when_the_last_order_is_more_than_the_days_back() -> None:
    # 90 days up to and with 31 March 2024 begin on 2 January (30 + 29 + 31 = 90).
    assert story(order("2024-01-02"), through="2024-04-30") == [
        ("2024-01", 1, 0),
        ("2024-02", 1, 0),
        ("2024-03", 1, 0),
        ("2024-04", 0, 1),
    ]
    assert story(order("2024-01-01"), through="2024-03-31")[-1] == ("2024-03", 0, 1)


def test_the_columns_are_those_of_churn() -> None:
    # February opens with ann and bob, from January. With 31 days the 29th of February looks back
    # to 30 January: bob's order of the 20th is too old. eve is new.
    orders = [
        order("2024-01-05", "ann"),
        order("2024-02-05", "ann"),
        order("2024-01-20", "bob"),
        order("2024-02-10", "eve"),
    ]
    table = churn(*orders, through="2024-02-29", days=31).filter(month=day("2024-02-01"))
    assert_rows(
        table,
        ChurnByInactivityMonthly,
        [
            {"customers_start": 2, "new_customers": 1, "reactivated_customers": 0}
            | {"lost_customers": 1, "customers_end": 2, "retained_customers": 1}
            | {"churn_rate": 0.5, "retention_rate": 0.5, "is_complete": True}
            | {"annualised_churn_rate": 1 - 0.5**12}
        ],
    )


def test_who_orders_again_after_being_lost_is_reactivated() -> None:
    table = churn(order("2023-11-15"), order("2024-03-15"), through="2024-03-20", days=30)
    rows = collected(table, ChurnByInactivityMonthly)
    names = ["customers_start", "new_customers", "reactivated_customers", "lost_customers"]
    assert rows.select(names).rows() == [
        (0, 1, 0, 0),
        (1, 0, 0, 1),
        (0, 0, 0, 0),
        (0, 0, 0, 0),
        (0, 0, 1, 0),
    ]
    assert rows["is_complete"].to_list() == [True, True, True, True, False]


def test_refunds_duplicates_and_orders_without_a_rate_make_no_customer() -> None:
    orders = [
        order("2024-01-05", kind="refund"),
        order("2024-01-05", fate="duplicate"),
        order("2024-01-05", fate="awaiting_rate"),
    ]
    assert story(*orders, through="2024-01-31") == []


def test_the_running_month_is_judged_on_the_last_known_day() -> None:
    # 7 days up to the 12th begin on the 6th.
    assert story(order("2024-01-06"), through="2024-01-12", days=7) == [("2024-01", 1, 0)]
    assert story(order("2024-01-05"), through="2024-01-12", days=7) == []
    assert story(order("2024-01-13"), through="2024-01-12", days=7) == []


def test_who_bought_between_two_edges_only_was_never_a_customer() -> None:
    orders = [order("2024-01-05"), order("2024-02-28")]
    rows = collected(churn(*orders, through="2024-02-29", days=7), ChurnByInactivityMonthly)
    assert rows.select("month", "new_customers").rows() == [(day("2024-02-01"), 1)]
