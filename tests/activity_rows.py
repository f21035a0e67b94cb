"""Rows of the activity spines, written as the days of a month on which somebody was active."""

from typing import Any

from frames import day

EVERYBODY = {"dimension": "all", "segment": "all"}
WEB = {"dimension": "platform", "segment": "web"}
IOS = {"dimension": "platform", "segment": "ios"}


def bits(*days: int) -> int:
    return sum(1 << (number - 1) for number in days)


def month(text: str, user_id: str, *days: int, key: tuple[int, ...] = (), **where: str) -> Any:
    """A row of user_months; ``key`` are the days on which a key feature was used."""
    return {
        "month": day(f"{text}-01"),
        "user_id": user_id,
        "active_days": bits(*days),
        "first_days": bits(*days),
        "key_feature_days": bits(*key),
        **(where or EVERYBODY),
    }


def first(text: str, user_id: str, *, is_entry: bool = True, **where: str) -> Any:
    """A row of users."""
    return {**since(text, **where), "user_id": user_id, "is_entry": is_entry}


def since(text: str, **where: str) -> Any:
    """A row of segments."""
    first_date = day(text)
    return {
        "first_month": first_date.replace(day=1),
        "first_date": first_date,
        **(where or EVERYBODY),
    }
