"""Spine: who used which feature on which day, and where."""

import polars as pl

from schemas.base import Table, column, table


@table(
    grain="one row per day, feature, person and distinct combination of the event dimensions",
    key=["event_date", "feature", "user_id", "segments"],
    slice_by="event_date",
    published=False,
)
class FeatureDays(Table):
    """Active events that name a feature. ``segments`` is written as in user_days."""

    event_date: pl.Date = column("Day in the reporting time zone")
    feature: pl.String = column("Feature that the events name")
    user_id: pl.String = column("Person: the user, or an anonymous id that no user is linked to")
    segments: pl.String = column("Values of the event dimensions, joined by U+001F")
    events: pl.Int64 = column("Active events of the feature", unit="events", ge=1)
