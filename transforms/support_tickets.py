"""Support: tickets that were opened and resolved, and how long it took."""

from datetime import date

import polars as pl

from schemas.base import ALL, dtypes
from schemas.support_tickets import SupportTickets
from transforms.calendar import GRAINS, every_period, local_day, period_end, period_start
from transforms.division import ratio
from transforms.fates import counted

_PLACE = ["channel", "tier"]
_COUNTS = ["opened", "still_open", "resolved", "reopened", "timed_resolved", "replied"]
_TIMES = ["resolution_seconds", "first_reply_seconds"]
_MICROSECONDS = 1_000_000


def support_tickets(
    tickets: pl.LazyFrame, *, timezone: str, week_start: str, data_through: date
) -> pl.LazyFrame:
    """Every day, week and month of every channel and tier, from its first ticket to the horizon.

    Quantiles hold the times of all tickets in memory.
    """
    known = _with_totals(_timed(counted(tickets), timezone))
    parts = [_of_grain(known, grain, week_start, data_through) for grain in GRAINS]
    return pl.concat(parts).select(*dtypes(SupportTickets))


def _timed(tickets: pl.LazyFrame, timezone: str) -> pl.LazyFrame:
    """Local days of opening and resolution, and whole microseconds from the one to others."""
    opened, resolved = pl.col("opened_ts"), pl.coalesce("resolved_ts", "closed_ts")
    return tickets.select(
        *(_named(pl.col(name)).alias(name) for name in _PLACE),
        opened_day=local_day(opened, timezone),
        resolved_day=local_day(resolved, timezone),
        is_reopened=pl.col("reopened_count").fill_null(0) > 0,
        resolution=_microseconds(resolved - opened),
        first_reply=_microseconds(pl.col("first_reply_ts") - opened),
    )


def _named(value: pl.Expr) -> pl.Expr:
    return pl.when(value == ALL).then(pl.lit(f"({ALL})")).otherwise(value).fill_null("(none)")


def _microseconds(time: pl.Expr) -> pl.Expr:
    """A time below zero is a mistake of somebody's clock, and not known."""
    whole = time.dt.total_microseconds()
    return pl.when(whole >= 0).then(whole)


def _with_totals(tickets: pl.LazyFrame) -> pl.LazyFrame:
    """Every ticket four times: for its channel and tier, for one of them, and for all."""
    everything = pl.lit(ALL)
    whole_channels = pl.concat([tickets, tickets.with_columns(tier=everything)])
    return pl.concat([whole_channels, whole_channels.with_columns(channel=everything)])


def _of_grain(
    tickets: pl.LazyFrame, grain: str, week_start: str, data_through: date
) -> pl.LazyFrame:
    key = ["period_start", *_PLACE]
    opened = period_start(pl.col("opened_day"), grain, week_start)
    resolved = period_start(pl.col("resolved_day"), grain, week_start)
    return (
        every_period(_firsts(tickets), grain, week_start=week_start, data_through=data_through)
        .join(_opened(tickets, opened, data_through), on=key, how="left")
        .join(_resolved(tickets, resolved, data_through), on=key, how="left")
        .with_columns(pl.col(_COUNTS).fill_null(0), pl.col(_TIMES).fill_null(0.0))
        .with_columns(
            grain=pl.lit(grain),
            is_complete=period_end(pl.col("period_start"), grain) <= data_through,
        )
    )


def _firsts(tickets: pl.LazyFrame) -> pl.LazyFrame:
    first_date = pl.min_horizontal("opened_day", "resolved_day").min()
    return tickets.group_by(_PLACE).agg(first_date=first_date)


def _opened(tickets: pl.LazyFrame, period: pl.Expr, data_through: date) -> pl.LazyFrame:
    is_resolved = (pl.col("resolved_day") <= data_through).fill_null(False)
    return (
        tickets.filter(pl.col("opened_day") <= data_through)
        .group_by(period.alias("period_start"), *_PLACE)
        .agg(opened=pl.len().cast(pl.Int64), still_open=_how_many(~is_resolved))
    )


def _resolved(tickets: pl.LazyFrame, period: pl.Expr, data_through: date) -> pl.LazyFrame:
    return (
        tickets.filter(pl.col("resolved_day") <= data_through)
        .group_by(period.alias("period_start"), *_PLACE)
        .agg(
            resolved=pl.len().cast(pl.Int64),
            reopened=_how_many(pl.col("is_reopened")),
            timed_resolved=pl.col("resolution").count().cast(pl.Int64),
            replied=pl.col("first_reply").count().cast(pl.Int64),
            **_seconds("resolution"),
            **_seconds("first_reply"),
        )
    )


def _how_many(condition: pl.Expr) -> pl.Expr:
    return condition.sum().cast(pl.Int64)


def _seconds(name: str) -> dict[str, pl.Expr]:
    times, second = pl.col(name), pl.lit(_MICROSECONDS)
    total = times.cast(pl.Int128).sum()
    return {
        f"{name}_seconds": ratio(total, second),
        f"mean_{name}_seconds": ratio(total, times.count().cast(pl.Int64) * second),
        f"median_{name}_seconds": ratio(times.quantile(0.5, "linear"), second),
        f"p90_{name}_seconds": ratio(times.quantile(0.9, "linear"), second),
    }
