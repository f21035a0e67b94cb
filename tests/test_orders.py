from decimal import Decimal
from typing import Any

import polars as pl
from frames import assert_rows, collected, day, frame
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle.compare import assert_equal_tables
from oracle.facts import orders_oracle
from order_rows import line

from pipelines.references import REFERENCES
from schemas.base import empty
from schemas.exchange_rates import ExchangeRates
from schemas.landed_orders import LandedOrders
from schemas.orders import Orders
from schemas.staff import Staff
from transforms.duplicate_orders import duplicate_orders
from transforms.orders import orders

NO_RATES = pl.DataFrame(schema={"day": pl.Date, "currency": pl.String, "rate": pl.Decimal(18, 8)})


def made(
    *lines: dict[str, Any], rates: list[dict[str, Any]] | None = None, staff: str | None = None
) -> pl.LazyFrame:
    landed = frame(LandedOrders, lines)
    return orders(
        landed,
        duplicate_orders(landed),
        frame(ExchangeRates, rates or []),
        frame(Staff, [{"staff_id": staff}] if staff else []),
        currency="EUR",
        ecb_rates=NO_RATES,
    )


def test_a_refund_is_negative_whichever_sign_it_came_with() -> None:
    lines = [
        line(1),
        line(2, kind="refund", amount=Decimal("2.5")),
        line(3, "p", kind="refund", amount=Decimal("-2.5")),
        line(4, "q", amount=Decimal("-1")),
    ]
    assert_rows(
        made(*lines),
        Orders,
        [
            {"line": 1, "amount": Decimal(10)},
            {"line": 2, "amount": Decimal("-2.5")},
            {"line": 3, "amount": Decimal("-2.5")},
            {"line": 4, "amount": Decimal(-1)},
        ],
    )


def test_money_is_turned_at_the_rate_of_the_order_day() -> None:
    # 10 / 1.6 = 6.25
    usd = {"day": day("2024-03-01"), "currency": "USD", "rate": Decimal("1.6"), "fate": "counts"}
    assert_rows(
        made(line(1, currency="USD"), rates=[usd]),
        Orders,
        [{"amount": Decimal("6.25"), "original_amount": Decimal(10), "fate": "counts"}],
    )


def test_money_without_a_rate_waits() -> None:
    assert_rows(
        made(line(1, currency="USD")),
        Orders,
        [{"amount": None, "original_amount": Decimal(10), "fate": "awaiting_rate"}],
    )


def test_what_no_table_could_hold_at_its_rate_waits_for_another() -> None:
    # 10^12 / 10^-8 = 10^20
    rate = {"day": day("2024-03-01"), "currency": "XAU", "fate": "counts"}
    assert_rows(
        made(
            line(1, currency="XAU", amount=Decimal(10**12)),
            rates=[rate | {"rate": Decimal("0.00000001")}],
        ),
        Orders,
        [{"amount": None, "fate": "awaiting_rate"}],
    )


def test_of_one_order_line_and_kind_the_first_received_counts_at_any_age() -> None:
    lines = [
        line(1, landing_date=day("2024-03-06")),
        line(2, when="2021-01-01 10:00", landing_date=day("2024-03-07")),
        line(3),
        line(4, kind="refund"),
        line(5, line_id="2"),
    ]
    assert_rows(
        made(*lines),
        Orders,
        [
            {"line": 1, "fate": "duplicate"},
            {"line": 2, "fate": "duplicate"},
            {"line": 3, "fate": "counts"},
            {"line": 4, "fate": "counts"},
            {"line": 5, "fate": "counts"},
        ],
    )


def test_of_one_file_the_earlier_line_counts() -> None:
    assert_rows(
        made(line(2), line(1)),
        Orders,
        [{"line": 1, "fate": "counts"}, {"line": 2, "fate": "duplicate"}],
    )


lines_of_orders = st.lists(
    st.builds(
        line,
        st.integers(1, 1_000),
        st.sampled_from("op"),
        line_id=st.sampled_from(["", "2"]),
        kind=st.sampled_from(["purchase", "refund"]),
        amount=st.decimals(-1000, 1000, places=4),
        currency=st.sampled_from(["EUR", "USD", "GBP", "JPY", "BTC"]),
        when=st.sampled_from(["2024-03-04 10:00", "2024-03-10 10:00", "2023-12-30 10:00"]),
        landing_date=st.sampled_from([day("2024-03-05"), day("2024-03-06")]),
    ),
    max_size=12,
    unique_by=lambda row: (row["landing_date"], row["line"]),
)
own_rates = st.lists(
    st.fixed_dictionaries(
        {
            "day": st.sampled_from([day("2024-03-03"), day("2024-03-04"), day("2024-02-26")]),
            "currency": st.sampled_from(["USD", "BTC"]),
            "rate": st.decimals("0.00000001", 1000, places=8),
            "fate": st.just("counts"),
        }
    ),
    max_size=4,
    unique_by=lambda row: (row["day"], row["currency"]),
)


@settings(max_examples=20, deadline=None)
@given(lines_of_orders, own_rates, st.sampled_from(["EUR", "USD", "CHF"]))
def test_every_cell_equals_the_sql_computation(
    lines: list[dict[str, Any]], rates: list[dict[str, Any]], currency: str
) -> None:
    landed, own = frame(LandedOrders, lines), frame(ExchangeRates, rates)
    ecb = REFERENCES["ecb_rates"].load().filter(pl.col("day").dt.year().is_between(2023, 2024))
    twins, staff = duplicate_orders(landed), empty(Staff)
    table = orders(landed, twins, own, staff, currency=currency, ecb_rates=ecb)
    expected = orders_oracle(landed.collect(), own.collect(), ecb, currency=currency)
    assert_equal_tables("orders", collected(table, Orders), expected)


def test_orders_of_staff_are_excluded_with_a_rate_or_without_and_twins_stay_duplicates() -> None:
    lines = [
        line(1, "o", customer_id="bob", currency="EUR"),
        line(2, "p", customer_id="bob", currency="XAU"),
        line(3, "q", customer_id="ada", currency="EUR"),
        line(4, "o", customer_id="bob", currency="EUR"),
    ]
    assert_rows(
        made(*lines, staff="bob"),
        Orders,
        [
            {"line": 1, "fate": "excluded"},
            {"line": 2, "fate": "excluded"},
            {"line": 3, "fate": "counts"},
            {"line": 4, "fate": "duplicate"},
        ],
    )
