"""Funnels by day of entry."""

import polars as pl

from schemas.base import Table, column, count, share, table

_PEOPLE = (
    "A person enters once a day: over days, entries add up and people do not. Over steps nothing "
    "does."
)
_IS_FIRST = pl.col("step") == 1


@table(
    grain="one row per day of entry, funnel and step",
    key=["entry_date", "funnel", "step"],
    slice_by="entry_date",
    warnings=[_PEOPLE],
    rules=[
        (
            "more people reached a step than the one before",
            pl.col("entered_users") <= pl.col("previous_users").fill_null(pl.col("entered_users")),
        ),
        (
            "more people reached a step than entered",
            pl.col("entered_users") <= pl.col("first_users"),
        ),
        (
            "previous_users is not entered_users + dropped_users",
            _IS_FIRST
            | (
                pl.col("previous_users") == pl.sum_horizontal("entered_users", "dropped_users")
            ).fill_null(False),
        ),
        (
            "the first step has one before it",
            ~_IS_FIRST | pl.all_horizontal(pl.col("previous_users", "dropped_users").is_null()),
        ),
    ],
)
class FunnelDaily(Table):
    """How far people came who did the first step of a funnel on a day.

    Funnels are closed: steps count in their order only, others may lie between them, and an event
    can be one step of an entry. Who did the first step several times on a day entered with the
    first time; who did it on several days entered on each. A step counts on the day of entry,
    whenever it was reached: at most ``window_hours`` after the entry (to the microsecond, the last
    one included; an hour is an hour, whatever the clocks do) and not after data_through. Of two
    events at one instant the one with the smaller event_id comes first. Every funnel has a row for
    each day and step from its first entry ever to data_through. Until the window has passed a row
    shows what there is so far, marked as not complete.
    """

    entry_date: pl.Date = column("Day of the first step in the reporting time zone")
    funnel: pl.String = column("Name from the setting funnels")
    step: pl.Int64 = column("Number of the step, from 1", ge=1)
    step_name: pl.String = column("Name of the step in the setting funnels")
    entered_users: pl.Int64 = count(
        "People who reached the step, after all steps before it", unit="people"
    )
    previous_users: pl.Int64 = count(
        "People who reached the step before; null for the first step", unit="people", nullable=True
    )
    first_users: pl.Int64 = count("People who did the first step on the day", unit="people")
    dropped_users: pl.Int64 = count(
        "People who reached the step before and not this one; null for the first step",
        unit="people",
        formula="previous_users - entered_users",
        nullable=True,
    )
    step_rate: pl.Float64 = share(
        "Share of those who reached the step before; null for the first step",
        formula="entered_users / previous_users",
    )
    overall_rate: pl.Float64 = share(
        "Share of those who did the first step", formula="entered_users / first_users"
    )
    median_seconds_from_previous: pl.Float64 = column(
        "Time from the step before that half of those who reached this one took at most, between "
        "two linearly; null for the first step and where nobody reached it",
        unit="seconds",
        nullable=True,
        ge=0.0,
    )
    is_complete: pl.Boolean = column(
        "The window of an entry at the day's last instant has ended by the end of data_through"
    )
