"""The numbers that are watched, one declaration each. To watch another one, add a line.

What may be below zero cannot be watched, nor what is neither a count nor a share.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from schemas.base import ALL
from transforms.division import ratio


@dataclass(frozen=True)
class Watched:
    """A count, or with a ``denominator`` a share, in the rows of a table with ``where``.

    ``key`` is the key of the table, of which ``date`` is the day.
    """

    table: str
    metric: str
    key: tuple[str, ...]
    date: str = "date"
    numerator: str | None = None
    denominator: str | None = None
    where: Mapping[str, str] = field(default_factory=dict)


_EVERYBODY = {"dimension": ALL, "segment": ALL}
_PLACE = ("date", "dimension", "segment")
_GOAL = ("date", "goal", "dimension", "segment")
_TICKETS = ("grain", "period_start", "channel", "tier")
_ALL_TICKETS = {"grain": "day", "channel": ALL, "tier": ALL}
_LANDED = ("landing_date", "source")
WATCHED = (
    Watched("active_users_daily", "dau", _PLACE, where=_EVERYBODY),
    Watched("active_users_daily", "new_users", _PLACE, where=_EVERYBODY),
    Watched("sessions_daily", "sessions", _PLACE, where=_EVERYBODY),
    Watched("sessions_daily", "page_views", _PLACE, where=_EVERYBODY),
    Watched(
        "sessions_daily",
        "bounce_rate",
        _PLACE,
        "date",
        "bounced_sessions",
        "page_view_sessions",
        _EVERYBODY,
    ),
    Watched("conversions_daily", "conversions", _GOAL, where=_EVERYBODY),
    Watched(
        "conversions_daily",
        "session_conversion_rate",
        _GOAL,
        "date",
        "converting_sessions",
        "sessions",
        _EVERYBODY,
    ),
    Watched("support_tickets", "opened", _TICKETS, "period_start", where=_ALL_TICKETS),
    Watched("support_tickets", "resolved", _TICKETS, "period_start", where=_ALL_TICKETS),
    Watched("ingest_ledger", "read_rows", _LANDED, "landing_date"),
    Watched(
        "ingest_ledger",
        "quarantined_share",
        _LANDED,
        "landing_date",
        "quarantined_rows",
        "read_rows",
    ),
)


def watched_values(tables: Mapping[str, pl.LazyFrame]) -> pl.LazyFrame:
    """One row per watched number that is known: where it stands, what it is, what chance does.

    ``series`` is the key without the day. ``denominator`` is null where the number is a count.
    """
    return pl.concat([_values(each, tables[each.table]) for each in WATCHED])


def landed_by_day(ingest_ledger: pl.LazyFrame, landing_lag_days: int) -> pl.LazyFrame:
    """Rows that landed of each source on every day from its first to its last whole one."""
    sums = ingest_ledger.group_by("source", "landing_date").agg(
        pl.col("read_rows", "quarantined_rows").sum()
    )
    ends = sums.group_by("source").agg(
        first=pl.col("landing_date").min(),
        last=pl.col("landing_date").max().dt.offset_by(f"-{landing_lag_days}d"),
    )
    whole = ends.filter(pl.col("first") <= pl.col("last"))
    days = whole.select("source", landing_date=pl.date_ranges("first", "last"))
    return (
        days.explode("landing_date")
        .join(sums, on=["source", "landing_date"], how="left")
        .with_columns(pl.col("read_rows", "quarantined_rows").fill_null(0))
    )


def _values(watched: Watched, rows: pl.LazyFrame) -> pl.LazyFrame:
    own = [name for name in watched.key if name != watched.date]
    numerator = pl.col(watched.numerator or watched.metric)
    is_share = watched.denominator is not None
    below = pl.col(watched.denominator) if watched.denominator else pl.lit(None, pl.Int64)
    key = [pl.col(name).cast(pl.String) for name in watched.key]
    values = rows.filter(**watched.where).select(
        pl.col(watched.date).alias("date"),
        table=pl.lit(watched.table),
        metric=pl.lit(watched.metric),
        row_key=pl.struct(key).struct.json_encode(),
        series=pl.struct(own).struct.json_encode(),
        value=ratio(numerator, below) if is_share else numerator.cast(pl.Float64),
        denominator=below.cast(pl.Int64),
    )
    return values.filter(pl.col("value").is_not_null())
