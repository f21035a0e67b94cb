"""Text to instants and days.

A timestamp is ISO 8601 with an offset. Without one it needs a zone: of an hour that the clocks
show twice the first is meant, an hour that they skip does not exist. A date without a time of day
is noon in the reporting zone. Years run from 1 to 9999.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime

import polars as pl

UTC_MICROSECONDS = pl.Datetime("us", "UTC")
# Days since 1970; one at either end is left to the zones.
_EARLIEST = (date(1, 1, 2) - date(1970, 1, 1)).days
_LATEST = (date(9999, 12, 30) - date(1970, 1, 1)).days
_DAY = r"^\d{4}-\d{2}-\d{2}$"
_ISO = (
    r"^(?P<day>\d{4}-?\d{2}-?\d{2})[Tt ](?P<minute>\d{2}:?\d{2})(?P<second>:?\d{2})?"
    r"(?P<fraction>[.,]\d+)? ?(?P<offset>[Zz]|UTC|[+\-−]\d{2}(?::?\d{2})?)?$"
)
_EPOCH_FACTORS = {"s": 1_000_000, "ms": 1_000, "us": 1}
_COUNT = r"^\s*\d{9,}(?:\.\d*)?\s*$"
_LIKE_A_COUNT = 'looks like a count since 1970: say of what (epoch = "s", "ms" or "us")'
_TIME_OF_DAY = ("%H", "%I", "%k", "%l", "%T", "%R", "%r", "%X", "%c", "%s", "%+")

Problems = list[tuple[str, pl.Series]]


@dataclass(frozen=True)
class TimeRule:
    """How a column's times are written."""

    reporting_zone: str
    zone: str | None = None
    epoch: str | None = None
    format: str | None = None


def timestamps(text: pl.Series, rule: TimeRule) -> tuple[pl.Series, Problems]:
    """Instants in UTC, and what is wrong with those that are none."""
    if rule.epoch:
        problems: Problems = []
        made = _from_epoch(text, rule.epoch)
        what = f"is not a count of {rule.epoch} since 1970"
    elif rule.format:
        made, problems = _from_format(text, rule)
        what = f"is not a timestamp in the format {rule.format}"
    else:
        made, problems = _from_iso(text, rule)
        what = "is not an ISO 8601 timestamp such as 2024-03-05T12:34:56+01:00"
    made = made.set(~in_range(made), None)
    unread = text.is_not_null() & made.is_null()
    for _, rows in problems:
        unread = unread & ~rows
    if unread.any() and not rule.epoch and not rule.format:
        count = unread & text.str.contains(_COUNT).fill_null(False)
        problems += [(_LIKE_A_COUNT, count)] if count.any() else []
        unread = unread & ~count
    return made, [*problems, (what, unread)] if unread.any() else problems


def days(text: pl.Series, format: str | None) -> pl.Series:  # noqa: A002
    """Days; null where the text is none."""
    if format:
        return text.str.to_date(format, strict=False)
    plain = text.str.strip_chars()
    return plain.set(~plain.str.contains(_DAY), None).str.to_date("%Y-%m-%d", strict=False)


def noon(day: pl.Series, zone: str) -> pl.Series:
    """Noon of a day in a zone; where a zone skipped the day, noon in UTC."""
    local = day.to_frame("d").select(pl.col("d").cast(pl.Datetime("us")) + pl.duration(hours=12))
    naive = local.to_series()
    there = naive.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return there.dt.convert_time_zone("UTC").fill_null(naive.dt.replace_time_zone("UTC"))


def in_range(times: pl.Series) -> pl.Series:
    """Whether days or instants lie in the years that are taken; true of nulls."""
    counts = times.to_physical()
    # Counts of nanoseconds reach from 1677 to 2262.
    unit = times.dtype.time_unit if isinstance(times.dtype, pl.Datetime) else None
    if unit == "ns":
        return pl.repeat(True, len(times), dtype=pl.Boolean, eager=True)
    a_day = 86_400 * 1_000_000 // _EPOCH_FACTORS[unit] if unit else 1
    return counts.is_between(_EARLIEST * a_day, _LATEST * a_day).fill_null(True)


