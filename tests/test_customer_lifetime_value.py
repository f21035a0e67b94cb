from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from frames import assert_rows, collected, day
from homes import LONG
from hypothesis import given, settings
from hypothesis import strategies as st
from lifetime_rows import CDNOW, SPENDING, buy, models, months, orders, pays
from oracle.lifetime_value import Oracle

from schemas.base import empty
from schemas.customer_lifetime_value import CustomerLifetimeValue
from schemas.customer_months import CustomerMonths
from schemas.orders import Orders
from transforms.customer_lifetime_value import customer_lifetime_value

BOTH = {"bg_nbd": CDNOW, "gamma_gamma": SPENDING}


def value(
    bought: pl.LazyFrame,
    paid: pl.LazyFrame | None = None,
    known: pl.LazyFrame | None = None,
    *,
    through: str,
    horizon: int = 12,
    discount: float = 0.0,
) -> pl.LazyFrame:
    return customer_lifetime_value(
        bought,
        empty(CustomerMonths) if paid is None else paid,
        models() if known is None else known,
        clv_horizon_months=horizon,
        clv_discount_rate=discount,
        data_through=day(through),
    )


def rows(*columns: str, of: pl.LazyFrame) -> list[tuple[Any, ...]]:
    return collected(of, CustomerLifetimeValue).select(columns).rows()


def test_repeat_days_are_counted_and_the_first_day_is_not_among_them() -> None:
    # Days 1, 8 (two orders) and 22 January; the mean of 30 + 10 and 20 is 30.
    table = value(
        orders(
            buy("u", "2024-01-01", "100"),
            buy("u", "2024-01-08", "30"),
            buy("u", "2024-01-08", "10"),
            buy("u", "2024-01-22", "20"),
        ),
        through="2024-01-31",
    )
    assert_rows(
        table,
        CustomerLifetimeValue,
        [
            {
                "customer_id": "u",
                "as_of": day("2024-01-31"),
                "model": "bg_nbd",
                "orders": 4,
                "revenue_amount": Decimal(160),
                "first_order_date": day("2024-01-01"),
                "last_order_date": day("2024-01-22"),
                "frequency": 2,
                "recency_days": 21,
                "tenure_days": 30,
                "valued_days": 2,
                "valued_amount": Decimal(60),
                "monetary_amount": Decimal(30),
                "alive_probability": None,
                "expected_orders": None,
                "expected_value_amount": None,
            }
        ],
    )


def test_refunds_are_netted_within_their_day_and_a_day_of_refunds_alone_is_no_purchase() -> None:
    # 8 January: 30 - 30 is not above zero. 9 January: only a refund. 10 January: 20 - 5.
    table = value(
        orders(
            buy("u", "2024-01-01"),
            buy("u", "2024-01-08", "30"),
            buy("u", "2024-01-08", "-30", kind="refund"),
            buy("u", "2024-01-09", "-10", kind="refund"),
            buy("u", "2024-01-10", "20"),
            buy("u", "2024-01-10", "-5", kind="refund"),
        ),
        through="2024-01-31",
    )
    names = ("orders", "revenue_amount", "frequency", "recency_days", "valued_days")
    assert rows(*names, "monetary_amount", of=table) == [(3, Decimal(15), 2, 9, 1, Decimal(15))]


def test_lines_of_one_order_are_one_order() -> None:
    table = value(
        orders(
            buy("u", "2024-01-01", order_id="o", line_id="1"),
            buy("u", "2024-01-01", order_id="o", line_id="2"),
        ),
        through="2024-01-31",
    )
    assert rows("orders", "frequency", "revenue_amount", of=table) == [(1, 0, Decimal(20))]


def test_what_does_not_count_or_lies_after_the_horizon_is_not_seen() -> None:
    table = value(
        orders(
            buy("u", "2024-01-01"),
            buy("u", "2024-01-02", fate="duplicate"),
            buy("u", "2024-01-03", None, fate="awaiting_rate"),
            buy("u", "2024-02-01"),
            buy("v", "2024-02-01"),
        ),
        through="2024-01-31",
    )
    assert rows("customer_id", "orders", "frequency", of=table) == [("u", 1, 0)]


def test_who_only_had_refunds_is_listed_so_that_revenue_adds_up_but_is_no_buyer() -> None:
    table = value(
        orders(buy("u", "2024-01-01", "-7", kind="refund")),
        known=models(**BOTH),
        through="2024-01-31",
    )
    names = ("orders", "revenue_amount", "first_order_date", "frequency", "alive_probability")
    assert rows(*names, "expected_value_amount", of=table) == [
        (0, Decimal(-7), None, None, None, None)
    ]


def test_without_the_spending_model_orders_are_foretold_but_not_their_value() -> None:
    table = value(orders(buy("u", "2024-01-01")), known=models(bg_nbd=CDNOW), through="2024-01-31")
    [(alive, expected, amount)] = rows(
        "alive_probability", "expected_orders", "expected_value_amount", of=table
    )
    assert (alive, amount) == (1.0, None)
    assert expected > 0


