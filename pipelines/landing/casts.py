"""From text, or what Parquet brought, to the types of the contract; nothing is inferred.

A cast never fails: it gives values, and of each problem the rows that have it. Where a value is
null and has no problem, there was none.
"""

from dataclasses import dataclass

import polars as pl

from pipelines.landing.json_text import typed
from pipelines.landing.timestamps import TimeRule, days, in_range, noon, timestamps

_TRUE = ["true", "t", "yes", "y", "1"]
_FALSE = ["false", "f", "no", "n", "0"]
_PLAINLY_TEXT = (pl.Boolean, pl.Date, pl.Categorical, pl.Enum)
# More digits than a table's decimals hold, so that what is cut off is rounded once.
_WIDE = pl.Decimal(38, 18)
_WHOLE = r"^\s*([+-]?\d+)(?:\.0*)?\s*$"


@dataclass(frozen=True)
class Value:
    """A column of values, and per problem the rows that have it.

    A problem's text completes a sentence that begins with the column's name.
    """

    series: pl.Series
    problems: tuple[tuple[str, pl.Series], ...] = ()

    def but(self, problem: str, rows: pl.Series) -> "Value":
        """The same with one more problem, where any row has it; those rows become null."""
        if not rows.any():
            return self
        return Value(self.series.set(rows, None), (*self.problems, (problem, rows)))


def cast(value: Value, to: pl.DataType, rule: TimeRule) -> Value:
    """The values in the type of the contract."""
    series = value.series
    if series.null_count() == len(series):
        nothing = pl.repeat(None, len(series), dtype=to, eager=True)
        return Value(nothing, value.problems)
    if to == pl.Datetime("us", "UTC"):
        made = _timestamp(series, rule)
    elif to == pl.Date:
        made = _day(series, rule)
    elif to == pl.String:
        made = Value(_without_blanks(as_text(series)))
    elif series.dtype == to:
        made = Value(series)
    elif isinstance(to, pl.Decimal):
        made = _decimal(_without_blanks(as_text(series)), to)
    else:
        made = _PLAIN[to.base_type()](_without_blanks(as_text(series)))
    values = made.series
    if to == pl.Float64:
        # -0.0 is other bytes for an equal value.
        values = values.set((values == 0).fill_null(False), 0.0)
    return Value(values, (*value.problems, *made.problems))


def as_text(values: pl.Series) -> pl.Series:
    """Any values as the text that would stand in a CSV file."""
    if values.dtype == pl.String:
        return values
    if values.dtype == pl.Null:
        return values.cast(pl.String)
    if values.dtype == pl.Float16:
        # polars 2.1 takes 1.5 of this type for a whole number.
        values = values.cast(pl.Float32)
    if values.dtype.is_float():
        # An id that pandas made a float is an integer with ".0".
        whole = values.cast(pl.Int64, strict=False)
        is_whole = (values == values.floor()) & (values.abs() < 2**53)
        known = values.fill_nan(None)
        return whole.cast(pl.String).zip_with(is_whole.fill_null(True), known.cast(pl.String))
    if isinstance(values.dtype, pl.Datetime):
        utc = "%Y-%m-%dT%H:%M:%S%.6fZ" if values.dtype.time_zone else "%Y-%m-%dT%H:%M:%S%.6f"
        moved = values.dt.convert_time_zone("UTC") if values.dtype.time_zone else values
        return moved.dt.strftime(utc)
    if values.dtype.is_nested():
        return typed(values)
    if values.dtype in _PLAINLY_TEXT or values.dtype.is_numeric():
        return values.cast(pl.String)
    return pl.Series([None if value is None else str(value) for value in values], dtype=pl.String)


def _without_blanks(text: pl.Series) -> pl.Series:
    # White space lies before the first visible character of ASCII, or beyond the last. To compare
    # the first characters costs a tenth of looking at all.
    if not ((text < "!") | (text > "~")).any():
        return text
    blank = text.str.strip_chars() == ""
    return text.set(blank.fill_null(False), None) if blank.any() else text


def _timestamp(values: pl.Series, rule: TimeRule) -> Value:
    if isinstance(values.dtype, pl.Datetime | pl.Date):
        return _checked_times(values, rule)
    made, problems = timestamps(_without_blanks(as_text(values)), rule)
    return Value(made, tuple(problems))


def _checked_times(values: pl.Series, rule: TimeRule) -> Value:
    # What lies beyond would overflow in another unit.
    known = _calendar(values)
    values, problems = known.series, known.problems
    if values.dtype == pl.Date:
        return Value(noon(values, rule.reporting_zone), problems)
    if values.dtype.time_zone is None:  # type: ignore[attr-defined]
        zoned = TimeRule(rule.reporting_zone, rule.zone)
        made, more = timestamps(as_text(values), zoned)
        return Value(made, (*problems, *more))
    return Value(values.dt.convert_time_zone("UTC").cast(pl.Datetime("us", "UTC")), problems)


def _calendar(values: pl.Series) -> Value:
    return Value(values).but("lies outside the years 1 to 9999", ~in_range(values))


def _day(values: pl.Series, rule: TimeRule) -> Value:
    if values.dtype == pl.Date:
        return _calendar(values)
    text = _without_blanks(as_text(values))
    made = days(text, rule.format)
    said = f"in the format {rule.format}" if rule.format else "such as 2024-03-05"
    return Value(made).but(f"is not a day {said}", text.is_not_null() & made.is_null())


def _integer(text: pl.Series) -> Value:
    made = text.cast(pl.Int64, strict=False)
    unread = made.is_null() & text.is_not_null()
    if unread.any():
        made = text.str.extract(_WHOLE).cast(pl.Int64, strict=False)
        unread = made.is_null() & text.is_not_null()
    return Value(made).but("is not a whole number", unread)


def _number(text: pl.Series) -> Value:
    made = text.cast(pl.Float64, strict=False)
    unread = made.is_null() & text.is_not_null()
    if unread.any():
        made = text.str.strip_chars().cast(pl.Float64, strict=False)
        unread = made.is_null() & text.is_not_null()
    return Value(made).but("is not a number", unread)


def _decimal(text: pl.Series, to: pl.Decimal) -> Value:
    """Exact numbers, rounded half to even where there are more decimals than the type has."""
    plain = text.str.strip_chars()
    wide = plain.cast(_WIDE, strict=False)
    made = wide.round(to.scale, mode="half_to_even").cast(to, strict=False)
    unread = made.is_null() & text.is_not_null()
    return Value(made).but(f"is not a number below 10^{to.precision - to.scale}", unread)


def _boolean(text: pl.Series) -> Value:
    plain = text.str.strip_chars().str.to_lowercase()
    true, false = plain.is_in(_TRUE), plain.is_in(_FALSE)
    made = true.set(~true & ~false, None)
    unread = made.is_null() & text.is_not_null()
    return Value(made).but("is not true or false", unread)


_PLAIN = {pl.Int64: _integer, pl.Float64: _number, pl.Boolean: _boolean}