def works(format: str) -> bool:  # noqa: A002
    """Whether a strptime format can be read."""
    try:
        said = pl.Series([datetime(2024, 3, 5, 13, 45, 59, tzinfo=UTC)]).dt.strftime(format)
        parse = _parse_days if _only_days(format) else _parse_times
        return not parse(said, format).is_null().any()
    except (pl.exceptions.PolarsError, ValueError):
        return False


def _only_days(format: str) -> bool:  # noqa: A002
    return not any(token in format for token in _TIME_OF_DAY)


def _parse_days(text: pl.Series, format: str) -> pl.Series:  # noqa: A002
    return text.str.to_date(format, strict=False)


def _parse_times(text: pl.Series, format: str) -> pl.Series:  # noqa: A002
    return text.str.to_datetime(format, strict=False, time_unit="us")


def _from_epoch(text: pl.Series, unit: str) -> pl.Series:
    factor = _EPOCH_FACTORS[unit]
    bound = 253_402_300_800 * 1_000_000 // factor
    whole = text.cast(pl.Int64, strict=False)
    whole = whole.set(~whole.is_between(-bound, bound).fill_null(True), None) * factor
    unread = whole.is_null() & text.is_not_null()
    if unread.any():
        parts = text.str.strip_chars().cast(pl.Float64, strict=False)
        parts = parts.set(~parts.is_between(-bound, bound).fill_null(True), None) * factor
        whole = whole.zip_with(~unread, parts.round().cast(pl.Int64, strict=False))
    return whole.cast(UTC_MICROSECONDS)


def _from_format(text: pl.Series, rule: TimeRule) -> tuple[pl.Series, Problems]:
    assert rule.format
    if _only_days(rule.format):
        return noon(_parse_days(text, rule.format), rule.reporting_zone), []
    made = _parse_times(text, rule.format)
    if made.dtype == UTC_MICROSECONDS:
        return made, []
    return _placed(made, rule.zone)


def _from_iso(text: pl.Series, rule: TimeRule) -> tuple[pl.Series, Problems]:
    made = text.str.to_datetime("%+", strict=False, time_unit="us", time_zone="UTC")
    rest = (made.is_null() & text.is_not_null()).arg_true()
    if not len(rest):
        return made, []
    some, problems = _from_loose_iso(text.gather(rest).str.strip_chars(), rule)
    spread: Problems = []
    for what, rows in problems:
        none = pl.repeat(False, len(text), dtype=pl.Boolean, eager=True)
        spread.append((what, none.scatter(rest, rows)))
    return made.scatter(rest, some), spread


def _from_loose_iso(text: pl.Series, rule: TimeRule) -> tuple[pl.Series, Problems]:
    parts = text.str.extract_groups(_ISO).struct.unnest()
    day = parts["day"].str.replace_all("-", "")
    minute = parts["minute"].str.replace(":", "")
    second = parts["second"].str.replace(":", "").fill_null("00")
    fraction = parts["fraction"].str.replace(",", ".").fill_null("")
    offset = parts["offset"].str.replace("−", "-").str.replace(r"^(?:[Zz]|UTC)$", "+00")
    local = pl.select(pl.concat_str(day, minute, second, fraction)).to_series()
    naive = local.str.to_datetime("%Y%m%d%H%M%S%.f", strict=False, time_unit="us")
    full = pl.select(pl.concat_str(local, offset)).to_series()
    made = full.str.to_datetime("%Y%m%d%H%M%S%.f%#z", strict=False, time_unit="us")
    without = naive.set(offset.is_not_null(), None)
    placed, problems = _placed(without, rule.zone)
    at_noon = noon(days(text, None), rule.reporting_zone)
    return made.cast(UTC_MICROSECONDS).fill_null(placed).fill_null(at_noon), problems


def _placed(naive: pl.Series, zone: str | None) -> tuple[pl.Series, Problems]:
    """Local times in their zone."""
    if zone is None:
        rows = naive.is_not_null()
        nothing = naive.clear(len(naive)).cast(UTC_MICROSECONDS)
        what = 'has no offset: name its zone in the settings of its feed (zone = "Europe/Berlin")'
        return nothing, [(what, rows)] if rows.any() else []
    there = naive.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    skipped = naive.is_not_null() & there.is_null()
    what = f"does not exist in {zone}: the clocks skipped this hour"
    return there.dt.convert_time_zone("UTC"), [(what, skipped)] if skipped.any() else []
