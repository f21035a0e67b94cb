"""Spine: the sessions that start on a day."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import polars as pl

from schemas.base import dtypes
from schemas.session_days import SessionDays
from transforms.channels import with_channels
from transforms.ordering import rank_of, sorted_by
from transforms.runs import Runs
from transforms.segmentation import combined, event_dimensions, value_of
from transforms.sessionizing import (
    STREAM,
    in_seconds,
    session_events,
    session_runs,
    without_earlier,
)

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
    describe = partial(
        _sessions,
        names=names,
        goal_events=sorted({name for goal in goals for name in goal["events"]}),
        runs_of=partial(
            session_runs, timeout_minutes=session_timeout_minutes, max_hours=session_max_hours
        ),
        of_channels=partial(
            with_channels, own_domains=own_domains, payment_providers=payment_providers
        ),
    )
    # Nothing may be pushed past it: it needs all rows, and columns that a reader may not.
    return free.map_batches(
        describe,
        predicate_pushdown=False,
        projection_pushdown=False,
        schema=dtypes(SessionDays),
    )


def _sessions(
    rows: pl.DataFrame,
    names: Sequence[str],
    goal_events: Sequence[str],
    runs_of: Callable[[pl.DataFrame], Runs],
    of_channels: Callable[[pl.DataFrame], pl.DataFrame],
) -> pl.DataFrame:
    """Sessions from their events, in their stored order.

    All is counted and sorted as numbers, and what events say is fetched once it is known of which:
    to carry all text along takes longer.
    """
    known = [name for name in dict.fromkeys([*_FIRST_KNOWN, *names]) if name not in _UTM]
    rows = rows.rechunk()
    streams = rows.with_columns(rank_of(rows[name]) for name in STREAM)
    runs = runs_of(streams)
    unsorted = _counts(rows, runs, goal_events).hstack(_places(rows, runs, known))
    ranks = streams.select(pl.col(name).gather(runs.first_row) for name in STREAM)
    counted = sorted_by(
        unsorted.hstack(ranks.rename("{}_rank".format)),
        ["date", "user_id_rank", "started_ts", "source_session_id_rank"],
    )
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
    values = rows.select(
        pl.col(column).gather(counted[place]).alias(name) for name, column, place in fetched
    )
    return _described(of_channels(_with_origin(counted.hstack(values))), names)


def _counts(rows: pl.DataFrame, runs: Runs, goal_events: Sequence[str]) -> pl.DataFrame:
    engaged = (pl.col("engaged_seconds") * 1_000_000).round().cast(pl.Int64)
    sums = runs.sums(
        rows,
        page_views=pl.col("event_name") == "page_view",
        engaged=engaged.fill_null(0),
        engaged_events=engaged.is_not_null(),
        conversions=pl.col("event_name").is_in(list(goal_events)),
    )
    ends = rows.select(
        pl.col("event_date").gather(runs.first_row).alias("date"),
        pl.col("event_date").gather(runs.last_row).alias("ended_date"),
        pl.col("event_ts").gather(runs.first_row).alias("started_ts"),
        pl.col("event_ts").gather(runs.last_row).alias("ended_ts"),
    )
    return ends.hstack(sums).with_columns(
        runs.lengths.alias("events"), is_converting=pl.col("conversions") > 0
    )


def _places(rows: pl.DataFrame, runs: Runs, known: Sequence[str]) -> pl.DataFrame:
    """The rows of the events that tell something: null where none does."""
    is_view = pl.col("event_name") == "page_view"
    firsts = runs.firsts(
        rows,
        first_view=is_view,
        first_utm=pl.any_horizontal(pl.col(_UTM).is_not_null()),
        **{f"first_{name}": pl.col(name).is_not_null() for name in ("referrer", *known)},
    )
    lasts = runs.lasts(rows, last_view=is_view)
    return firsts.hstack(lasts).with_columns(runs.first_row.alias("first"))


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
    )
    is_again = [pl.col(name) == pl.col(name).shift(1) for name in ("user_id_rank", "date")]
    return (
        described.with_columns(value_of(name).alias(f"segment_{name}") for name in names)
        .with_columns(
            combined([f"segment_{name}" for name in names]),
            is_first_of_day=~pl.all_horizontal(is_again).fill_null(False),
        )
        .select(list(dtypes(SessionDays)))
    )


def _session_id() -> pl.Expr:
    start = pl.col("started_ts").dt.timestamp("us").cast(pl.String)
    own = pl.concat_str("user_id", pl.lit("@"), start)
    of_source = pl.concat_str(own, pl.lit("."), "source_session_id")
    return pl.coalesce(of_source, own)
