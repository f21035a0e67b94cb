"""Who there is: when people come, when they sign up, how keen they are, and where they live."""

import math
from bisect import bisect_right
from itertools import accumulate
from typing import NamedTuple

import polars as pl

from pipelines.sample.dice import Dice, chosen
from pipelines.sample.options import Options

_ARRIVAL_SLOTS = 1 << 16
# All are well under the thirty days over which a link of an anonymous id reaches back.
_DAYS_TO_SIGNUP = {0: 64, 1: 9, 2: 6, 3: 5, 5: 4, 7: 4, 10: 3, 14: 3, 20: 2}
_KEENNESS = {200: 30, 600: 35, 1000: 22, 1600: 13}
_VISITOR_KEENNESS = 40
STAFF_COUNT = 3


class _Country(NamedTuple):
    code: str | None
    weight: int
    offset_minutes: int
    # The waking hours, in UTC and cut to one UTC day, so that no event slips into another day.
    wakes_hour: int
    sleeps_hour: int


_COUNTRIES = (
    _Country("US", 26, -300, 12, 23),
    _Country("DE", 20, 60, 5, 21),
    _Country("GB", 12, 0, 6, 22),
    _Country("FR", 10, 60, 5, 21),
    _Country("BR", 9, -180, 10, 23),
    _Country("IN", 9, 330, 1, 17),
    _Country("JP", 6, 540, 0, 14),
    _Country("ZA", 5, 120, 4, 21),
    _Country(None, 3, 0, 5, 22),
)


def people(options: Options, dice: Dice) -> pl.DataFrame:
    """One row per person: ``person``, ``first_day``, ``signup_day`` (null: never) and keenness.

    The days are counted from 0. Keenness is in thousandths of the usual one.
    """
    person = pl.col("person")
    is_user = person < options.users
    count = options.users + options.visitors
    delay = dice.pick(_DAYS_TO_SIGNUP, person, "days to signup")
    signup_day = (pl.col("first_day") + delay).cast(pl.Int32)
    keenness = pl.when(is_user).then(dice.pick(_KEENNESS, person, "keenness"))
    arrival = chosen(_arrivals(options), dice.below(_ARRIVAL_SLOTS, person, "first day"))
    return (
        pl.DataFrame({"person": pl.int_range(count, dtype=pl.UInt32, eager=True)})
        .with_columns(
            arrival.cast(pl.Int32).alias("first_day"),
            keenness.otherwise(_VISITOR_KEENNESS).cast(pl.Int64).alias("keenness"),
        )
        .with_columns(
            pl.when(is_user & (signup_day < options.days)).then(signup_day).alias("signup_day")
        )
    )


def _arrivals(options: Options) -> pl.Series:
    """First days as often as the signup curve says: a launch, then growth, fewer at weekends."""
    weights = [
        round(1000 * weekday_share(options, day) * _arrival_rate(day, options.days))
        for day in range(options.days)
    ]
    reached = list(accumulate(weights))
    step = reached[-1] / _ARRIVAL_SLOTS
    return pl.Series([bisect_right(reached, int(slot * step)) for slot in range(_ARRIVAL_SLOTS)])


def _arrival_rate(day: int, days: int) -> float:
    return 3 * math.exp(-day / 5) + 1 + 1.5 * day / days


def weekday_share(options: Options, day: int) -> float:
    """Activity of the day's weekday, where Monday's is 1."""
    return (1.0, 1.04, 1.05, 1.02, 0.93, 0.66, 0.7)[options.date(day).weekday()]


def user_id(person: pl.Expr) -> pl.Expr:
    """The id of a person who has signed up."""
    return pl.concat_str(pl.lit("u"), person.cast(pl.String).str.zfill(7))


def anonymous_id(person: pl.Expr, dice: Dice) -> pl.Expr:
    """The id of the person's device or browser."""
    return pl.concat_str(pl.lit("a"), dice.roll(person, "anonymous id").cast(pl.String))


def home(dice: Dice) -> list[pl.Expr]:
    """Of the column ``person``: country, offset from UTC, and the waking hours in UTC."""
    weights = {index: country.weight for index, country in enumerate(_COUNTRIES)}
    index = dice.pick(weights, pl.col("person"), "country")
    codes = pl.Series([country.code for country in _COUNTRIES])
    offsets = pl.Series([country.offset_minutes for country in _COUNTRIES])
    starts = pl.Series([country.wakes_hour for country in _COUNTRIES])
    lengths = pl.Series([country.sleeps_hour - country.wakes_hour for country in _COUNTRIES])
    return [
        chosen(codes, index).alias("country"),
        chosen(offsets, index).alias("offset_minutes"),
        chosen(starts, index).alias("wakes_hour"),
        chosen(lengths, index).alias("awake_hours"),
    ]
