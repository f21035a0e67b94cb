"""How far what readers see lies behind today.

Judged by the days that the data reaches, and never by when a file was written: the backfill of an
old day makes nothing fresh.
"""

from collections.abc import Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

from pipelines.home import Home
from pipelines.session import Session


def today_of(home: Home, now: datetime) -> date:
    """The day it is in the reporting time zone."""
    return now.astimezone(ZoneInfo(home.settings.timezone)).date()


def days_late(session: Session, today: date) -> dict[str, int]:
    """Per published table with files, the days from its ``data_through`` to today."""
    reached = {name: each.data_through for name, each in session.manifest.published.items()}
    return {name: (today - day).days for name, day in sorted(reached.items()) if day}


def late_tables(late: Mapping[str, int], fresh_days: int) -> dict[str, int]:
    """Those that lie further behind than the setting ``fresh_days`` allows."""
    return {name: days for name, days in late.items() if days > fresh_days}
