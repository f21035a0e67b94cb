"""Rows of funnels for tests: what is said is what matters, all else is usual."""

from typing import Any

from frames import at, day

BUY = {
    "name": "buy",
    "steps": [
        {"name": "view", "events": ["view"]},
        {"name": "cart", "events": ["cart", "wish"]},
        {"name": "order", "events": ["order"]},
    ],
    "window_hours": 24,
}
TWICE = {
    "name": "twice",
    "steps": [{"name": "view", "events": ["view"]}, {"name": "again", "events": ["view"]}],
    "window_hours": 24,
}


def done(name: str, ts: str, event_id: str = "e", user_id: str | None = "ada", **rest: Any) -> Any:
    """A row of events; its day is that of UTC."""
    moment = {"event_ts": at(ts), "event_date": day(ts[:10])}
    return {"event_name": name, "event_id": event_id, "user_id": user_id, **moment, **rest}


def step(number: int, ts: str, event_id: str = "e", user_id: str = "ada", **rest: Any) -> Any:
    """A row of funnel_events of the funnel buy; its day is that of UTC."""
    row = {"funnel": "buy", "step": number, "user_id": user_id, "event_id": event_id}
    return {**row, "event_ts": at(ts), "event_date": day(ts[:10]), **rest}


def entry(entered: str, step: int = 1, user_id: str = "ada", **rest: Any) -> Any:
    """A row of funnel_entries of the funnel buy, each step a minute after the one before."""
    row = {"funnel": "buy", "step": step, "user_id": user_id, "reached_date": day(entered)}
    took = None if step == 1 else 60_000_000
    return {**row, "entry_date": day(entered), "microseconds_from_previous": took, **rest}
