"""Spine: the sessions that start on a day."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import polars as pl

from schemas.base import dtypes
from schemas.session_days import SessionDays
from transforms.channels import with_channels
from transforms.segmentation import combined, event_dimensions, value_of
from transforms.sessionizing import in_seconds, numbered, session_events, without_earlier

_UTM = ("utm_source", "utm_medium", "utm_campaign")
_FIRST_KNOWN = ("channel", "campaign", "platform", "country")
_ENGAGED_SECONDS = 10


def session_days(
    events: pl.LazyFrame,
    stitches: pl.LazyFrame,
    session_days: pl.LazyFrame,
    *,
    session_timeout_minutes: int,
    session_max_hours: int,
    use_source_sessions: bool,
    goals: Sequence[Mapping[str, Any]],
    own_domains: Sequence[str],
    payment_providers: Sequence[str],
    dimensions: Sequence[str],
) -> pl.LazyFrame:
    """One row per session of the given events, but for those that began on earlier days.

    ``session_days`` are this table's own rows of the days before the first one, of which only the
    sessions that reach into it matter. Sessions of the last days may lack events that lie beyond
    the given ones: hand in as many days more as a session can last. Works in memory on what it is
    handed.
    """
    names = event_dimensions(dimensions)
    columns = ["page_url", "referrer", "engaged_seconds", *_UTM, *_FIRST_KNOWN, *names]
    free = without_earlier(
        session_events(events, stitches, columns, use_source_sessions=use_source_sessions),
        session_days,
        use_source_sessions=use_source_sessions,
    )
    rows = numbered(
        free,
        session_timeout_minutes=session_timeout_minutes,
        session_max_hours=session_max_hours,
    )
    goal_events = sorted({name for goal in goals for name in goal["events"]})
    of_channels = partial(
        with_channels, own_domains=own_domains, payment_providers=payment_providers
    )
    describe = partial(_sessions, names=names, goal_events=goal_events, of_channels=of_channels)
    return rows.map_batches(
        describe,
        predicate_pushdown=False,
        projection_pushdown=False,
        schema=dtypes(SessionDays),
    )


def _sessions(
    rows: pl.DataFrame,
    names: Sequence[str],
    goal_events: Sequence[str],
    of_channels: Callable[[pl.DataFrame], pl.DataFrame],
) -> pl.DataFrame:
    """Sessions from their numbered events.

    The groups hold places of events, and what these events say is fetched afterwards: in half the
    time that it takes to carry all text through the grouping.
    """
    known = [name for name in dict.fromkeys([*_FIRST_KNOWN, *names]) if name not in _UTM]
    grouped = rows.group_by("session").agg(*_counts(goal_events), *_places(known))
    fetched = [
        ("user_id", "user_id", "first"),
        ("source_session_id", "source_session_id", "first"),
        ("entry_page", "page_url", "first_view"),
        ("entry_referrer", "referrer", "first_view"),
        ("exit_page", "page_url", "last_view"),
        ("referrer", "referrer", "first_referrer"),
        ("referred_page", "page_url", "first_referrer"),
        *((name, name, "first_utm") for name in _UTM),
        *((name, name, f"first_{name}") for name in known),
    ]
    row_at = rows["place"].arg_sort()
    values = [
        rows[column].gather(row_at.gather(grouped[place])).alias(name)
        for name, column, place in fetched
    ]
    told = of_channels(_with_origin(grouped.with_columns(values)))
    return _described(told, names)


def _counts(goal_events: Sequence[str]) -> list[pl.Expr]:
    engaged = (pl.col("engaged_seconds") * 1_000_000).round().cast(pl.Int64)
    return [
        pl.col("event_date").min().alias("date"),
        pl.col("event_date").max().alias("ended_date"),
        pl.col("event_ts").min().alias("started_ts"),
        pl.col("event_ts").max().alias("ended_ts"),
        pl.len().cast(pl.Int64).alias("events"),
        (pl.col("event_name") == "page_view").sum().cast(pl.Int64).alias("page_views"),
        engaged.sum().alias("engaged"),
        engaged.count().alias("engaged_events"),
        pl.col("event_name").is_in(list(goal_events)).any().alias("is_converting"),
    ]


def _places(known: Sequence[str]) -> list[pl.Expr]:
    """Places of the events that tell something: null where none does."""
    is_view = pl.col("event_name") == "page_view"
    has_utm = pl.any_horizontal(pl.col(name).is_not_null() for name in _UTM)
    return [
        pl.col("place").min().alias("first"),
        pl.when(is_view).then("place").min().alias("first_view"),
        pl.when(is_view).then("place").max().alias("last_view"),
        pl.when(has_utm).then("place").min().alias("first_utm"),
        *(
            pl.when(pl.col(name).is_not_null()).then("place").min().alias(f"first_{name}")
            for name in ("referrer", *known)
        ),
    ]


def _with_origin(sessions: pl.DataFrame) -> pl.DataFrame:
    """Referrer and the page that it led to: of the first page view, where there is one."""
    has_view = pl.col("page_views") > 0
    return sessions.with_columns(
        referrer=pl.when(has_view).then("entry_referrer").otherwise("referrer"),
        landing_url=pl.when(has_view).then("entry_page").otherwise("referred_page"),
        campaign=pl.coalesce("campaign", "utm_campaign"),
    )


def _described(sessions: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    duration = pl.col("ended_ts") - pl.col("started_ts")
    seconds = in_seconds(duration.dt.total_microseconds())
    engaged = pl.when(pl.col("engaged_events") > 0).then(in_seconds(pl.col("engaged")))
    attention = pl.coalesce(engaged, seconds)
    described = sessions.with_columns(
        session_id=_session_id(),
        duration_seconds=seconds,
        engaged_seconds=engaged,
        is_single_page=pl.col("page_views") == 1,
        is_engaged=(attention > _ENGAGED_SECONDS)
        | (pl.col("page_views") >= 2)
        | pl.col("is_converting"),
    ).sort("user_id", "date", "started_ts", "session_id")
    day = pl.struct("user_id", "date")
    return (
        described.with_columns(value_of(name).alias(f"segment_{name}") for name in names)
        .with_columns(
            combined([f"segment_{name}" for name in names]),
            is_first_of_day=day.ne_missing(day.shift(1)),
        )
        .select(list(dtypes(SessionDays)))
    )


def _session_id() -> pl.Expr:
    start = pl.col("started_ts").dt.timestamp("us").cast(pl.String)
    own = pl.concat_str("user_id", pl.lit("@"), start)
    of_source = pl.concat_str(own, pl.lit("."), "source_session_id")
    return pl.coalesce(of_source, own)
