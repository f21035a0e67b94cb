"""Rows of subscriptions, orders and customer_months, written as short as a test can read them."""

from decimal import Decimal
from typing import Any

import polars as pl
from frames import at, collected, day, frame

from schemas.customers import Customers
from schemas.exchange_rates import ExchangeRates
from schemas.landed_subscriptions import LandedSubscriptions
from schemas.staff import Staff
from schemas.subscriptions import Subscriptions
from transforms.subscriptions import subscriptions

NO_RATES = pl.DataFrame(schema={"day": pl.Date, "currency": pl.String, "rate": pl.Decimal(18, 8)})


def subscribed(started: str, amount: str = "10", **columns: Any) -> dict[str, Any]:
    """A landed row: the plan pro of ann, monthly, landed on the day on which it starts."""
    instant = at(started if ":" in started else f"{started} 00:00")
    instants = {
        name: at(text if ":" in text else f"{text} 00:00")
        for name, text in columns.items()
        if name.endswith("_ts") and isinstance(text, str)
    }
    landing = columns.pop("landed", f"{instant:%Y-%m-%d}")
    return {
        "subscription_id": "s1",
        "customer_id": "ann",
        "plan": "pro",
        "amount": Decimal(amount),
        "currency": "EUR",
        "interval": "month",
        "interval_count": 1,
        "quantity": 1,
        "status": "active",
        "started_ts": instant,
        "event_date": instant.date(),
        "landing_date": day(landing),
        "file": "f",
        "line": 1,
        **columns,
        **instants,
    }


def fact(
    *rows: dict[str, Any],
    timezone: str = "UTC",
    rates: pl.LazyFrame | None = None,
    staff: str | None = None,
) -> pl.LazyFrame:
    """The fact that landed rows make, lines numbered in their order, in euros."""
    numbered = [{**row, "line": number} for number, row in enumerate(rows, 1)]
    table = subscriptions(
        frame(LandedSubscriptions, numbered),
        frame(ExchangeRates) if rates is None else rates,
        frame(Staff, [{"staff_id": staff}] if staff else []),
        currency="EUR",
        timezone=timezone,
        ecb_rates=NO_RATES,
    )
    return collected(table, Subscriptions).lazy()


def known(customer_id: str, user_id: str | None = None, **columns: Any) -> dict[str, Any]:
    """A row of customers that counts."""
    return {
        "customer_id": customer_id,
        "user_id": user_id or customer_id,
        "is_staff": False,
        "fate": "counts",
        "landing_date": day("2024-01-01"),
        "file": "customers",
        "line": sum(map(ord, customer_id)),
        **columns,
    }


def customers(*rows: dict[str, Any]) -> pl.LazyFrame:
    return frame(Customers, rows)


def paying(customer_id: str, month: str, opening: str, closing: str, **columns: Any) -> Any:
    """A row of customer_months that is no first payment unless ``movement`` says so."""
    before, after = Decimal(opening), Decimal(closing)
    usual = "none" if before == after else "expansion" if after > before else "contraction"
    movement = "reactivation" if not before else "churn" if not after else usual
    return {
        "customer_id": customer_id,
        "month": day(f"{month}-01"),
        "opening_mrr_amount": before,
        "mrr_amount": after,
        "change_amount": after - before,
        "movement": movement,
        "opening_plan": "pro" if before else "none",
        "plan": "pro" if after else "none",
        "country": "unknown",
        "segment": "unknown",
        "is_complete": True,
        **columns,
    }
