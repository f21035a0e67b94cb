"""Numbers that changed after they had been published."""

import polars as pl

# By its module: this table has a column named column.
from schemas import base
from schemas.base import Table, Timestamp, timestamp

CAUSES = (
    "definition change",
    "files removed",
    "late rows",
    "newer rows",
    "person forgotten",
    "person merged",
    "replay",
)


@base.table(
    grain="one row per publication and number that it changed",
    key=["published_at", "table", "key", "column"],
    warnings=[
        "A log of publications: it tells of the runs that were made, not of the data alone.",
    ],
)
class Restatements(Table):
    """Every number of a period that was complete and already published, with what became of it.

    First publications, running periods and moving columns are no restatements. A row that comes
    to a period which readers had seen as complete has no old values, one that goes has no new ones.
    """

    published_at: Timestamp = timestamp("When the new number was published")
    table: pl.String = base.column("Table that holds it")
    key: pl.String = base.column("The row's key, as JSON")
    column: pl.String = base.column("Column that holds it")
    period_start: pl.Date = base.column("First day of its period, or of its cohort")
    old_value: pl.Float64 = base.column(
        "What readers saw before; null where nothing", nullable=True
    )
    new_value: pl.Float64 = base.column("What they see now; null where nothing", nullable=True)
    cause: pl.String = base.column(
        "What changed since the publication before, of all that the table is made from; several "
        "are joined by a comma. late rows: rows of days already published; newer rows: later rows "
        "that say more of earlier ones, such as a ticket's next state or the end of a session; "
        "replay: files read again after a mapping or rule was mended; files removed: taken out of "
        "landing; person merged: an anonymous id came to belong to a user; person forgotten; "
        "definition change: other code or settings"
    )
