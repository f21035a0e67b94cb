"""Where an anonymous id was seen together with a user."""

import polars as pl

from transforms.excluded_events import STAFF

_ID_OF_DAY = ["event_date", "anonymous_id"]
_KEY = [*_ID_OF_DAY, "user_id", "first_ts", "last_ts", "is_staff"]
_EVENT = [*_ID_OF_DAY, "event_ts", "event_id", "user_id"]


def links(events: pl.LazyFrame, excluded_events: pl.LazyFrame) -> pl.LazyFrame:
    """Runs of events that carried both ids, per day and anonymous id.

    A run is as many events in a row to the same user, in the order of event_ts, then event_id.
    Runs that cannot be told apart, of one user at one instant, are one row. Staff's events link
    too, though they do not count: else whom they are stitched to would not be known for staff.
    """
    of_staff = excluded_events.filter(pl.col("rule") == STAFF)
    seen = [
        rows.select(*_EVENT, is_staff=pl.lit(is_staff))
        for is_staff, rows in ((False, events), (True, of_staff))
    ]
    both = pl.concat(seen).filter(
        pl.col("user_id").is_not_null() & pl.col("anonymous_id").is_not_null()
    )
    users = _spans(both, [*_ID_OF_DAY, "user_id", "is_staff"])
    shared = users.group_by(_ID_OF_DAY).len("users").filter(pl.col("users") > 1)
    # Only ids that several users share need their events put in order.
    alone = users.join(shared, on=_ID_OF_DAY, how="anti")
    runs = (
        both.join(shared, on=_ID_OF_DAY, how="semi")
        .sort(*_ID_OF_DAY, "event_ts", "event_id")
        .with_columns(run=pl.struct(*_ID_OF_DAY, "user_id").rle_id())
    )
    distinct_runs = _spans(runs, ["run", *_ID_OF_DAY, "user_id", "is_staff"]).select(_KEY).unique()
    return pl.concat([alone.select(_KEY), distinct_runs])


def _spans(events: pl.LazyFrame, key: list[str]) -> pl.LazyFrame:
    """First and last instant per key."""
    return events.group_by(key).agg(
        first_ts=pl.col("event_ts").min(), last_ts=pl.col("event_ts").max()
    )
