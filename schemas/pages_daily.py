"""Pages: views, entries, exits, time on page and scroll depth by day."""

from typing import Any

import polars as pl

from schemas.base import DO_NOT_SUM_DAYS, Table, column, count, share, table


def _seconds(what: str, **options: Any) -> Any:
    return column(what, unit="seconds", nullable=True, ge=0.0, **options)


def _not_above(name: str, other: str) -> tuple[str, pl.Expr]:
    return f"{name} is above {other}", pl.col(name) <= pl.col(other)


@table(
    grain="one row per day and page",
    key=["date", "page"],
    slice_by="date",
    warnings=[
        DO_NOT_SUM_DAYS,
        "Medians and 90th percentiles are of views and do not add up: read them page by page.",
    ],
    rules=[
        *(
            _not_above(name, "page_views")
            for name in ("visitors", "entries", "exits", "timed_views", "scroll_views")
        ),
        *(_not_above("bounced_entries", name) for name in ("entries", "exits")),
    ],
)
class PagesDaily(Table):
    """Pages that were viewed in the sessions that start on a day.

    The page is ``page_url`` without query string and fragment; where that leaves nothing, as in
    apps, ``page_title``; else ``(none)``. Only ``page_view`` events are views. A ``page_ping``
    belongs to the last view before it in its session. Within a session the order is that of time,
    in one instant that of the event ids. A page stands here on the days on which it was viewed.

    Time on page goes from the view to the last ping that belongs to it; without pings to the next
    event of the session, of whatever name; a view that nothing follows has none.
    """

    date: pl.Date = column("Day of the session's start in the reporting time zone")
    page: pl.String = column("Address without query string and fragment, else title, or (none)")
    page_views: pl.Int64 = count("How often the page was viewed")
    visitors: pl.Int64 = count(
        "People who viewed it; never sum them over pages either",
        unit="people",
        warning=DO_NOT_SUM_DAYS,
    )
    entries: pl.Int64 = count("Sessions of which it was the first page", unit="sessions")
    exits: pl.Int64 = count("Sessions of which it was the last page", unit="sessions")
    exit_rate: pl.Float64 = share(
        "Share of the views that were the last of their session", formula="exits / page_views"
    )
    bounced_entries: pl.Int64 = count(
        "Sessions with exactly one page view, which was of this page", unit="sessions"
    )
    bounce_rate: pl.Float64 = share(
        "Share of the entries that no other view followed; null where none entered",
        formula="bounced_entries / entries",
    )
    timed_views: pl.Int64 = count("Views of which the time on page is known")
    time_on_page_seconds: pl.Float64 = column(
        "Times on page of these, summed up", unit="seconds", ge=0.0
    )
    mean_time_on_page_seconds: pl.Float64 = _seconds(
        "Time on page, on the mean of timed views; null without any",
        formula="time_on_page_seconds / timed_views",
    )
    median_time_on_page_seconds: pl.Float64 = _seconds(
        "Time on page that half of the timed views took at most, between two linearly"
    )
    p90_time_on_page_seconds: pl.Float64 = _seconds(
        "Time on page that nine of ten timed views took at most, between two linearly"
    )
    scroll_views: pl.Int64 = count("Views that tell a scroll depth, by themselves or by a ping")
    scroll_depth: pl.Float64 = column(
        "Deepest scroll of each of these and its pings, at most 1, to the millionth, summed up",
        unit="pages",
        ge=0.0,
    )
    mean_scroll_depth: pl.Float64 = share(
        "Depth to which the page was scrolled, on the mean of these; null without any",
        formula="scroll_depth / scroll_views",
    )
    is_complete: pl.Boolean = column("The day is not after data_through")
