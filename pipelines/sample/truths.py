"""What the plan knows of the sample: the numbers that the tables have to come to.

They are read off the plan, in which every person is one row and every active day another, and off
the running counts of the rows as they were made. No event is looked at.
"""

from datetime import date, timedelta
from typing import Any

import polars as pl

from pipelines.sample.dice import Dice
from pipelines.sample.dirt import FUTURE
from pipelines.sample.landing import LandingDate
from pipelines.sample.mails import clicks, mails
from pipelines.sample.options import Options
from pipelines.sample.plan import Plan

_RETURN_DAYS = (1, 7, 30)

NOTE = (
    "Known from the plan that the sample was made from, not computed from its files. Days are"
    " days in UTC. The numbers hold for the default settings (timezone UTC, stitch_days 30,"
    " duplicate_days 7, the default active_events) once every landing date is taken in. A person"
    " is a user with all anonymous visits that are linked to them, or a visitor who never signs"
    " up. quarantined_rows are refused; duplicate_rows repeat an event that was received before;"
    " accepted_rows = read_rows - quarantined_rows - duplicate_rows, machines among them; events"
    " are the accepted rows that no rule leaves out, and left_out_rows the others: of machines by"
    " flag and by user agent, of staff, and of test traffic, where the setting excluded_traffic"
    " leaves out page addresses with ://staging.; bot_rows and late rows are counted among all rows"
    " that are not refused, duplicates too; late means that many days from the event to its"
    " receipt. day_1, day_7 and day_30 are the people of a cohort who are active that many days"
    " after their first day; null where that day lies after last_day for anybody of the cohort."
    " active_users of a"
    " month's cohort are those active in that month and in each one after it. A day's sessions are"
    " those that begin on it, active events of a person with no more than thirty minutes between"
    " two. Their channel is the one that the visit comes from, whether an event says so or its"
    " referrer and utm parameters do. Of features, goals and channels times is how often, and"
    " people how many did it in the month; no session passes midnight. Of mails the people and, as"
    " ..._mails, the mails; a machine's opening is none. Under sources stands what is known of the"
    " other sources: their rows, months by the last day or, of the month that is not over, by"
    " last_day, and amounts in the reporting currency EUR, at the rates that landed and rounded"
    " half to even to four decimals for each row that has a price."
)


class Tally:
    """Running counts of the rows, kept while they are written."""

    def __init__(self) -> None:
        self.files: list[dict[str, Any]] = []
        self.totals: dict[str, int] = {}
        self.flaws: dict[str, int] = {}
        self.events: dict[int, int] = {}
        self.page_views: dict[int, int] = {}
        self.left_out: dict[tuple[int, str], int] = {}
        self.deeds: list[pl.DataFrame] = []

    def add(self, landed: LandingDate, landing_date: date) -> None:
        """Count the rows of one landing date."""
        is_so = _counts()
        sums = {name: counted.sum() for name, counted in is_so.items()}
        counts = (
            landed.rows.group_by("part")
            .agg(pl.len().alias("read_rows"), **sums)
            .sort("part")
            .drop("part")
        )
        for (name, _), row in zip(landed.files, counts.iter_rows(named=True), strict=True):
            self.files.append({"landing_date": str(landing_date), "file": name, **row})
            _add(self.totals, row)
        _add(self.flaws, _lengths(landed.rows.drop_nulls("flaw"), "flaw"))
        events = landed.rows.filter(is_so["events"])
        _add(self.events, _lengths(events, "event_day"))
        left_out = landed.rows.filter(is_so["left_out_rows"])
        by_rule = left_out.group_by("event_day", "rule").len().rows()
        _add(self.left_out, {(day, rule): count for day, rule, count in by_rule})
        views = events.filter(pl.col("event_name") == "page_view")
        _add(self.page_views, _lengths(views, "event_day"))
        month = pl.lit(landing_date.replace(day=1)).alias("month")
        self.deeds.append(landed.deeds.with_columns(month))


