"""Whose event it is, and which events make a person active.

Everything that counts people goes through here, so that all tables mean the same person.
"""

from collections.abc import Sequence

import polars as pl

from transforms.fates import counted

INACTIVE_EVENTS = (
    "email_sent",
    "email_delivered",
    "email_bounced",
    "email_opened",
    "ad_impression",
)


def is_active(active_events: Sequence[str]) -> pl.Expr:
    """Whether an event makes its person active; an empty list stands for the default."""
    name = pl.col("event_name")
    if active_events:
        return name.is_in(list(active_events))
    return ~name.is_in(list(INACTIVE_EVENTS))


def with_person(events: pl.LazyFrame, stitches: pl.LazyFrame) -> pl.LazyFrame:
    """The events with ``user_id`` replaced by the person; it is never null.

    The person is the user, else the user that the anonymous id is stitched to at the time of the
    event, else the anonymous id. Events that are stitched to staff are dropped. ``events`` may have
    any columns besides event_date, event_ts, user_id and anonymous_id; both tables are of the same
    days.
    """
    # Two branches, because the statistics of a file without such events then spare the second
    # one's reading, and known users never pass through a join.
    known = events.filter(pl.col("user_id").is_not_null())
    unknown = events.filter(pl.col("user_id").is_null())
    return pl.concat([known, _stitched(unknown, stitches)])


def as_people(rows: pl.LazyFrame, customers: pl.LazyFrame) -> pl.LazyFrame:
    """``user_id``: the person whom the source customers maps the customer to, else the same id."""
    people = counted(customers).select("customer_id", "user_id")
    return rows.join(people, on="customer_id", how="left").with_columns(
        pl.coalesce("user_id", "customer_id").alias("user_id")
    )


def _stitched(unknown: pl.LazyFrame, stitches: pl.LazyFrame) -> pl.LazyFrame:
    """Events without a user joined to the one interval of their anonymous id, if it has any."""
    id_of_day = ["event_date", "anonymous_id"]
    intervals = stitches.select(
        *id_of_day,
        pl.col("user_id").alias("stitched_user"),
        "is_staff",
        pl.col("from_ts").alias("stitched_from"),
        pl.col("until_ts").alias("stitched_until"),
    )
    begun = pl.col("stitched_from").is_null() | (pl.col("event_ts") >= pl.col("stitched_from"))
    ended = pl.col("event_ts") >= pl.col("stitched_until")
    return (
        unknown.join(intervals, on=id_of_day, how="left")
        .filter(begun & ~ended.fill_null(False) & ~pl.col("is_staff").fill_null(False))
        .with_columns(user_id=pl.coalesce("stitched_user", "anonymous_id"))
        .drop("stitched_user", "stitched_from", "stitched_until", "is_staff")
    )
