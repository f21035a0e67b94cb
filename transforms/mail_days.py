"""Spine: what happened to a campaign's mails to a person on a day."""

import polars as pl

from schemas.email_campaigns import KINDS
from transforms.campaigns import event_campaign
from transforms.people import with_person

_EVENTS = {
    "sent": "email_sent",
    "delivered": "email_delivered",
    "opened": "email_opened",
    "clicked": "email_clicked",
    "unsubscribed": "email_unsubscribed",
    "bounced": "email_bounced",
}
_TIMED = ("sent", "delivered")


def mail_days(events: pl.LazyFrame, stitches: pl.LazyFrame) -> pl.LazyFrame:
    """One row per day, person and campaign with a mail event.

    An opening whose ``is_machine_open`` is missing is a person's.
    """
    name, machine = pl.col("event_name"), pl.col("is_machine_open").fill_null(False)
    is_opened = name == _EVENTS["opened"]
    kinds = {kind: name == event for kind, event in _EVENTS.items()}
    kinds |= {"opened": is_opened & ~machine, "machine_opened": is_opened & machine}
    mails = events.filter(name.is_in(list(_EVENTS.values()))).select(
        "event_date", "event_ts", "user_id", "anonymous_id", event_campaign(), **kinds
    )
    return (
        with_person(mails, stitches)
        .group_by("event_date", "user_id", "campaign")
        .agg(
            *(pl.col(kind).sum().cast(pl.Int64).alias(f"{kind}_mails") for kind in KINDS),
            *(pl.when(kind).then("event_ts").min().alias(f"first_{kind}_ts") for kind in _TIMED),
        )
    )