def _counts() -> dict[str, pl.Expr]:
    """Rows by what becomes of them."""
    landed, twin = pl.col("flaw").is_null(), pl.col("is_twin")
    late = pl.col("landing_day") - pl.col("event_day")
    return {
        "quarantined_rows": ~landed,
        "duplicate_rows": landed & twin,
        "accepted_rows": landed & ~twin,
        "bot_rows": landed & pl.col("is_bot"),
        "left_out_rows": landed & ~twin & pl.col("rule").is_not_null(),
        "events": landed & ~twin & pl.col("rule").is_null(),
        "late_1d_rows": landed & (late >= 1),
        "late_7d_rows": landed & (late >= 7),
        "late_30d_rows": landed & (late >= 30),
        "future_rows": (pl.col("flaw") == FUTURE).fill_null(False),
    }


def _lengths(rows: pl.DataFrame, by: str) -> dict[Any, int]:
    return dict(rows.group_by(by).len().sort(by).iter_rows())


def _add(totals: dict[Any, int], counts: dict[Any, int]) -> None:
    for name, count in counts.items():
        totals[name] = totals.get(name, 0) + count


def truths(plan: Plan, tally: Tally, options: Options, dice: Dice) -> dict[str, Any]:
    """Everything that is known of the sample, ready to be written as JSON."""
    active, deeds = _activity(plan, options), pl.concat(tally.deeds)
    return {
        "note": NOTE,
        "made_with": {
            "days": options.days,
            "users": options.users,
            "seed": options.seed,
            "events": options.events,
            "dirt": options.dirt,
            "file_format": options.file_format,
        },
        "first_day": str(options.first_day),
        "last_day": str(options.last_day),
        "rows": tally.totals,
        "quarantined_by_flaw": dict(sorted(tally.flaws.items())),
        "excluded_daily": [
            {"date": str(options.date(day)), "rule": rule, "events": count}
            for (day, rule), count in sorted(tally.left_out.items())
        ],
        "active_users_daily": _daily(active, tally, options),
        "active_users_monthly": _monthly(active),
        "cohorts_daily": _cohorts(active, "first_date", options.last_day),
        "cohorts_monthly": _cohorts_monthly(active, options.last_day),
        "sessions_by_channel": _deeds(deeds, "session"),
        "features_monthly": _deeds(deeds, "feature"),
        "goals_monthly": _deeds(deeds, "goal"),
        "email_campaigns": _mails(plan, options, dice),
        "files": tally.files,
    }


def _deeds(deeds: pl.DataFrame, kind: str) -> list[dict[str, Any]]:
    """How often people did it in each month, and how many of them."""
    counts = (
        deeds.filter(kind=kind)
        .group_by("month", pl.col("name").cast(pl.String))
        .agg(pl.col("times").sum(), pl.col("person").n_unique().alias("people"))
        .sort("month", "name")
    )
    return [{**row, "month": str(row["month"])} for row in counts.iter_rows(named=True)]


def _mails(plan: Plan, options: Options, dice: Dice) -> list[dict[str, Any]]:
    """Mails of each campaign by what became of them, and the people who got them."""
    sent = mails(plan, range(options.days), options, dice).filter("is_user")
    clicked = clicks(sent, plan.activity).rename({"mail_campaign": "campaign"})
    opened = sent.filter("opens")
    parts = {
        "sent": sent,
        "bounced": sent.filter("bounces"),
        "delivered": sent.filter(~pl.col("bounces")),
        "opened": opened.filter(~pl.col("is_machine")),
        "machine_opened": opened.filter("is_machine"),
        "clicked": clicked,
        "unsubscribed": clicked.filter("unsubscribes"),
    }
    counts = pl.concat(
        rows.group_by("campaign").agg(
            pl.lit(name).alias("name"),
            pl.len().alias("mails"),
            pl.col("person").n_unique().alias("people"),
        )
        for name, rows in parts.items()
    )
    none = {key: 0 for name in parts for key in (name, f"{name}_mails")}
    found: dict[str, dict[str, Any]] = {}
    for campaign, name, count, people in counts.sort("campaign", "name").iter_rows():
        told = found.setdefault(campaign, {"campaign": campaign, **none})
        told |= {name: people, f"{name}_mails": count}
    return list(found.values())


