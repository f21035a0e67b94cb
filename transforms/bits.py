"""Days of activity as bits of an Int64, and how many people have each bit set.

A spine's row holds one month: bit 0 is its first day. *Aligned* bits also hold days around the
month, so that a window or a week is one mask in every month: day ``j`` of the month lies at bit
``before + j - 1``, the days before it below, the days after it above.
"""

from collections.abc import Iterable, Sequence
from datetime import date

import polars as pl

DAYS_OF_MONTH = range(1, 32)
WEEKS_OF_MONTH = range(5)
WEEK_BITS = 0b1111111
_USED_BITS = 62


def shift_left(bits: pl.Expr, by: pl.Expr | int) -> pl.Expr:
    """Bits moved up. What is pushed beyond the 63rd bit must have been masked away."""
    return bits * _power(by)


def shift_right(bits: pl.Expr, by: pl.Expr | int) -> pl.Expr:
    """Bits moved down, the lowest dropped."""
    return bits // _power(by)


def _power(by: pl.Expr | int) -> pl.Expr:
    if isinstance(by, int):
        return pl.lit(1 << by, pl.Int64)
    return pl.lit(2, pl.Int64).pow(by.cast(pl.UInt32))


def any_of(bits: pl.Expr, mask: int) -> pl.Expr:
    """Whether at least one bit of the mask is set."""
    return (bits & mask) != 0


def highest(bits: pl.Expr) -> pl.Expr:
    """Number of the highest set bit."""
    return 63 - bits.bitwise_leading_zeros().cast(pl.Int32)


def lowest_bits(bits: pl.Expr, how_many: pl.Expr) -> pl.Expr:
    """Only the lowest bits."""
    return bits & (_power(how_many) - 1)


def until(months: pl.LazyFrame, columns: Iterable[str], last_day: date) -> pl.LazyFrame:
    """Rows of months without the days after ``last_day``; rows with no day left are dropped."""
    last_month = last_day.replace(day=1)
    kept = (1 << last_day.day) - 1
    days = [pl.col(name) for name in columns]
    in_last = pl.col("month") == last_month
    return (
        months.filter(pl.col("month") <= last_month)
        .with_columns(pl.when(in_last).then(bits & kept).otherwise(bits) for bits in days)
        .filter(pl.any_horizontal(bits != 0 for bits in days))
    )


def aligned(
    months: pl.LazyFrame,
    by: Sequence[str],
    *,
    before: int = 0,
    after: int = 0,
    own_flag: int = 0,
    previous_flag: int = 0,
) -> pl.LazyFrame:
    """The days of each month with those around it: ``month``, the columns ``by``, ``bits``.

    ``months`` brings ``month``, ``by`` (unique together) and ``bits``. Somebody who was active
    only around a month has a row for it too. ``own_flag`` and ``previous_flag`` are bits above the
    days that tell of any activity in the month, and in the one before. ``before`` may be 31 at
    most, ``after`` 27.
    """
    month, bits = pl.col("month"), pl.col("bits")
    length = month.dt.days_in_month().cast(pl.Int32)
    parts = [months.with_columns(shift_left(bits, before) + own_flag)]
    if before:
        following = months.with_columns(month=month.dt.offset_by("1mo"))
        tail = _ending_at(bits, month.dt.offset_by("-1mo").dt.days_in_month(), before)
        parts.append(following.with_columns(tail.alias("bits") + previous_flag))
    if before > 28:
        parts.append(_month_before_february(months, before))
    if after:
        head = shift_left(bits & ((1 << after) - 1), before + length)
        parts.append(
            months.with_columns(month=month.dt.offset_by("-1mo")).with_columns(head.alias("bits"))
        )
    placed = pl.concat([part.select("month", *by, "bits") for part in parts])
    return placed.filter(bits != 0).group_by("month", *by).agg(bits.sum())


def _ending_at(bits: pl.Expr, length: pl.Expr, end: int) -> pl.Expr:
    """A month's bits moved so that its last day lies just below bit ``end``."""
    by = end - length.cast(pl.Int32)
    up, down = pl.max_horizontal(by, 0), pl.max_horizontal(-by, 0)
    return shift_right(shift_left(bits, up), down)


def _month_before_february(months: pl.LazyFrame, before: int) -> pl.LazyFrame:
    """Days of January that a window ending in March reaches over a whole February."""
    february = pl.col("month").dt.offset_by("1mo")
    end = before - february.dt.days_in_month().cast(pl.Int32)
    lower = pl.col("month").dt.days_in_month().cast(pl.Int32) - pl.max_horizontal(end, 0)
    january = months.filter(pl.col("month").dt.month() == 1)
    moved = january.with_columns(bits=shift_right(pl.col("bits"), lower))
    return moved.with_columns(month=pl.col("month").dt.offset_by("2mo"))


def trailing(frame: pl.LazyFrame, name: str, window: int) -> pl.LazyFrame:
    """Add ``name``: a bit is set where one of the ``window`` bits of ``bits`` up to it is."""
    frame = frame.with_columns(pl.col("bits").alias(name))
    covered = 1
    while covered < window:
        step = min(covered, window - covered)
        kept = pl.col(name) & ((1 << (_USED_BITS - step)) - 1)
        frame = frame.with_columns(pl.col(name) | shift_left(kept, step))
        covered += step
    return frame


def people_with(conditions: Iterable[pl.Expr], name: str) -> list[pl.Expr]:
    """How many rows of a group meet each condition: columns ``name``0, ``name``1, ..."""
    return [
        condition.sum().cast(pl.Int64).alias(f"{name}{number}")
        for number, condition in enumerate(conditions)
    ]


def days_with(bits: pl.Expr, masks: Iterable[int], name: str) -> list[pl.Expr]:
    """How many bits of each mask are set over the rows of a group: columns ``name``0, ..."""
    return [
        (bits & mask).bitwise_count_ones().sum().cast(pl.Int64).alias(f"{name}{number}")
        for number, mask in enumerate(masks)
    ]


def spread(wide: pl.LazyFrame, slots: Sequence[int], **lists: Sequence[str]) -> pl.LazyFrame:
    """One row per slot from columns that hold one slot each: adds ``slot`` and the given names."""
    numbers = pl.concat_list([pl.lit(slot, pl.Int32) for slot in slots])
    gathered = [pl.concat_list(list(columns)).alias(name) for name, columns in lists.items()]
    used = {column for columns in lists.values() for column in columns}
    long = wide.with_columns(numbers.alias("slot"), *gathered).drop(used)
    return long.explode("slot", *lists)


def numbered(name: str, how_many: int) -> list[str]:
    """The columns that :func:`people_with` made."""
    return [f"{name}{number}" for number in range(how_many)]