def test_one_who_never_came_back_is_expected_to_spend_what_all_do() -> None:
    # p v / (q - 1) = 6.25 * 15.44 / 2.74 = 35.2190 for each order
    table = value(orders(buy("u", "2024-01-01")), known=models(**BOTH), through="2024-01-31")
    [(expected, amount)] = rows("expected_orders", "expected_value_amount", of=table)
    assert float(amount) == pytest.approx(expected * 35.2190, abs=1e-3)


def test_discounting_makes_later_value_worth_less() -> None:
    bought = orders(buy("u", "2024-01-01"), buy("u", "2024-01-20"))
    amounts = [
        rows(
            "expected_orders",
            "expected_value_amount",
            of=value(bought, known=models(**BOTH), through="2024-01-31", discount=rate),
        )[0]
        for rate in (0.0, 0.15)
    ]
    assert amounts[0][0] == amounts[1][0]
    assert 0.85 * amounts[0][1].__float__() < float(amounts[1][1]) < float(amounts[0][1])


PAID = [
    pays("stays", "2024-01", "10"),
    pays("stays", "2024-02", "10"),
    pays("stays", "2024-03", "12"),
    pays("left", "2024-01", "10"),
    pays("left", "2024-02", "0", movement="churn"),
    pays("back", "2024-01", "10"),
    pays("back", "2024-02", "0", movement="churn"),
    pays("back", "2024-03", "20", movement="reactivation"),
]


def test_billed_months_are_orders_and_who_comes_back_starts_anew() -> None:
    table = value(empty(Orders), months(*PAID), through="2024-03-31")
    names = ("customer_id", "orders", "revenue_amount", "frequency", "monetary_amount")
    assert rows(*names, "alive_probability", of=table) == [
        ("back", 2, Decimal(30), 0, Decimal(20), 1.0),
        ("left", 1, Decimal(10), 0, Decimal(0), 0.0),
        ("stays", 3, Decimal(32), 2, Decimal(12), 1.0),
    ]


def test_with_a_contract_the_months_ahead_are_weighed_with_survival() -> None:
    # alpha 1, beta 2, two months ahead. Two renewals passed: 4/5 and 4/5 * 5/6 = 0.8 + 0.666667
    # at 12; none passed: 2/3 + 2/3 * 3/4 = 0.666667 + 0.5 at 20; who left: nothing.
    table = value(
        empty(Orders),
        months(*PAID),
        models(sbg={"alpha": 1.0, "beta": 2.0}),
        through="2024-03-31",
        horizon=2,
    )
    assert rows("customer_id", "expected_orders", "expected_value_amount", of=table) == [
        ("back", 1.166667, Decimal("23.3333")),
        ("left", 0.0, Decimal(0)),
        ("stays", 1.466667, Decimal("17.6000")),
    ]


def test_the_running_month_is_billed_but_not_yet_a_renewal() -> None:
    table = value(empty(Orders), months(*PAID), through="2024-03-30")
    found = rows("customer_id", "orders", "frequency", "alive_probability", of=table)
    assert found == [("back", 2, 0, 1.0), ("left", 1, 0, 0.0), ("stays", 3, 1, 1.0)]


def test_no_data_is_no_row() -> None:
    assert rows("customer_id", of=value(empty(Orders), through="2024-01-31")) == []


FIRST = date(2024, 1, 1)
purchase = st.builds(
    lambda customer, offset, cents, kind, fate, order: buy(
        customer,
        (FIRST + timedelta(days=offset)).isoformat(),
        f"{-cents / 100 if kind == 'refund' else cents / 100:.2f}",
        kind=kind,
        fate=fate,
        order_id=f"{customer}{order}",
    ),
    st.sampled_from("uvw"),
    st.integers(0, 80),
    st.integers(0, 5000),
    st.sampled_from(["purchase", "purchase", "purchase", "refund"]),
    st.sampled_from(["counts", "counts", "counts", "duplicate"]),
    st.integers(0, 20),
)


@settings(max_examples=200 if LONG else 12)
@given(st.lists(purchase, min_size=1, max_size=20), st.sampled_from([0.0, 0.1]))
def test_sql_finds_the_same(bought: list[dict[str, Any]], discount: float) -> None:
    frame = orders(*bought)
    table = value(frame, known=models(**BOTH), through="2024-03-01", horizon=3, discount=discount)
    found = collected(table, CustomerLifetimeValue)
    oracle = Oracle(frame.collect(), day("2024-03-01"))
    expected = oracle.buyers({**CDNOW, **SPENDING}, months=3, discount=discount)
    expected = expected.sort("customer_id")
    exact = [name for name in expected.columns if name not in FORETOLD]
    typed = expected.cast({name: found.schema[name] for name in exact})
    assert found.select(exact).rows() == typed.select(exact).rows()
    for name in FORETOLD:
        left, right = found[name].cast(pl.Float64), expected[name].cast(pl.Float64)
        assert left.is_null().equals(right.is_null()), name
        apart = (left - right).abs().max()
        assert apart is None or float(apart) < 1e-4, name


FORETOLD = ("alive_probability", "expected_orders", "expected_value_amount")