def _activity(plan: Plan, options: Options) -> pl.DataFrame:
    """The plan's active days with their dates, the person's first one beside each."""
    origin = (options.first_day - date(1970, 1, 1)).days
    first_day = plan.people["first_day"].gather(plan.activity["person"])
    return plan.activity.select(
        (pl.col("day") + origin).cast(pl.Date).alias("date"),
        "person",
        "platform",
        "other_platform",
        pl.col("events").alias("active_events"),
        (first_day + origin).cast(pl.Date).alias("first_date"),
    )


def _daily(active: pl.DataFrame, tally: Tally, options: Options) -> list[dict[str, Any]]:
    days = active.group_by("date").agg(
        pl.len().alias("dau"),
        (pl.col("date") == pl.col("first_date")).sum().alias("new_users"),
        pl.col("active_events").sum(),
    )
    platforms = _platforms(active)
    begun = pl.concat(tally.deeds).filter(kind="session").group_by("event_day")
    sessions = dict(begun.agg(pl.col("times").sum()).iter_rows())
    rows = {row["date"]: row for row in days.iter_rows(named=True)}
    nobody = {"dau": 0, "new_users": 0, "active_events": 0}
    dates = [options.date(day) for day in range(options.days)]
    return [
        {
            **rows.get(day, nobody),
            "date": str(day),
            "events": tally.events.get(nth, 0),
            "page_views": tally.page_views.get(nth, 0),
            "sessions": sessions.get(nth, 0),
            "dau_by_platform": platforms.get(day, {}),
        }
        for nth, day in enumerate(dates)
    ]


def _platforms(active: pl.DataFrame) -> dict[date, dict[str, int]]:
    """Daily active users per platform: one who was on two counts on both."""
    other = active.drop_nulls("other_platform").select("date", platform="other_platform")
    seen = pl.concat([active.select("date", "platform"), other])
    counts = seen.group_by("date", "platform").len().sort("date", "platform")
    found: dict[date, dict[str, int]] = {}
    for day, platform, users in counts.iter_rows():
        found.setdefault(day, {})[platform] = users
    return found


def _monthly(active: pl.DataFrame) -> list[dict[str, Any]]:
    months = active.select("person", month=pl.col("date").dt.truncate("1mo")).unique()
    counts = months.group_by("month").agg(pl.len().alias("active_users")).sort("month")
    return [{**row, "month": str(row["month"])} for row in counts.iter_rows(named=True)]


def _cohorts(active: pl.DataFrame, by: str, last_day: date) -> list[dict[str, Any]]:
    """Cohorts by the first active day, or by its month, and who came back on which day."""
    age = (pl.col("date") - pl.col("first_date")).dt.total_days()
    newest = pl.col("first_date").max()
    elapsed = {day: newest + timedelta(days=day) <= last_day for day in _RETURN_DAYS}
    counts = active.group_by(by).agg(
        (age == 0).sum().alias("cohort_users"),
        *(
            pl.when(has_come).then((age == day).sum()).alias(f"day_{day}")
            for day, has_come in elapsed.items()
        ),
    )
    return [{**row, by: str(row[by])} for row in counts.sort(by).iter_rows(named=True)]


def _cohorts_monthly(active: pl.DataFrame, last_day: date) -> list[dict[str, Any]]:
    monthly = active.with_columns(first_month=pl.col("first_date").dt.truncate("1mo"))
    people = monthly.select(
        "first_month", "person", month=pl.col("date").dt.truncate("1mo")
    ).unique()
    counts = people.group_by("first_month", "month").len().sort("first_month", "month")
    users = {(str(first), str(month)): count for first, month, count in counts.iter_rows()}
    months = sorted({month for _, month in users})
    return [
        {
            **row,
            "active_users": [
                users.get((row["first_month"], month), 0)
                for month in months
                if month >= row["first_month"]
            ],
        }
        for row in _cohorts(monthly, "first_month", last_day)
    ]
