"""Rows of goals that sessions reached, for tests."""

from typing import Any

from frames import at

GOALS = [{"name": "buy", "events": ["purchase"]}, {"name": "join", "events": ["signup"]}]


def reached(started: str, user_id: str = "ada", **columns: Any) -> dict[str, Any]:
    """A row of session_goals: one conversion of the goal buy, where nothing else is said."""
    return {
        "date": at(started).date(),
        "user_id": user_id,
        "session_id": f"{user_id}@{started}",
        "goal": "buy",
        "conversions": 1,
        "segments": "web",
        **columns,
    }


def visited(sessions: int, visitors: int, **columns: Any) -> dict[str, Any]:
    """A row of sessions_daily or sessions_periodic: of everybody, where nothing else is said."""
    everybody = {"dimension": "all", "segment": "all"}
    return {**everybody, "sessions": sessions, "visitors": visitors, **columns}
