"""Days, weeks, months and quarters of the reporting calendar as polars expressions.

No table is made here.
"""

from datetime import date

import polars as pl

DAY, WEEK, MONTH, QUARTER = "day", "week", "month", "quarter"
GRAINS = (DAY, WEEK, MONTH)
_STEPS = {DAY: "1d", WEEK: "1w", MONTH: "1mo", QUARTER: "3mo"}
_MONTHS = {MONTH: 1, QUARTER: 3}
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def local_day(instant: pl.Expr, timezone: str) -> pl.Expr:
    """The day of the reporting time zone on which an instant lies."""
    return instant.dt.convert_time_zone(timezone).dt.date()


def first_instant(day: pl.Expr, timezone: str) -> pl.Expr:
    """When a day of the reporting time zone begins, in UTC.

    Where clocks are put forward at midnight that is one o'clock; a day that the calendar leaves out
    begins when the next one does.
    """
    midnight = day.cast(pl.Datetime("us"))
    instants = [
        midnight.dt.offset_by(f"{hours}h")
        .dt.replace_time_zone(timezone, ambiguous="earliest", non_existent="null")
        .dt.convert_time_zone("UTC")
        for hours in (0, 1, 24)
    ]
    return pl.coalesce(instants)


def plus_days(day: pl.Expr, days: pl.Expr | int) -> pl.Expr:
    """The date that many days later."""
    return (day.cast(pl.Int32) + days).cast(pl.Date)


def days_to_week_start(day: pl.Expr, week_start: str) -> pl.Expr:
    """Days from a date to the next start of a week, 0 where the date is one."""
    return (_WEEKDAYS.index(week_start) + 8 - day.dt.weekday().cast(pl.Int32)) % 7


def period_start(day: pl.Expr, grain: str, week_start: str) -> pl.Expr:
    """First day of the day, week, month or quarter that holds a date."""
    if grain == DAY:
        return day
    if grain == MONTH:
        return day.dt.month_start()
    if grain == QUARTER:
        return pl.date(day.dt.year(), day.dt.quarter() * 3 - 2, 1)
    since = (day.dt.weekday().cast(pl.Int32) + 6 - _WEEKDAYS.index(week_start)) % 7
    return plus_days(day, -since)


def period_end(start: pl.Expr, grain: str) -> pl.Expr:
    """Last day of the period that begins on a date."""
    if grain == MONTH:
        return start.dt.month_end()
    if grain == QUARTER:
        return start.dt.offset_by("2mo").dt.month_end()
    return start if grain == DAY else plus_days(start, 6)


def nth_period(start: pl.Expr, number: pl.Expr, grain: str) -> pl.Expr:
    """Start of the period that lies ``number`` periods after the one that begins on a date."""
    if grain not in _MONTHS:
        return plus_days(start, number.cast(pl.Int32) * (7 if grain == WEEK else 1))
    months = _month_number(start) + number.cast(pl.Int32) * _MONTHS[grain]
    return pl.date(months // 12, months % 12 + 1, 1)


def periods_between(start: pl.Expr, later: pl.Expr, grain: str) -> pl.Expr:
    """How many periods lie between the starts of two of them: Int64."""
    if grain in _MONTHS:
        months = _month_number(later) - _month_number(start)
        return (months // _MONTHS[grain]).cast(pl.Int64)
    days = later.cast(pl.Int32) - start.cast(pl.Int32)
    return (days // (7 if grain == WEEK else 1)).cast(pl.Int64)


def _month_number(day: pl.Expr) -> pl.Expr:
    return day.dt.year() * 12 + day.dt.month().cast(pl.Int32) - 1


def every_period(
    firsts: pl.LazyFrame, grain: str, *, week_start: str, data_through: date
) -> pl.LazyFrame:
    """Each row once per period, from the one of its ``first_date`` to the one of the horizon.

    ``period_start`` takes the place of ``first_date``; rows that begin after the horizon have none.
    """
    start = period_start(pl.col("first_date"), grain, week_start)
    known = firsts.filter(pl.col("first_date") <= data_through)
    periods = pl.date_ranges(start, data_through, _STEPS[grain])
    return (
        known.with_columns(period_start=periods)
        .drop("first_date")
        .explode("period_start", empty_as_null=False)
    )


def first_days(segments: pl.LazyFrame, data_through: date) -> pl.LazyFrame:
    """First active day of each dimension and segment, as far as the horizon shows it."""
    firsts = segments.group_by("dimension", "segment").agg(pl.col("first_date").min())
    return firsts.filter(pl.col("first_date") <= data_through)


def first_day_of_all(segments: pl.LazyFrame, data_through: date) -> pl.LazyFrame:
    """First day of history: one row ``history_start``, or none before anybody was active."""
    everybody = pl.col("dimension") == "all"
    return first_days(segments, data_through).filter(everybody).select(history_start="first_date")


def dense_periods(
    segments: pl.LazyFrame, grain: str, *, week_start: str, data_through: date
) -> pl.LazyFrame:
    """Every period of each segment, from the one of its first day to the one of the horizon.

    Columns: period_start, dimension, segment, first_date. The periods are laid out before the
    segments are joined, so that a filter on ``period_start`` reaches them first.
    """
    firsts = first_days(segments, data_through)
    start = period_start(pl.col("first_date"), grain, week_start)
    periods = firsts.select(
        period_start=pl.date_ranges(start.min(), data_through, _STEPS[grain])
    ).explode("period_start")
    return (
        periods.drop_nulls()
        .join(firsts, how="cross")
        .filter(pl.col("period_start") >= start)
        .select("period_start", "dimension", "segment", "first_date")
    )


def week_of_month(weeks: pl.LazyFrame, week_start: str) -> pl.LazyFrame:
    """``period_start`` of the weeks that start in a month; ``slot`` numbers them from 0.

    A fifth week that would start after the month is dropped.
    """
    first = days_to_week_start(pl.col("month"), week_start)
    start = plus_days(pl.col("month"), first + 7 * pl.col("slot"))
    return weeks.with_columns(period_start=start).filter(
        pl.col("period_start").dt.month_start() == pl.col("month")
    )
