"""What goes wrong on the way: late rows, rows that come twice, and rows that cannot be read."""

from collections.abc import Sequence

import polars as pl

from pipelines.sample import keys
from pipelines.sample.columns import DAY_MILLISECONDS, TIMESTAMP, derived
from pipelines.sample.dice import Dice, chosen
from pipelines.sample.options import Options
from pipelines.sample.people import user_id

_DAYS_LATE = {1: 40, 2: 15, 3: 10, 5: 8, 8: 10, 14: 8, 21: 5, 33: 4}
_ON_THE_WAY_MILLISECONDS = 60_000
_RETRY_MILLISECONDS = 300_000

_SAME_FILE, _OTHER_FILE, _LATER = "same file", "other file", "later"
_TWIN_ROUTES = {_SAME_FILE: 30, _OTHER_FILE: 30, _LATER: 40}
_TWIN_DAYS = {1: 50, 2: 20, 4: 15, 9: 15}

# A clock that is ahead by a day or two might be let through.
_DAYS_AHEAD = {3: 50, 40: 30, 400: 20}

MISSING_NAME, MISSING_PERSON, FUTURE = "event_name_missing", "person_missing", "future"
MISSING_TS, UNREADABLE_TS = "event_ts_missing", "event_ts_unreadable"
RAGGED_LINE, BROKEN_LINE = "line_ragged", "line_broken"
_MILLION = 1_000_000
FLAWS = {
    "parquet": (MISSING_NAME, MISSING_TS, FUTURE, MISSING_PERSON),
    "csv": (RAGGED_LINE, UNREADABLE_TS, MISSING_NAME, FUTURE, MISSING_PERSON),
    "ndjson": (BROKEN_LINE, MISSING_NAME, UNREADABLE_TS, FUTURE, MISSING_PERSON),
}


def received(events: pl.DataFrame, options: Options, dice: Dice) -> pl.DataFrame:
    """Give every event the time and day at which it arrives.

    What is on time arrives on its own day, what is late comes whole days later: a row is as many
    days late by its dates as by its times. Nothing arrives after the sample's last day.
    """
    key = pl.col("key")
    days = pl.when(dice.chance(options.dirt, key, "late")).then(
        dice.pick(_DAYS_LATE, key, "days late")
    )
    landing_day = pl.min_horizontal(pl.col("event_day") + days.otherwise(0), options.days - 1)
    on_the_way = dice.below(_ON_THE_WAY_MILLISECONDS, key, "on the way")
    arrived = pl.min_horizontal(
        pl.col("event_ts") + pl.duration(milliseconds=on_the_way, time_unit="ms"),
        _last_instant(pl.col("event_ts")),
    )
    landing = derived(
        events, landing_day.cast(pl.Int32).alias("landing_day"), pl.lit(False).alias("is_twin")
    )
    return derived(
        landing,
        (arrived + _days(pl.col("landing_day") - pl.col("event_day")))
        .cast(TIMESTAMP)
        .alias("received_ts"),
    )


def _days(count: pl.Expr) -> pl.Expr:
    return pl.duration(milliseconds=count.cast(pl.Int64) * DAY_MILLISECONDS, time_unit="ms")


def _last_instant(of: pl.Expr) -> pl.Expr:
    return of.dt.truncate("1d") + pl.duration(milliseconds=DAY_MILLISECONDS - 1, time_unit="ms")


def twins(originals: pl.DataFrame, retry_part: int, options: Options, dice: Dice) -> pl.DataFrame:
    """Rows that come again, alike but for the time: right behind, in another file, on another day.

    A twin never arrives before its original, and in the same instant it stands behind it.
    """
    key = pl.col("key")
    again = derived(
        _some(originals, dice.chance(options.dirt / 2, key, "comes twice")),
        pl.lit(True).alias("is_twin"),
        dice.pick(_TWIN_ROUTES, key, "twin's route").alias("route"),
        dice.pick(_TWIN_DAYS, key, "twin's days").alias("days"),
    )
    later_day = pl.col("landing_day") + pl.col("days")
    is_later = (pl.col("route") == _LATER) & (later_day < options.days)
    is_retry = (pl.col("route") != _SAME_FILE) & ~is_later
    twin = derived(
        again,
        pl.when(is_later).then(later_day).otherwise("landing_day").cast(pl.Int32),
        pl.when(is_later)
        .then(pl.col("received_ts") + _days(pl.col("days")))
        .when(is_retry)
        .then(
            pl.min_horizontal(
                pl.col("received_ts")
                + pl.duration(milliseconds=_RETRY_MILLISECONDS, time_unit="ms"),
                _last_instant(pl.col("received_ts")),
            )
        )
        .otherwise("received_ts")
        .cast(TIMESTAMP)
        .alias("received_ts"),
        pl.when(is_later | is_retry).then(retry_part).otherwise("part").alias("part"),
    )
    return twin.select(originals.columns)


def _some(rows: pl.DataFrame, which: pl.Expr) -> pl.DataFrame:
    is_wanted = rows.lazy().select(which).collect(engine="in-memory").to_series()
    return rows.filter(is_wanted)


def refused(
    events: pl.DataFrame, kinds: Sequence[Sequence[str]], options: Options, dice: Dice
) -> pl.DataFrame:
    """Malformed likenesses of events, for files whose formats are ``kinds``[part][landing day].

    They name users whom nothing else names: whoever lets one of them in counts a person who is
    not there.
    """
    key = pl.col("key")
    number = options.users + options.visitors + dice.below(_MILLION, key, "ghost")
    rows = _some(events, dice.chance(options.dirt / 2, key, "malformed"))
    rows = rows.with_columns(
        _flaw(kinds, dice).alias("flaw"),
        user_id(number).alias("user_id"),
        pl.lit(None, dtype=pl.String).alias("anonymous_id"),
        pl.lit(False).alias("is_bot"),
        keys.refused_key(key).alias("key"),
    )
    return _flawed(rows.with_columns(keys.event_id(key, dice).alias("event_id")), dice)


def _flaw(kinds: Sequence[Sequence[str]], dice: Dice) -> pl.Expr:
    """A flaw that a file of the row's landing day and part can have."""
    flaw = pl.lit(None, dtype=pl.String)
    for part, by_day in enumerate(kinds):
        for kind, flaws in FLAWS.items():
            here = chosen(pl.Series([kind == other for other in by_day]), pl.col("landing_day"))
            picked = dice.pick(dict.fromkeys(flaws, 1), pl.col("key"), f"flaw in {kind}")
            flaw = pl.when((pl.col("part") == part) & here).then(picked).otherwise(flaw)
    return flaw


def _flawed(rows: pl.DataFrame, dice: Dice) -> pl.DataFrame:
    """Break what a value can break; lines are broken when they are written."""
    flaw = pl.col("flaw")
    ahead = _days(
        pl.col("landing_day") - pl.col("event_day") + dice.pick(_DAYS_AHEAD, pl.col("key"), "ahead")
    )
    return rows.with_columns(
        pl.when(flaw != MISSING_NAME).then("event_name").alias("event_name"),
        pl.when(flaw != MISSING_PERSON).then("user_id").alias("user_id"),
        pl.when(flaw == FUTURE)
        .then(pl.col("event_ts") + ahead)
        .when(flaw != MISSING_TS)
        .then("event_ts")
        .cast(TIMESTAMP)
        .alias("event_ts"),
    )
