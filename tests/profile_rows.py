"""Sources of customer profiles as literal rows, and the table that they make."""

from collections.abc import Iterable
from typing import Any

import polars as pl
from frames import at, day, frame
from lifetime_rows import orders
from revenue_rows import customers, fact
from survey_rows import responses

from schemas.base import empty
from schemas.churn_models import ChurnModels
from schemas.customer_lifetime_value import CustomerLifetimeValue
from schemas.known_users import KnownUsers
from schemas.mail_days import MailDays
from schemas.tickets import Tickets
from schemas.user_months import UserMonths
from transforms.customer_profiles import customer_profiles

THROUGH = "2024-06-30"
SETTINGS: dict[str, Any] = {
    "timezone": "UTC",
    "churn_inactivity_days": 90,
    "churn_horizon_days": 90,
    "health_weights": {"activity": 0.4, "satisfaction": 0.3, "support": 0.1, "payment": 0.2},
    "health_levels": {"good": 70.0, "fair": 40.0},
    "health_active_days": 8,
    "health_open_tickets": 4,
    "health_survey_days": 365,
}


def ticket(opened: str, resolved: str | None = None, customer: str | None = "ann") -> Any:
    """A ticket, opened and resolved at noon."""
    times = {"opened_ts": at(f"{opened} 12:00")}
    return times | {
        "resolved_ts": at(f"{resolved} 12:00") if resolved else None,
        "customer_id": customer,
    }


def tickets(rows: Iterable[Any]) -> pl.LazyFrame:
    numbered = [{"ticket_id": f"t{line}", "line": line, **row} for line, row in enumerate(rows, 1)]
    return frame(Tickets, numbered, landing_date=day(THROUGH), file="a.csv", fate="counts")


def named(user_id: str, first: str) -> dict[str, Any]:
    """A user whom an event names from a day on."""
    return {
        "first_month": day(first).replace(day=1),
        "user_id": user_id,
        "first_date": day(first),
    }


def mail(when: str, user_id: str, delivered: int, opened: int, **more: Any) -> dict[str, Any]:
    """Mails of a day."""
    kinds = ("sent", "machine_opened", "clicked", "unsubscribed", "bounced")
    counts = {f"{kind}_mails": 0 for kind in kinds}
    said = {"event_date": day(when), "user_id": user_id, "campaign": "news"}
    return counts | said | {"delivered_mails": delivered, "opened_mails": opened} | more


def profiles(
    *,
    people: Iterable[Any] = (),
    contracts: Iterable[Any] = (),
    bought: Iterable[Any] = (),
    asked: Iterable[Any] = (),
    opened: Iterable[Any] = (),
    active: Iterable[Any] = (),
    users: Iterable[Any] = (),
    mailed: Iterable[Any] = (),
    worth: pl.LazyFrame | None = None,
    models: pl.LazyFrame | None = None,
    through: str = THROUGH,
    **settings: Any,
) -> pl.LazyFrame:
    """The table, of sources that are empty where nothing is said."""
    known = list(people)
    ids = [{"customer_id": row["customer_id"], "user_id": row["user_id"]} for row in known]
    return customer_profiles(
        frame(KnownUsers, users),
        customers(*known),
        fact(*contracts),
        orders(*bought),
        tickets(opened),
        responses(asked, ids),
        frame(UserMonths, active),
        frame(MailDays, mailed),
        empty(CustomerLifetimeValue) if worth is None else worth,
        empty(ChurnModels) if models is None else models,
        **SETTINGS | settings,
        data_through=day(through),
    )
