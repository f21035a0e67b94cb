"""Spine: who did the start and return events of the retention definitions, on which day."""

import polars as pl

from schemas.base import Table, column, table


@table(
    grain="one row per day, definition and person with a start or return event",
    key=["event_date", "definition", "user_id"],
    slice_by="event_date",
    published=False,
)
class DefinitionDays(Table):
    """Empty unless the setting ``retentions`` names definitions."""

    event_date: pl.Date = column("Day in the reporting time zone")
    definition: pl.String = column("Name from the setting retentions")
    user_id: pl.String = column("Person: the user, or an anonymous id that no user is linked to")
    is_start: pl.Boolean = column("The person did a start event on the day")
    is_return: pl.Boolean = column("The person did a return event on the day")
    segments: pl.String = column(
        "Values of the event dimensions at the day's first start event, joined by U+001F; null "
        "without a start event",
        nullable=True,
    )
