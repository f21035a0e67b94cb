"""Support: tickets that were opened and resolved, and how long it took."""

from typing import Any

import polars as pl

from schemas.base import Table, column, count, table

_OPEN = "Moving: tickets that were still unresolved at data_through."


def _seconds(what: str, **options: Any) -> Any:
    return column(what, unit="seconds", nullable=True, ge=0.0, **options)


@table(
    grain="one row per day, week or month, channel and tier",
    key=["grain", "period_start", "channel", "tier"],
    warnings=[
        "Never sum over channels or tiers: the rows of channel all and of tier all hold every "
        "ticket once more.",
        "Means, medians and 90th percentiles are of tickets and do not add up: read them at the "
        "grain, channel and tier that is wanted.",
    ],
    rules=[
        ("still_open is above opened", pl.col("still_open") <= pl.col("opened")),
        (
            "replied, timed_resolved or reopened is above resolved",
            pl.max_horizontal("replied", "timed_resolved", "reopened") <= pl.col("resolved"),
        ),
    ],
)
class SupportTickets(Table):
    """Tickets by the day of opening and by the day of resolution, as they stand now.

    ``opened`` and ``still_open`` go by the day of opening; everything else by the day of
    resolution, which is that of closing where a ticket was closed and never resolved. Every period
    stands here from the first ticket of the channel and tier to ``data_through``. ``all`` stands
    for every channel, every tier, or both, since medians of parts give no median of the whole. A
    ticket without a channel or tier has ``(none)``; one whose own value is ``all`` has ``(all)``.
    """

    grain: pl.String = column("Length of the period", isin=["day", "week", "month"])
    period_start: pl.Date = column("First day of the period")
    channel: pl.String = column("Channel in which it was opened, (none), or all")
    tier: pl.String = column("Tier of support, (none), or all")
    opened: pl.Int64 = count("Tickets opened in the period")
    still_open: pl.Int64 = count(
        "Those neither resolved nor closed at the end of data_through", warning=_OPEN
    )
    resolved: pl.Int64 = count("Tickets resolved, or closed without that, in the period")
    reopened: pl.Int64 = count("Those that had been reopened at least once")
    timed_resolved: pl.Int64 = count("Those resolved not before they were opened")
    resolution_seconds: pl.Float64 = column(
        "Times from opening to resolution of these, summed up", unit="seconds", ge=0.0
    )
    mean_resolution_seconds: pl.Float64 = _seconds(
        "Time from opening to resolution, on the mean of tickets; null without any",
        formula="resolution_seconds / timed_resolved",
    )
    median_resolution_seconds: pl.Float64 = _seconds(
        "Time to resolution that half of the tickets took at most, between two linearly"
    )
    p90_resolution_seconds: pl.Float64 = _seconds(
        "Time to resolution that nine of ten tickets took at most, between two linearly"
    )
    replied: pl.Int64 = count(
        "Tickets resolved in the period with a first reply not before they were opened"
    )
    first_reply_seconds: pl.Float64 = column(
        "Times from opening to the first reply of these, summed up", unit="seconds", ge=0.0
    )
    mean_first_reply_seconds: pl.Float64 = _seconds(
        "Time from opening to the first reply, on the mean of tickets; null without any",
        formula="first_reply_seconds / replied",
    )
    median_first_reply_seconds: pl.Float64 = _seconds(
        "Time to the first reply that half of the tickets took at most, between two linearly"
    )
    p90_first_reply_seconds: pl.Float64 = _seconds(
        "Time to the first reply that nine of ten tickets took at most, between two linearly"
    )
    is_complete: pl.Boolean = column("The period's last day is not after data_through")
