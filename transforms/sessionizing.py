"""Where one session ends and the next one begins.

Everything that looks at sessions goes through here, so that all tables mean the same session.
"""

from collections.abc import Sequence
from datetime import timedelta

import polars as pl

from transforms.division import ratio
from transforms.ordering import order_of
from transforms.people import INACTIVE_EVENTS, with_person
from transforms.runs import Runs

STREAM = ("user_id", "source_session_id")
_OF_SESSION = ("session_id", "date", "started_ts")


def in_seconds(microseconds: pl.Expr) -> pl.Expr:
    """Whole microseconds as seconds, rounded as a division is."""
    return ratio(microseconds, pl.lit(1_000_000))


def session_events(
    events: pl.LazyFrame,
    stitches: pl.LazyFrame,
    columns: Sequence[str],
    *,
    use_source_sessions: bool,
) -> pl.LazyFrame:
    """Events that are part of sessions, with their person and the given columns.

    Also has event_date, event_ts, event_id, and ``source_session_id``, null unless the source's
    own sessions are used.
    """
    always = ["event_date", "event_ts", "event_id", "event_name", "user_id", "anonymous_id"]
    source = pl.col("session_id") if use_source_sessions else pl.lit(None, pl.String)
    chosen = events.filter(~pl.col("event_name").is_in(list(INACTIVE_EVENTS))).select(
        *dict.fromkeys([*always, *columns]), source.alias("source_session_id")
    )
    return with_person(chosen, stitches).drop("anonymous_id")


def without_earlier(
    rows: pl.LazyFrame, session_days: pl.LazyFrame, *, use_source_sessions: bool
) -> pl.LazyFrame:
    """Session events without those that belong to sessions that started on earlier days.

    Only a session that reached beyond its own day can hold any: all of a person's events up to its
    last one are its own, or older.
    """
    reaching = session_days.filter(pl.col("ended_date") > pl.col("date"))
    stream = STREAM if use_source_sessions else STREAM[:1]
    until = reaching.group_by(stream).agg(pl.col("ended_ts").max().alias("taken_until"))
    is_free = (pl.col("event_ts") > pl.col("taken_until")).fill_null(True)
    joined = rows.join(until, on=stream, how="left", nulls_equal=True)
    return joined.filter(is_free).drop("taken_until")


def of_sessions(rows: pl.LazyFrame, session_days: pl.LazyFrame) -> pl.LazyFrame:
    """Session events (as ``session_events`` gives them) that belong to the given sessions.

    With ``session_id``, ``date`` (the session's start day) and ``started_ts`` of their session, and
    its number, ``session``. They come session by session, in each by time, at one instant by event
    id. Events of sessions that are not given are dropped. Sorts in memory what it is handed.
    """
    starts = session_days.select(
        *STREAM, *_OF_SESSION, "ended_ts", event_ts="started_ts", is_event=False
    )
    both = pl.concat([rows.with_columns(is_event=True), starts], how="diagonal")
    # Nothing may be pushed past it: it needs all rows, and columns that a reader may not.
    return (
        both.with_columns(session=pl.lit(0, pl.UInt32))
        .map_batches(_of_sessions, predicate_pushdown=False, projection_pushdown=False)
        .drop("is_event", "ended_ts")
    )


def _of_sessions(both: pl.DataFrame) -> pl.DataFrame:
    """Events with what the start of their session says, each in the row of the event."""
    both = both.rechunk()
    # Which number stands for whom does not matter: only that streams are kept apart.
    streams = both.select(
        *(pl.col(name).cast(pl.Categorical).to_physical() for name in STREAM),
        *("event_ts", "is_event", "event_id"),
    )
    order = order_of(streams, [*STREAM, "event_ts", "is_event", "event_id"])
    is_event = both["is_event"].gather(order)
    # Sessions of a stream never overlap: only the last one that began can hold the event.
    session = (~is_event).cum_sum().filter(is_event)
    starts = order.filter(~is_event)
    event, start = order.filter(is_event), starts.gather(session.replace(0, None) - 1)
    is_own = both["event_ts"].gather(event) <= both["ended_ts"].gather(start)
    for name in STREAM:
        is_own &= streams[name].gather(event).eq_missing(streams[name].gather(start))
    event, start, session = (each.filter(is_own) for each in (event, start, session))
    told = [both[name].gather(start) for name in _OF_SESSION]
    return both[event].with_columns(*told, session.cast(pl.UInt32).alias("session"))


def session_runs(rows: pl.DataFrame, *, timeout_minutes: int, max_hours: int) -> Runs:
    """The sessions of session events: in each, events by time, at one instant by event id.

    ``rows`` have ``user_id`` and ``source_session_id`` as numbers that stand for them. Sessions
    come in the order of these. Sorts in memory what it is handed.
    """
    timeout, longest = timedelta(minutes=timeout_minutes), timedelta(hours=max_hours)
    of_source = rows["source_session_id"].is_not_null().any()
    stream = list(STREAM if of_source else STREAM[:1])
    order = order_of(rows, [*stream, "event_ts", "event_id"])
    ordered = rows.select(*stream, "event_ts")[order]
    is_new = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift(1)) for name in stream)
    is_gap = pl.col("event_ts").diff() > timeout
    if of_source:
        is_gap = is_gap & pl.col("source_session_id").is_null()
    is_first = pl.int_range(pl.len()) == 0
    begins = ordered.select("event_ts", begins=is_first | is_new | is_gap)
    return Runs(order, _cut(begins, longest))


def _cut(rows: pl.DataFrame, longest: timedelta) -> pl.Series:
    """Whether each event begins a session, once those that would last too long are cut.

    A chain without a gap is cut at its first event after ``longest``, and so on from there: each
    turn of the loop cuts every chain once, and only chains that are still too long go on.
    """
    rows = rows.with_row_index("row")
    begins = rows["begins"]
    while True:
        start = pl.when("begins").then("event_ts").forward_fill()
        rows = rows.with_columns(is_late=pl.col("event_ts") - start > longest)
        if not rows["is_late"].any():
            return begins
        chain = pl.col("begins").cum_sum()
        rows = rows.filter(pl.col("is_late").any().over(chain))
        first_late = pl.col("is_late") & ~pl.col("is_late").shift(1, fill_value=False)
        rows = rows.with_columns(begins=pl.col("begins") | first_late)
        begins = begins.scatter(rows.filter("begins")["row"], True)
