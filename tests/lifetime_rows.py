"""Literal rows of what lifetime value is made from."""

from itertools import count
from typing import Any

import polars as pl
from frames import at, day, frame

from schemas.clv_models import ClvModels
from schemas.customer_months import CustomerMonths
from schemas.orders import Orders

_LINES = count(1)

# What the paper finds for CDNOW.
CDNOW = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}
SPENDING = {"p": 6.25, "q": 3.74, "v": 15.44}


def buy(customer: str, date: str, amount: str = "10", **columns: Any) -> dict[str, Any]:
    """A purchase at noon, an order of its own."""
    line = next(_LINES)
    return {
        "customer_id": customer,
        "event_date": day(date),
        "ordered_ts": at(f"{date} 12:00"),
        "order_id": f"o{line}",
        "line_id": "",
        "kind": "purchase",
        "amount": amount,
        "fate": "counts",
        "line": line,
        "file": "orders.csv",
        "landing_date": day(date),
        **columns,
    }


def orders(*rows: dict[str, Any]) -> pl.LazyFrame:
    """Orders whose amounts are written as text."""
    plain = [{**row, "amount": None} for row in rows]
    amounts = pl.Series("amount", [row["amount"] for row in rows], pl.String)
    return frame(Orders, plain).with_columns(amounts.cast(pl.Decimal(18, 4)))


def pays(customer: str, month: str, mrr: str, **columns: Any) -> dict[str, Any]:
    """A customer's state at the end of a month written as 2024-01."""
    return {
        "customer_id": customer,
        "month": day(f"{month}-01"),
        "mrr_amount": mrr,
        "movement": "none",
        "opening_plan": "pro",
        "plan": "pro",
        "country": "DE",
        "segment": "unknown",
        "is_complete": True,
        **columns,
    }


def months(*rows: dict[str, Any]) -> pl.LazyFrame:
    """Customer-months whose MRR is written as text."""
    plain = [{**row, "mrr_amount": None} for row in rows]
    amounts = pl.Series("mrr_amount", [row["mrr_amount"] for row in rows], pl.String)
    return frame(CustomerMonths, plain).with_columns(amounts.cast(pl.Decimal(18, 4)))


def models(**parameters: dict[str, float]) -> pl.LazyFrame:
    """``clv_models`` with these parameters per model."""
    return frame(ClvModels, [{"model": name, **values} for name, values in parameters.items()])
