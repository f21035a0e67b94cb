"""Spine: who was active on which day, and where."""

import polars as pl

from schemas.base import Table, column, count, table


@table(
    grain="one row per day, person and distinct combination of the event dimensions",
    key=["event_date", "user_id", "segments"],
    slice_by="event_date",
    published=False,
)
class UserDays(Table):
    """Days on which a person did at least one active event.

    ``segments`` is the combination of values of the configured event dimensions, in the order of
    the setting ``dimensions``, joined by the unit separator; a missing value is ``unknown``.
    """

    event_date: pl.Date = column("Day in the reporting time zone")
    user_id: pl.String = column("Person: the user, or an anonymous id that no user is linked to")
    segments: pl.String = column("Values of the event dimensions, joined by U+001F")
    active_events: pl.Int64 = count("Active events with this combination", unit="events")
    key_feature_events: pl.Int64 = count("Those of them that used a key feature", unit="events")
    is_first: pl.Boolean = column("The person's first active event of the day is among these")
