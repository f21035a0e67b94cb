"""Exchange rates, what an amount is in the reporting currency, and exact division.

Dollars and pounds have a rate every day. Dirhams, for which no rates come with the library, have
one on Mondays, but for one Monday: what is paid in them from the eighth day after the last rate
on waits until the next. Shillings have none.
"""

import polars as pl

from pipelines.sample.clock import DAY, HOUR, Clock, date_of
from pipelines.sample.columns import derived
from pipelines.sample.dice import Dice
from pipelines.sample.exports import Export

REPORTING, WITHOUT_RATES = "EUR", "KES"
# Units of the currency for one euro, in ten-thousandths.
_BASES = {"USD": 10_850, "GBP": 8_400, "AED": 39_800}
_WEEKLY = "AED"
_GAP_DAYS_BEFORE_FIRST = 100
_SWING_DAYS = 180
_REACH_DAYS = 7
_UNIT = 10_000
_SCALE = 4


def rates(clock: Clock, dice: Dice) -> pl.DataFrame:
    """``currency``, ``day`` (since 1970) and ``rate_units`` (ten-thousandths), as they land."""
    span = pl.int_range(clock.history - 2 * _REACH_DAYS, clock.end // DAY, dtype=pl.Int64)
    days = pl.select(span.alias("day"))
    each = [
        _drawn(days.with_columns(pl.lit(currency).alias("currency")), base, place, dice)
        for place, (currency, base) in enumerate(_BASES.items())
    ]
    return pl.concat(each).filter(_is_told(clock))


def _drawn(days: pl.DataFrame, base: int, place: int, dice: Dice) -> pl.DataFrame:
    """A slow swing of three per cent with a little noise."""
    phase = (pl.col("day") + 50 * place) % _SWING_DAYS
    swing = (phase - _SWING_DAYS // 2).abs() * base // (30 * _SWING_DAYS)
    noise = dice.below(base // 200, pl.col("day") * len(_BASES) + place, "rate")
    return derived(days, (base + swing + noise).alias("rate_units"))


def _is_told(clock: Clock) -> pl.Expr:
    is_monday = (pl.col("day") + 3) % 7 == 0
    gap = clock.first - _GAP_DAYS_BEFORE_FIRST
    in_gap = pl.col("day").is_between(gap, gap + 6)
    return (pl.col("currency") != _WEEKLY) | (is_monday & ~in_gap)


def in_force(told: pl.DataFrame) -> pl.DataFrame:
    """Of every currency and day the latest rate of that day or the seven before it."""
    own = (
        told.select("day")
        .unique()
        .with_columns(
            pl.lit(REPORTING).alias("currency"), pl.lit(_UNIT, dtype=pl.Int64).alias("rate_units")
        )
    )
    reach = pl.DataFrame({"age": range(_REACH_DAYS + 1)})
    held = told.join(reach, how="cross").sort("currency", "day", "age")
    held = held.with_columns((pl.col("day") + pl.col("age")).alias("on"))
    latest = held.filter(pl.col("age") == pl.col("age").min().over("currency", "on"))
    latest = latest.select(pl.col("on").alias("day"), "currency", "rate_units")
    return pl.concat([latest, own.select("day", "currency", "rate_units")])


def with_rate(rows: pl.DataFrame, rates_in_force: pl.DataFrame, at: str) -> pl.DataFrame:
    """``rate_units`` of the rows' currencies on the day of the second ``at``; null: none."""
    dated = rows.with_columns((pl.col(at) // DAY).alias("day"))
    return dated.join(
        rates_in_force, on=["day", "currency"], how="left", maintain_order="left"
    ).drop("day")


def reported(cents: pl.Expr, multiplier: pl.Expr | int = 1, divisor: pl.Expr | int = 1) -> pl.Expr:
    """Cents at ``rate_units``, times and by, as ten-thousandths of the reporting currency."""
    return half_even(cents * 100 * _UNIT * multiplier, pl.col("rate_units") * divisor)


def price(cents: pl.Expr) -> pl.Expr:
    """Cents as an amount."""
    return (cents.cast(pl.Decimal(18, 2)) / 100).cast(pl.Decimal(18, 2))


def half_even(numerator: pl.Expr, denominator: pl.Expr) -> pl.Expr:
    """The quotient of two whole numbers above zero, rounded to the nearest, half to even."""
    quotient, rest = numerator // denominator, numerator % denominator
    is_odd = quotient % 2 == 1
    rises = (2 * rest > denominator) | ((2 * rest == denominator) & is_odd)
    return quotient + rises.cast(pl.Int64)


def money_text(units: int) -> str:
    """Ten-thousandths as a decimal number."""
    sign, whole = "-" if units < 0 else "", abs(units)
    return f"{sign}{whole // _UNIT}.{whole % _UNIT:0{_SCALE}}"


def exchange_rates(told: pl.DataFrame) -> Export:
    """The rates as they land, each on its morning."""
    at = pl.col("day") * DAY + 5 * HOUR
    rows = told.sort("day", "currency").select(
        date_of(pl.col("day")),
        "currency",
        (pl.col("rate_units").cast(pl.Decimal(18, 4)) / _UNIT)
        .cast(pl.Decimal(18, 4))
        .alias("rate"),
        at.alias("at"),
        pl.int_range(pl.len(), dtype=pl.Int64).alias("key"),
    )
    return Export(
        "exchange_rates",
        rows,
        identity=("day", "currency"),
        arrival_decides=True,
        flaws={"rate_negative": {"rate": -pl.col("rate")}, "day_missing": {"day": None}},
    )
