"""Who is active on which day: the plan that the events are made from and the truths read off."""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from pipelines.sample.dice import Dice, chosen
from pipelines.sample.options import Options
from pipelines.sample.people import people, weekday_share

PLATFORMS = pl.Enum(["web", "ios", "android", "unknown"])
_HOME_PLATFORMS: dict[str | None, int] = {"web": 56, "ios": 22, "android": 22}
_UNKNOWN_PLATFORM_SHARE = 0.01
_OTHER_PLATFORM_SHARE = 0.06

_EVENTS_PER_DAY = 8
# Mostly slow days, and a few busy ones.
_EVENT_WEIGHTS = {0: 8, 2: 16, 4: 18, 7: 18, 10: 15, 14: 12, 20: 8, 35: 5}

_LOGGED_OUT_SHARE = 0.03
# A logged-out day stays within reach of the link that the sign-up made.
_LOGGED_OUT_DAYS = 28
_MILLION = 1_000_000

# Small days are handled many at a time, because a step costs the same for ten rows and for
# ten thousand; how many has no bearing on what comes out.
_ROWS_AT_A_TIME = 250_000


@dataclass(frozen=True)
class Stretch:
    """Some days of the plan, one after the other: their activity, and the events before them."""

    days: range
    activity: pl.DataFrame
    events_before: int


@dataclass(frozen=True)
class Plan:
    """``people``, one row each, and ``activity``, one row per day and person active on it.

    ``activity`` has ``day``, ``person``, ``signup_day``, ``is_anonymous`` (the person is not known
    all day), ``platform``, ``other_platform`` (null: none) and ``events``, and is in the order of
    days. Days are counted from 0.
    """

    people: pl.DataFrame
    activity: pl.DataFrame

    @property
    def events(self) -> int:
        """Active events of people in all."""
        return int(self.activity["events"].sum())

    def stretches(self, days: int) -> Iterator[Stretch]:
        """All days, in stretches of at most 250,000 events or of one day."""
        by_day = self.activity.group_by("day").agg(pl.len().alias("rows"), pl.col("events").sum())
        sizes = {day: (rows, events) for day, rows, events in by_day.iter_rows()}
        start = rows = rows_before = events = events_before = 0
        for day in range(days):
            more_rows, more_events = sizes.get(day, (0, 0))
            if day > start and events + more_events > _ROWS_AT_A_TIME:
                part = self.activity[rows_before : rows_before + rows]
                yield Stretch(range(start, day), part, events_before)
                start, rows_before, events_before = day, rows_before + rows, events_before + events
                rows = events = 0
            rows, events = rows + more_rows, events + more_events
        yield Stretch(range(start, days), self.activity[rows_before:], events_before)


def make_plan(options: Options, dice: Dice) -> Plan:
    """Draw the people and the days on which they are active."""
    everybody = people(options, dice)
    step = max(1, _ROWS_AT_A_TIME // everybody.height)
    starts = range(0, options.days, step)
    stretches = (range(start, min(start + step, options.days)) for start in starts)
    activity = pl.concat([_active(everybody, days, options, dice) for days in stretches])
    return Plan(everybody, _with_events(activity, options))


def _active(everybody: pl.DataFrame, days: range, options: Options, dice: Dice) -> pl.DataFrame:
    """Everybody on the first day and on the day of sign-up; else as retention has it."""
    day, first, signup = pl.col("day"), pl.col("first_day"), pl.col("signup_day")
    key = person_day(day, pl.col("person"))
    weekdays = [round(weekday_share(options, day) * 1000) for day in range(options.days)]
    likely = _retention(day - first, options.days) * pl.col("keenness") // 1000
    likely = likely * chosen(pl.Series(weekdays), day) // 1000
    is_active = (first == day) | (signup == day).fill_null(False)
    come = [_have_come(everybody, day) for day in days]
    return (
        pl.concat(come)
        .filter(is_active | dice.chance(likely, key, "active"))
        .select(
            "day",
            "person",
            "signup_day",
            _is_anonymous(key, dice).alias("is_anonymous"),
            _platform(key, dice).alias("platform"),
            dice.pick(_HOME_PLATFORMS, key, "second device").cast(PLATFORMS).alias("device"),
            dice.chance(_OTHER_PLATFORM_SHARE, key, "other platform").alias("has_other"),
            dice.pick(_EVENT_WEIGHTS, key, "events").alias("weight"),
        )
    )


def _have_come(everybody: pl.DataFrame, day: int) -> pl.DataFrame:
    return everybody.filter(pl.col("first_day") <= day).with_columns(
        pl.lit(day, dtype=pl.Int32).alias("day")
    )


def person_day(day: pl.Expr, person: pl.Expr) -> pl.Expr:
    """The key of draws about a person's day."""
    return (day.cast(pl.Int64) + 1) * (1 << 32) + person.cast(pl.Int64)


def _retention(age: pl.Expr, days: int) -> pl.Expr:
    """Millionths of people who are active that many days after their first one."""
    curve = [round(_MILLION * (0.1 + 0.6 * (1 + day) ** -0.5)) for day in range(days)]
    return chosen(pl.Series(curve), age)


def _is_anonymous(key: pl.Expr, dice: Dice) -> pl.Expr:
    since = pl.col("day") - pl.col("signup_day")
    is_logged_out = since.is_between(1, _LOGGED_OUT_DAYS) & dice.chance(
        _LOGGED_OUT_SHARE, key, "logged out"
    )
    return ((since < 0) | is_logged_out).fill_null(True)


def _platform(key: pl.Expr, dice: Dice) -> pl.Expr:
    home = dice.pick(_HOME_PLATFORMS, pl.col("person"), "platform")
    is_unknown = dice.chance(_UNKNOWN_PLATFORM_SHARE, key, "unknown platform")
    return pl.when(is_unknown).then(pl.lit("unknown")).otherwise(home).cast(PLATFORMS)


def _with_events(activity: pl.DataFrame, options: Options) -> pl.DataFrame:
    """Share the events out by weight: one for each day of a person, and the total exactly."""
    total = options.events or _EVENTS_PER_DAY * activity.height
    if total < activity.height:
        raise ValueError(
            f"events must be {activity.height} or more, one for each day of an active person;"
            f" it is {total}. Ask for fewer days or users, or for more events"
        )
    # Where nobody's day weighs anything, all weigh the same.
    weight = pl.col("weight") + (1 if activity["weight"].sum() == 0 else 0)
    reached, spare = weight.cum_sum(), total - activity.height
    given = reached * spare // weight.sum() - (reached - weight) * spare // weight.sum()
    other = pl.col("has_other") & (pl.col("events") > 1) & pl.col("device").ne(pl.col("platform"))
    return activity.with_columns((given + 1).alias("events")).select(
        "day",
        "person",
        "signup_day",
        "is_anonymous",
        "platform",
        pl.when(other).then("device").alias("other_platform"),
        "events",
    )
