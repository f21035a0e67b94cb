"""The sources: what a row of each must bring, and which columns play which part in taking it in."""

from dataclasses import dataclass

from schemas.base import Table
from schemas.landed_events import EventContract, LandedEvents


@dataclass(frozen=True)
class Source:
    """One declaration per source; nothing else in this package names one.

    ``happened`` is the timestamp or day that files a row under its event date. A ``received``
    timestamp that a row lacks is noon of the landing date. A ``content_id`` that a row lacks is
    made from its content. ``machine`` is the flag that receipts count. ``json`` columns must hold
    JSON.
    """

    name: str
    contract: type[Table]
    landed: type[Table]
    happened: str
    received: str | None = None
    content_id: str | None = None
    machine: str | None = None
    json: tuple[str, ...] = ()


EVENTS = Source(
    name="events",
    contract=EventContract,
    landed=LandedEvents,
    happened="event_ts",
    received="received_ts",
    content_id="event_id",
    machine="is_bot",
    json=("properties",),
)

SOURCES: dict[str, Source] = {source.name: source for source in (EVENTS,)}
