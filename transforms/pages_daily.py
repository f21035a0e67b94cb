"""Pages: views, entries, exits, time on page and scroll depth by day."""

from datetime import date

import polars as pl

from schemas.base import dtypes
from schemas.pages_daily import PagesDaily
from transforms.division import ratio
from transforms.sessionizing import in_seconds, of_sessions, session_events

_MILLION = 1_000_000


def pages_daily(
    session_days: pl.LazyFrame,
    events: pl.LazyFrame,
    stitches: pl.LazyFrame,
    *,
    use_source_sessions: bool,
    data_through: date,
) -> pl.LazyFrame:
    """Every page of every day on which a session that viewed it started.

    ``events`` and ``stitches`` go on as many days after the last session's as one can last. Sorts
    in memory what it is handed.
    """
    columns = ["page_url", "page_title", "scroll_depth"]
    rows = session_events(events, stitches, columns, use_source_sessions=use_source_sessions)
    # Pages as numbers until they are counted: few differ, and all of their text would be sorted.
    seen = rows.select(
        *("event_ts", "event_id", "user_id", "source_session_id"),
        is_view=pl.col("event_name") == "page_view",
        is_ping=pl.col("event_name") == "page_ping",
        page=_page().cast(pl.Categorical),
        depth=(pl.col("scroll_depth").clip(upper_bound=1.0) * _MILLION).round().cast(pl.Int64),
    )
    sessions = session_days.filter(pl.col("date") <= data_through)
    views = _views(_in_order(of_sessions(seen, sessions)))
    return (
        views.group_by("date", "page")
        .agg(**_counts(), **_times(), **_scrolls())
        .with_columns(
            pl.col("page").cast(pl.String),
            exit_rate=ratio("exits", "page_views"),
            bounce_rate=ratio("bounced_entries", "entries"),
            is_complete=pl.col("date") <= data_through,
        )
        .select(*dtypes(PagesDaily))
    )


def _in_order(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Events session by session, with the instant of the next one of the session.

    ``view`` counts the page views up to the event: with the session, it names the last of them.
    """
    next_ts = pl.when(pl.col("session") == pl.col("session").shift(-1)).then(
        pl.col("event_ts").shift(-1)
    )
    return rows.with_columns(next_ts=next_ts, view=pl.col("is_view").cum_sum())


def _views(ordered: pl.LazyFrame) -> pl.LazyFrame:
    """Page views with microseconds on the page and millionths of it scrolled, null if unknown."""
    ordered = ordered.cache()
    # A ping before the first view of its session shares its number with no view of the session.
    pings = (
        ordered.filter("is_ping")
        .group_by("session", "view")
        .agg(last_ping=pl.col("event_ts").max(), ping_depth=pl.col("depth").max())
    )
    session = pl.col("session")
    left_ts = pl.coalesce("last_ping", "next_ts")
    return (
        ordered.filter("is_view")
        .with_columns(
            is_entry=session.ne_missing(session.shift(1)),
            is_exit=session.ne_missing(session.shift(-1)),
        )
        .join(pings, on=["session", "view"], how="left")
        .select(
            "date",
            "user_id",
            "is_entry",
            "is_exit",
            "page",
            time=(left_ts - pl.col("event_ts")).dt.total_microseconds(),
            depth=pl.max_horizontal("depth", "ping_depth"),
        )
    )


def _page() -> pl.Expr:
    """The address without query string and fragment, else the title."""
    address = pl.col("page_url").str.extract(r"^([^?#]+)")
    title = pl.when(pl.col("page_title") != "").then("page_title")
    return pl.coalesce(address, title, pl.lit("(none)"))


def _counts() -> dict[str, pl.Expr]:
    is_entry, is_exit = pl.col("is_entry"), pl.col("is_exit")
    return {
        "page_views": pl.len().cast(pl.Int64),
        "visitors": pl.col("user_id").n_unique().cast(pl.Int64),
        "entries": is_entry.sum().cast(pl.Int64),
        "exits": is_exit.sum().cast(pl.Int64),
        "bounced_entries": (is_entry & is_exit).sum().cast(pl.Int64),
    }


def _times() -> dict[str, pl.Expr]:
    time = pl.col("time")
    timed = time.count().cast(pl.Int64)
    return {
        "timed_views": timed,
        "time_on_page_seconds": in_seconds(time.sum()),
        "mean_time_on_page_seconds": ratio(time.sum(), timed * _MILLION),
        "median_time_on_page_seconds": in_seconds(time.quantile(0.5, "linear")),
        "p90_time_on_page_seconds": in_seconds(time.quantile(0.9, "linear")),
    }


def _scrolls() -> dict[str, pl.Expr]:
    depth = pl.col("depth")
    scrolled = depth.count().cast(pl.Int64)
    return {
        "scroll_views": scrolled,
        # Millionths of a page are what microseconds are of a second.
        "scroll_depth": in_seconds(depth.sum()),
        "mean_scroll_depth": ratio(depth.sum(), scrolled * _MILLION),
    }
