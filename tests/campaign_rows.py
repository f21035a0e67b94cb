"""Rows of mails, ads and costs for tests: what is said is what matters, all else is usual."""

from decimal import Decimal
from typing import Any

import polars as pl
from frames import at, day, frame

from schemas.mail_days import MailDays

KINDS = ("sent", "delivered", "opened", "machine_opened", "clicked", "unsubscribed", "bounced")


def happened(name: str, when: str, user_id: str | None = "ada", **columns: Any) -> dict[str, Any]:
    """An event; its day is that of UTC."""
    moment = {"event_ts": at(when), "event_date": day(when[:10])}
    return {"event_name": name, **moment, "user_id": user_id, **columns}


def mail(kinds: str, when: str, user_id: str = "ada", campaign: str = "spring") -> dict[str, Any]:
    """A row of mail_days: each of the kinds, separated by blanks, once for each time it stands."""
    counts = {f"{kind}_mails": kinds.split().count(kind) for kind in KINDS}
    firsts = {f"first_{kind}_ts": at(when) for kind in ("sent", "delivered") if kind in kinds}
    return {
        "event_date": day(when[:10]),
        "user_id": user_id,
        "campaign": campaign,
        **counts,
        **firsts,
    }


def mails(*rows: dict[str, Any]) -> pl.LazyFrame:
    return frame(MailDays, rows)


def cost(when: str, amount: str | None, **columns: Any) -> dict[str, Any]:
    """What the campaign spring cost in the channel ads."""
    return {
        "event_date": day(when),
        "channel": "ads",
        "campaign": "spring",
        "cost_amount": None if amount is None else Decimal(amount),
        "fate": "counts",
        **columns,
    }
