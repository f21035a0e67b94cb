"""The events of people on the days on which the plan has them active."""

import polars as pl

from pipelines.sample import actions, clients, keys
from pipelines.sample.columns import DAY_MILLISECONDS, complete, derived, instant
from pipelines.sample.dice import Dice
from pipelines.sample.mails import mail_event
from pipelines.sample.options import Options
from pipelines.sample.people import anonymous_id, home, user_id
from pipelines.sample.plan import PLATFORMS, Stretch, person_day

_HOUR = 3_600_000
_SESSION_ENDS_AFTER = 30 * 60_000
_EVENTS_PER_SESSION = 9
_MOST_SESSIONS = 1000
_PACE_MILLISECONDS = 40_000
_SIGNUP_AT = 2
_LOGIN_SHARE = 0.25
_LOGGED_OUT_FIRST_SHARE = 0.1
# Elsewhere referrer and utm parameters have to tell where a visit comes from.
_CHANNEL_SAID_SHARE = 0.5

KINDS = pl.Enum(["session", "feature", "goal"])
NAMES = pl.Enum([*actions.CHANNELS, *actions.FEATURES, *actions.GOALS])


def active_events(
    stretch: Stretch, clicked: pl.DataFrame, options: Options, dice: Dice
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """All active events of some days of the plan, and what people do in them.

    Every row of the activity gives one or more events. ``clicked`` are the days on which a mail is
    clicked. For what people do see :func:`_deeds`.
    """
    key = pl.col("key")
    person_days = _person_days(stretch.activity, clicked, dice)
    events = _one_row_per_event(person_days, stretch.events_before)
    events = derived(events, _platform().alias("platform"), *_session())
    is_entry = pl.col("in_session") == 0
    events = derived(
        events,
        keys.event_id(key, dice).alias("event_id"),
        _event_name(is_entry, dice).alias("event_name"),
        _event_ts(options, dice).alias("event_ts"),
        *_who(),
        _session_id(dice).alias("session_id"),
        *clients.client(pl.col("platform"), options, dice),
        *actions.entry(is_entry, key, dice),
    )
    events = derived(
        events,
        *actions.pages(pl.col("platform"), key, dice),
        *actions.details(key, options.days // 2, dice),
        pl.lit(False).alias("is_bot"),
    )
    told = events.with_columns(pl.when("says_channel").then("channel").alias("channel"))
    return complete(told), _deeds(events)


def _deeds(events: pl.DataFrame) -> pl.DataFrame:
    """How often, on each day, each person did what is counted.

    ``kind`` and ``name``: a session by its channel, the use of a feature, an event of a goal.
    """
    name = pl.col("event_name")
    used = events.filter(name == "feature_used").select("event_day", "person", name="feature")
    reached = events.filter(name.is_in(actions.GOALS)).select("event_day", "person", name=name)
    parts = {"session": _sessions(events), "feature": used, "goal": reached}
    return pl.concat(
        rows.group_by("event_day", "person", pl.col("name").cast(NAMES))
        .agg(pl.len().alias("times"))
        .select(pl.lit(kind, dtype=KINDS).alias("kind"), "name", "event_day", "person", "times")
        for kind, rows in parts.items()
    )


def _sessions(events: pl.DataFrame) -> pl.DataFrame:
    """Every session that begins: people sleep at midnight, so that none runs past it."""
    columns = ("event_day", "person", "person_day", "event_ts", "channel")
    rows = events.select(columns).sort("person_day", "event_ts")
    pause = pl.col("event_ts").diff().dt.total_milliseconds()
    begins = (pause > _SESSION_ENDS_AFTER) | (pl.col("person_day").diff() != 0)
    return rows.filter(begins.fill_null(True)).select("event_day", "person", name="channel")


def _person_days(activity: pl.DataFrame, clicked: pl.DataFrame, dice: Dice) -> pl.DataFrame:
    """What holds for all events of a person's day."""
    person, key = pl.col("person"), person_day(pl.col("day"), pl.col("person"))
    login = (
        pl.when(dice.chance(_LOGGED_OUT_FIRST_SHARE, key, "logged out first"))
        .then(1)
        .when(dice.chance(_LOGIN_SHARE, key, "login"))
        .then(0)
        .otherwise(-1)
    )
    signup = pl.min_horizontal(pl.lit(_SIGNUP_AT), pl.col("events") - 1)
    is_signup = (pl.col("signup_day") == pl.col("day")).fill_null(False)
    days = derived(
        activity.join(
            clicked,
            left_on=["day", "person"],
            right_on=["event_day", "person"],
            how="left",
            maintain_order="left",
        ),
        pl.col("day").alias("event_day"),
        key.alias("person_day"),
        is_signup.alias("is_signup"),
        # The place, in the day, of the event that carries both ids; -1: none.
        pl.when(is_signup).then(signup).otherwise(login).alias("link_at"),
        user_id(person).alias("user_id"),
        anonymous_id(person, dice).alias("anonymous_id"),
        actions.source(key, dice).alias("source"),
        dice.chance(_CHANNEL_SAID_SHARE, key, "says channel").alias("says_channel"),
        *home(dice),
    )
    return days.with_columns(actions.channel().alias("channel"))


def _one_row_per_event(person_days: pl.DataFrame, before: int) -> pl.DataFrame:
    rows = person_days.with_columns(
        pl.int_ranges(0, pl.col("events"), dtype=pl.Int64).alias("nth")
    ).explode("nth")
    return rows.with_columns(keys.row_keys(keys.ACTIVE, before).alias("key"))


def _platform() -> pl.Expr:
    """The last quarter of the events on the other platform, where there is one."""
    on_other = pl.col("nth") >= pl.col("events") - pl.max_horizontal(
        pl.lit(1), pl.col("events") // 4
    )
    platform = pl.when(on_other).then(pl.col("other_platform")).fill_null(pl.col("platform"))
    return pl.when(platform != pl.lit("unknown", dtype=PLATFORMS)).then(platform.cast(pl.String))


def _session() -> list[pl.Expr]:
    """Which session of the person's day, of how many, and which event within it."""
    nth, events = pl.col("nth"), pl.col("events")
    sessions = pl.min_horizontal(1 + events // _EVENTS_PER_SESSION, pl.lit(_MOST_SESSIONS))
    session = nth * sessions // events
    first_of_session = (session * events + sessions - 1) // sessions
    return [
        sessions.alias("sessions"),
        session.alias("session"),
        (nth - first_of_session).alias("in_session"),
    ]


def _session_id(dice: Dice) -> pl.Expr:
    key = pl.col("person_day") * (_MOST_SESSIONS + 1) + pl.col("session")
    return pl.concat_str(pl.lit("s"), dice.roll(key, "session id").cast(pl.String))


def _event_ts(options: Options, dice: Dice) -> pl.Expr:
    """Sessions follow one another through the waking hours, their events at a person's pace."""
    key = pl.col("person_day") * (_MOST_SESSIONS + 1) + pl.col("session")
    awake = pl.col("awake_hours") * _HOUR
    draw = dice.below(1_000_000, key, "session start")
    # The sum of two even draws makes the middle of the time the likeliest.
    share = draw % 1000 + draw // 1000
    start = (pl.col("session") * 2000 + share) * awake // (2000 * pl.col("sessions"))
    pause = dice.below(_PACE_MILLISECONDS, pl.col("key"), "pause")
    since_midnight = (
        pl.col("wakes_hour") * _HOUR + start + pl.col("in_session") * _PACE_MILLISECONDS + pause
    )
    within_day = pl.min_horizontal(since_midnight, pl.lit(DAY_MILLISECONDS - 1))
    return instant(within_day, options)


def _event_name(is_entry: pl.Expr, dice: Dice) -> pl.Expr:
    signs_up = pl.col("is_signup") & (pl.col("nth") == pl.col("link_at"))
    name = pl.coalesce(mail_event(), actions.event_name(is_entry, pl.col("key"), dice))
    return pl.when(signs_up).then(pl.lit("signup")).otherwise(name)


def _who() -> list[pl.Expr]:
    """Only the anonymous id before the sign-up or login, both ids at it, the user's afterwards.

    A day's last event is never left unlinked: with one event there is no login to wait for.
    """
    link_at = pl.min_horizontal("link_at", pl.col("events") - 1)
    known = ~pl.col("is_anonymous")
    return [
        pl.when(known & (pl.col("nth") >= link_at)).then(pl.col("user_id")).alias("user_id"),
        pl.when(~known | (pl.col("nth") <= link_at)).then("anonymous_id").alias("anonymous_id"),
    ]
