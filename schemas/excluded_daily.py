"""Events that are left out everywhere, by day and rule."""

import polars as pl

from schemas.base import DO_NOT_SUM_DAYS, Table, column, count, table


@table(grain="one row per day and rule", key=["date", "rule"])
class ExcludedDaily(Table):
    """What was left out of all other tables, and by which rule.

    Where several rules apply to an event, it counts for the first of ``flag`` (the source takes it
    for a machine's), ``user_agent`` (the list of crawlers does), ``staff`` (its user works for the
    company) and the rules of the setting ``excluded_traffic`` in their order. Events without a
    user that are stitched to staff count as staff's. A rule has a row for every day from the first
    on which it left something out.
    """

    date: pl.Date = column("Day of the events in the reporting time zone")
    rule: pl.String = column("flag, user_agent, staff, or the name of a rule of the settings")
    events: pl.Int64 = count("Events that the rule left out, without duplicates", unit="events")
    users: pl.Int64 = count(
        "Users who did them; where no user is known, anonymous ids", warning=DO_NOT_SUM_DAYS
    )
    is_complete: pl.Boolean = column("The day is not after data_through")
