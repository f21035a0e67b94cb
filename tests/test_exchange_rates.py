from decimal import Decimal
from typing import Any

from frames import assert_rows, day, frame

from schemas.exchange_rates import ExchangeRates
from schemas.landed_exchange_rates import LandedExchangeRates
from transforms.exchange_rates import exchange_rates


def rate(line: int, value: str, when: str = "2024-03-04", currency: str = "USD") -> dict[str, Any]:
    return {
        "day": day(when),
        "event_date": day(when),
        "currency": currency,
        "rate": Decimal(value),
        "landing_date": day("2024-03-05"),
        "file": "r.csv",
        "line": line,
    }


def test_of_one_day_and_currency_the_row_that_landed_last_counts() -> None:
    rows = [
        rate(1, "1.1"),
        rate(2, "1.2"),
        rate(3, "1.3", when="2024-03-03"),
        rate(4, "0.8", currency="GBP"),
    ]
    assert_rows(
        exchange_rates(frame(LandedExchangeRates, rows)),
        ExchangeRates,
        [
            {"line": 1, "rate": Decimal("1.1"), "fate": "duplicate"},
            {"line": 2, "rate": Decimal("1.2"), "fate": "counts"},
            {"line": 3, "rate": Decimal("1.3"), "fate": "counts"},
            {"line": 4, "rate": Decimal("0.8"), "fate": "counts"},
        ],
    )


def test_without_rates_the_table_is_empty() -> None:
    assert_rows(exchange_rates(frame(LandedExchangeRates)), ExchangeRates, [])
