"""Rows of events and sessions for tests: what is said is what matters, all else is usual."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import polars as pl
from frames import Row, at, day, frame

from schemas.base import empty
from schemas.events import Events
from schemas.session_days import SessionDays
from schemas.stitches import Stitches
from transforms.session_days import session_days

SETTINGS: dict[str, Any] = {
    "session_timeout_minutes": 30,
    "session_max_hours": 24,
    "use_source_sessions": False,
    "goals": [{"name": "purchase", "events": ["purchase"]}],
    "own_domains": [],
    "payment_providers": [],
    "dimensions": ["platform", "country", "channel"],
}


def seen(ts: str, user_id: str | None = "ada", **columns: Any) -> dict[str, Any]:
    """An event, a page view where nothing else is said; its day is that of UTC."""
    row = {"event_ts": at(ts), "event_date": day(ts[:10]), "user_id": user_id}
    return {"event_name": "page_view", **row, **columns}


def of_events(rows: Iterable[Row], **options: Any) -> pl.LazyFrame:
    """Sessions of events, in one go; event ids are numbered in the order of the rows."""
    numbered = [{"event_id": f"e{number:03}", **row} for number, row in enumerate(rows)]
    return session_days(
        frame(Events, numbered), empty(Stitches), empty(SessionDays), **{**SETTINGS, **options}
    )


def session(started: str, user_id: str = "ada", seconds: float = 0, **columns: Any) -> Any:
    """A row of session_days: one page view, where nothing else is said."""
    page_views = columns.get("page_views", 1)
    start = at(started)
    end = start + timedelta(seconds=seconds)
    return {
        "date": start.date(),
        "session_id": f"{user_id}@{started}",
        "user_id": user_id,
        "started_ts": start,
        "ended_ts": end,
        "ended_date": end.date(),
        "duration_seconds": float(seconds),
        "events": max(page_views, 1),
        "page_views": page_views,
        "channel": "Direct",
        "source": "(direct)",
        "medium": "(none)",
        "is_converting": False,
        "is_single_page": page_views == 1,
        "is_engaged": page_views > 1 or seconds > 10,
        "segments": "web",
        "is_first_of_day": True,
        **columns,
    }


def visitor(
    first: str, user_id: str = "ada", *, dimension: str = "all", segment: str = "all"
) -> Any:
    """A row of visitors."""
    date = day(first)
    return {
        "first_month": date.replace(day=1),
        "dimension": dimension,
        "segment": segment,
        "user_id": user_id,
        "first_date": date,
    }
