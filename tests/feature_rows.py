"""Rows of features for tests: what is said is what matters, all else is usual."""

from datetime import timedelta
from typing import Any

from frames import day

EVERYBODY = {"dimension": "all", "segment": "all"}
WEB = {"dimension": "platform", "segment": "web"}


def used(text: str, user_id: str = "ada", feature: str = "export", **rest: Any) -> Any:
    """A row of feature_days: one event, on the web."""
    row = {"event_date": day(text), "feature": feature, "user_id": user_id}
    return {**row, "segments": "web", "events": 1, **rest}


def known(text: str, feature: str = "export", **where: str) -> Any:
    """A row of feature_segments."""
    first = {"first_month": day(text).replace(day=1), "first_date": day(text)}
    return {**first, "feature": feature, **(where or EVERYBODY)}


def audience(
    first: str, *active: int, grain: str = "day", is_complete: bool = True, **where: str
) -> list[Any]:
    """Rows of lifecycle: how many were active in each period from the first one on."""
    length = timedelta(7 if grain == "week" else 1)
    return [
        {
            "grain": grain,
            "period_start": day(first) + number * length,
            "active_users": people,
            "is_complete": is_complete,
            **{f"{state}_users": 0 for state in ("new", "retained", "dormant")},
            "resurrected_users": people,
            **(where or EVERYBODY),
        }
        for number, people in enumerate(active)
    ]
