"""What brings sessions and conversions, by day."""

import polars as pl

from schemas.base import DO_NOT_SUM_DAYS, Table, column, count, share, table


@table(
    grain="one row per day, channel, source, medium and campaign",
    key=["date", "channel", "source", "medium", "campaign"],
    slice_by="date",
    warnings=[DO_NOT_SUM_DAYS],
    rules=[
        ("there are more visitors than sessions", pl.col("visitors") <= pl.col("sessions")),
        (
            "more sessions convert than there are",
            pl.col("converting_sessions") <= pl.col("sessions"),
        ),
    ],
)
class TrafficSourcesDaily(Table):
    """Sessions that start on a day, by what they are attributed to: the last non-direct click.

    A session that is not direct counts for its own channel, source, medium and campaign, as they
    stand in sessions. A direct one counts for those of the person's last session before it that was
    not, if that started no more than ``attribution_days`` of 24 hours earlier (exactly as many
    count), and stays direct otherwise. All four are of one session. Each session counts once. What
    had no session on a day has no row.

    The breakdown by channel of sessions_daily and conversions_daily is by the sessions' own
    channel, and so has more direct ones.
    """

    date: pl.Date = column("Day of the session's start in the reporting time zone")
    channel: pl.String = column("Attributed channel, as in GA4's default channel group or own")
    source: pl.String = column("Attributed source; (direct) where none is known")
    medium: pl.String = column("Attributed medium; (none) where none is known")
    campaign: pl.String = column("Attributed campaign; (none) without one")
    sessions: pl.Int64 = count("Sessions that start on the day", unit="sessions")
    visitors: pl.Int64 = count(
        "People who had these sessions", unit="people", warning=DO_NOT_SUM_DAYS
    )
    converting_sessions: pl.Int64 = count(
        "Sessions with an event of any goal of the setting goals", unit="sessions"
    )
    conversion_rate: pl.Float64 = share(
        "Share of the sessions with an event of any goal",
        formula="converting_sessions / sessions",
    )
    is_complete: pl.Boolean = column("The day is not after data_through: always so")
