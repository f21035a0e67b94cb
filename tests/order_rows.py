"""Landed order lines for tests."""

from decimal import Decimal
from typing import Any

from frames import at, day


def line(number: int, order_id: str = "o", **columns: Any) -> dict[str, Any]:
    """A landed line: 10 EUR, bought by ada on 4 March, where nothing else is said."""
    when = columns.pop("when", "2024-03-04 10:00")
    return {
        "order_id": order_id,
        "line_id": "",
        "customer_id": "ada",
        "ordered_ts": at(when),
        "amount": Decimal(10),
        "currency": "EUR",
        "kind": "purchase",
        "event_date": at(when).date(),
        "landing_date": day("2024-03-05"),
        "file": "f.csv",
        "line": number,
        "content_hash": 1,
    } | columns
