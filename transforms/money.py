"""Exact money: integers of a ten-thousandth, divided once, rounded half to even; dated rates.

No amount passes through a float.
"""

import polars as pl

from transforms.fates import counted

SCALE = 10_000
MONEY = pl.Decimal(18, 4)
RATE_DAYS = 7
_RATE_SCALE = 100_000_000


def units(amount: pl.Expr) -> pl.Expr:
    """An amount as an integer of its ten-thousandths (Int128)."""
    return (amount.cast(pl.Decimal(38, 4)) * SCALE).cast(pl.Int128)


def from_units(number: pl.Expr) -> pl.Expr:
    """Integers of a ten-thousandth as Money; null where it holds no such amount."""
    return (number.cast(pl.Decimal(38, 4), strict=False) / SCALE).cast(MONEY, strict=False)


def divided(numerator: pl.Expr, denominator: pl.Expr) -> pl.Expr:
    """Integers divided and rounded half to even; null where the denominator is not above zero."""
    divisor = pl.when(denominator > 0).then(denominator)
    quotient, rest = numerator // divisor, numerator % divisor
    is_up = (2 * rest > divisor) | ((2 * rest == divisor) & (quotient % 2 == 1))
    return quotient + is_up.cast(pl.Int128)


def total(amount: pl.Expr) -> pl.Expr:
    """The exact sum of amounts, as Money; zero where there are none."""
    return amount.sum().cast(MONEY)


def each(amount: str, number: str) -> pl.Expr:
    """An amount for each of so many, to four decimals; null where there are none."""
    return from_units(divided(units(pl.col(amount)), pl.col(number).cast(pl.Int128)))


def with_rate(
    rows: pl.LazyFrame,
    exchange_rates: pl.LazyFrame,
    ecb_rates: pl.DataFrame,
    *,
    currency: str,
    day: str = "event_date",
) -> pl.LazyFrame:
    """Add ``rate_base`` and ``rate_units``: an amount times the one, divided by the other.

    The rate is the latest on or before the row's ``day``, at most seven days back; one of the
    source ``exchange_rates`` (its rows that count) within these days beats those that come with the
    library, whose cross rates are of one day. Null where there is none. ``currency`` is the
    reporting currency; a row's own stands in its column ``currency``.
    """
    same = pl.col("currency") == currency
    is_own = pl.col("own_units").is_not_null()
    own = counted(exchange_rates).select("currency", rate_day="day", own_units=_as_integer("rate"))
    wanted = rows.select("currency", day).unique()
    known = ecb_rates.lazy().join(
        pl.concat([wanted.select("currency"), pl.LazyFrame({"currency": [currency]})]),
        on="currency",
        how="semi",
    )
    found = _latest(_latest(wanted, day, own), day, _crossed(known, currency))
    base = pl.when(same).then(1).when(is_own).then(_RATE_SCALE).otherwise(pl.col("ecb_base"))
    quoted = pl.coalesce("own_units", "ecb_units")
    rates = found.select(
        "currency",
        day,
        rate_units=pl.when(same).then(1).otherwise(quoted).cast(pl.Int128),
        rate_base=base.cast(pl.Int128),
    )
    return rows.join(rates, on=["currency", day], how="left")


def _as_integer(rate: str) -> pl.Expr:
    return (pl.col(rate).cast(pl.Decimal(38, 8)) * _RATE_SCALE).cast(pl.Int128)


def _crossed(ecb_rates: pl.LazyFrame, currency: str) -> pl.LazyFrame:
    """Rates of every currency for the reporting one, of days on which both are known."""
    per_euro = ecb_rates.select("day", "currency", units=_as_integer("rate"))
    euro = pl.lit(_RATE_SCALE).cast(pl.Int128)
    days = per_euro.select("day").unique()
    every = pl.concat([per_euro, days.select("day", currency=pl.lit("EUR"), units=euro)])
    base = every.filter(pl.col("currency") == currency).select("day", ecb_base="units")
    return every.join(base, on="day").select(
        "currency", "ecb_base", rate_day="day", ecb_units="units"
    )


def _latest(rows: pl.LazyFrame, day: str, rates: pl.LazyFrame) -> pl.LazyFrame:
    """Each row with the latest rate of its currency within reach of its day."""
    joined = rows.sort(day).join_asof(
        rates.sort("rate_day"),
        left_on=day,
        right_on="rate_day",
        by="currency",
        strategy="backward",
        tolerance=f"{RATE_DAYS}d",
        coalesce=False,
        check_sortedness=False,
    )
    return joined.drop("rate_day")
