"""Events as they were received: the contract of ``events``, and where each row came from."""

import polars as pl

from schemas.base import Table, Timestamp, column, promise_of, table, timestamp
from schemas.provenance import LandedOnce

PERSON_NAMED = (
    "nobody is named: user_id and anonymous_id are both missing",
    pl.col("user_id").is_not_null() | pl.col("anonymous_id").is_not_null(),
)


@table(
    grain="one row per event",
    key=["event_id"],
    rules=[PERSON_NAMED],
    published=False,
)
class EventContract(Table):
    """What a row of the source ``events`` brings, after its mapping."""

    event_id: pl.String = column(
        "Identity of the event; derived from the row's content where the source brings none"
    )
    event_name: pl.String = column("What happened, such as page_view or purchase")
    event_ts: Timestamp = timestamp("When it happened")
    user_id: pl.String = column("Known person who did it", nullable=True)
    anonymous_id: pl.String = column("Device or browser that did it", nullable=True)
    received_ts: Timestamp = timestamp(
        "When the event was received; noon of the landing date where the source does not say"
    )
    session_id: pl.String = column("Session as the source numbers it", nullable=True)
    platform: pl.String = column("Platform, such as web, ios or android", nullable=True)
    country: pl.String = column("Country of the person at the time of the event", nullable=True)
    device: pl.String = column("Kind of device", nullable=True)
    app_version: pl.String = column("Version of the app that sent the event", nullable=True)
    page_url: pl.String = column("Address of the page", nullable=True)
    page_title: pl.String = column("Title of the page", nullable=True)
    referrer: pl.String = column("Address of the page that led here", nullable=True)
    utm_source: pl.String = column("Campaign parameter utm_source", nullable=True)
    utm_medium: pl.String = column("Campaign parameter utm_medium", nullable=True)
    utm_campaign: pl.String = column("Campaign parameter utm_campaign", nullable=True)
    utm_term: pl.String = column("Campaign parameter utm_term", nullable=True)
    utm_content: pl.String = column("Campaign parameter utm_content", nullable=True)
    channel: pl.String = column("Marketing channel, where the source says it", nullable=True)
    campaign: pl.String = column("Campaign, where the source says it", nullable=True)
    feature: pl.String = column("Product feature that was used", nullable=True)
    value: pl.Float64 = column("Value that the event carries, in its currency", nullable=True)
    currency: pl.String = column("Currency of the value", nullable=True)
    scroll_depth: pl.Float64 = column(
        "Share of the page that was scrolled", unit="fraction", nullable=True, ge=0.0, le=1.0
    )
    engaged_seconds: pl.Float64 = column(
        "Time in the foreground", unit="seconds", nullable=True, ge=0.0
    )
    user_agent: pl.String = column("User agent of the client", nullable=True)
    is_bot: pl.Boolean = column("The source takes the event for a machine's", nullable=True)
    is_machine_open: pl.Boolean = column("A mail opened by a machine, not a person", nullable=True)
    properties: pl.String = column("Further properties, as JSON", nullable=True)


@table(
    grain="one row per accepted row of a landed file",
    key=["landing_date", "file", "line", "item"],
    slice_by="event_date",
    order=["landing_date", "event_date", "file", "line", "item"],
    rules=promise_of(EventContract).rules,
    published=False,
)
class LandedEvents(LandedOnce, EventContract):
    """Accepted rows of the source ``events``, as received, with the day they happened."""
