"""Which anonymous ids belong to which users, and since when."""

import polars as pl

from schemas.base import Table, Timestamp, column, count, table, timestamp

_MOVING = "Moving: so far, as of data_through."


@table(
    grain="one row per anonymous id and user that it was linked to",
    key=["anonymous_id", "user_id"],
)
class Identities(Table):
    """Pairs of ids that events carried together, and the events that the link gave the user.

    An anonymous id that several users share has a row for each; an event without a user is given
    to one of them at most: to the first linked at or after it within ``stitch_days``, else to the
    last one linked before it within ``stitch_days``. Staff, machines and test traffic are left out.
    """

    anonymous_id: pl.String = column("Device or browser")
    user_id: pl.String = column("User it was linked to")
    first_link_ts: Timestamp = timestamp(
        "First event that carried both ids; null while it lies after data_through",
        nullable=True,
        settles="when the day of the link has ended",
    )
    last_link_ts: Timestamp = timestamp(
        "Last event that carried both ids", nullable=True, warning=_MOVING
    )
    linked_days: pl.Int64 = count("Days with such an event", unit="days", warning=_MOVING)
    events: pl.Int64 = count(
        "Events without a user that are counted as this user's; 0 where there are none",
        unit="events",
        warning=_MOVING,
    )
