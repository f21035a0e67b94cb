"""Periods of slices: days, months, and the one period of a table that is not divided."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Literal

Grain = Literal["day", "month", "whole"]
WHOLE = date(1, 1, 1)


def month_of(day: date) -> date:
    """First day of the month."""
    return day.replace(day=1)


def add_months(month: date, count: int) -> date:
    """First day of the month ``count`` months on."""
    months = month.year * 12 + month.month - 1 + count
    return date(months // 12, months % 12 + 1, 1)


def shift(period: date, grain: Grain, count: int) -> date:
    """The period ``count`` periods on."""
    return period + timedelta(days=count) if grain == "day" else add_months(period, count)


def last_day(period: date, grain: Grain) -> date:
    """Last day of a period."""
    if grain == "whole":
        return date.max
    return shift(period, grain, 1) - timedelta(days=1)


def to_grain(period: date, grain: Grain) -> date:
    """The period of a coarser or equal grain that holds ``period``."""
    if grain == "whole":
        return WHOLE
    return month_of(period) if grain == "month" else period


def months_between(first: date, last: date) -> Iterator[date]:
    """Every month from that of ``first`` to that of ``last``."""
    month = month_of(first)
    while month <= last:
        yield month
        month = add_months(month, 1)


def merged(windows: Iterator[tuple[date, date]]) -> list[tuple[date, date]]:
    """Overlapping windows joined, in order."""
    joined: list[tuple[date, date]] = []
    for first, last in sorted(set(windows)):
        if joined and first <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return joined
