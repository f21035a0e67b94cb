"""How values are written for people, in English."""

from datetime import date, datetime
from decimal import Decimal

Value = str | int | float | bool | Decimal | date | datetime | None
Number = int | float | Decimal

# Stands where there is no number: before the first answer, or where the denominator is zero.
NONE = "–"
_MINUS = "\u2212"
_SPACE = "\u00a0"
_DAY, _HOUR, _MINUTE = 86_400, 3_600, 60


def number(value: Number, decimals: int = 0) -> str:
    """1,234 or 3.09; a real minus sign."""
    text = f"{value:,.{decimals}f}"
    return text if not text.startswith("-") else _unsigned_zero(text[1:])


def _unsigned_zero(text: str) -> str:
    return _MINUS + text if any(digit in text for digit in "123456789") else text


def percent(value: Number, decimals: int = 1) -> str:
    """0.123 as 12.3 %."""
    return f"{number(value * 100, decimals)}{_SPACE}%"


def duration(seconds: Number) -> str:
    """Seconds in the two largest units that matter: 42 s, 4 h 32 min, 2 d 7 h."""
    whole = round(abs(float(seconds)))
    sign = _MINUS if seconds < 0 and whole else ""
    for size, name, below, name_below in (
        (_DAY, "d", _HOUR, "h"),
        (_HOUR, "h", _MINUTE, "min"),
        (_MINUTE, "min", 1, "s"),
    ):
        if whole >= size:
            # Rounded to the smaller unit first, so that it never says 60 of it.
            parts = round(whole / below)
            first, rest = divmod(parts, size // below)
            second = f"{_SPACE}{rest}{_SPACE}{name_below}" if rest else ""
            return f"{sign}{first}{_SPACE}{name}{second}"
    return f"{sign}{whole}{_SPACE}s"


def month(day: date) -> str:
    """Mar 2025."""
    return f"{day:%b %Y}"


def plain_day(day: date) -> str:
    """3 Mar 2025."""
    return f"{day.day} {day:%b %Y}"


def listed(names: list[str]) -> str:
    """One, two and three."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
