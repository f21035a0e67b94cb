"""Spine: the sessions that start on a day."""

import polars as pl

from schemas.base import Table, Timestamp, column, count, table, timestamp

SESSION_RULES = (
    ("a session ends before it starts", pl.col("ended_ts") >= pl.col("started_ts")),
    (
        "is_single_page is not page_views = 1",
        pl.col("is_single_page") == (pl.col("page_views") == 1),
    ),
    ("there are more page views than events", pl.col("page_views") <= pl.col("events")),
)


class SessionFacts(Table):
    """What is known of a session.

    A session is one person's events with no gap longer than ``session_timeout_minutes``; a gap of
    exactly that does not split. It is not cut at midnight, but an event more than
    ``session_max_hours`` after its start begins a new one. E-mail deliveries and the like start no
    session and are part of none. With ``use_source_sessions``, events with a session_id are held
    together by it instead of by the gap.

    What a session is said to come from and to be seen on is what its first event that says it says:
    all ``utm_`` parameters are of one event; an explicit campaign goes before ``utm_campaign``.

    Source and medium are ``utm_source`` and ``utm_medium`` (where one of the two is missing, it is
    ``(not set)``); else those of a click id on the landing page (gclid, gbraid and wbraid: google,
    cpc; msclkid: bing, cpc; fbclid, which unpaid links carry too: facebook, social); else those of
    the referrer: (search engine, organic), (network, social), (AI assistant, ai-assistant), any
    other (host, referral); else ``(direct)`` and ``(none)``. No referrers are the landing page's
    own host and ``own_domains``, the ``payment_providers``, all of these with what lies below them,
    and what has no host.

    The channel is what the source says, in its own words; else what the rules of GA4's default
    channel group make of source, medium and campaign: the first that holds, ``Unassigned`` where
    none does. It is the session's own, whatever led the person here before: attribution is the
    affair of traffic_sources_daily.
    """

    date: pl.Date = column("Day of the session's start in the reporting time zone")
    session_id: pl.String = column("Person and start, in microseconds since 1970")
    user_id: pl.String = column("Person: the user, or an anonymous id that no user is linked to")
    started_ts: Timestamp = timestamp("First event")
    ended_ts: Timestamp = timestamp("Last event")
    duration_seconds: pl.Float64 = column(
        "From the first event to the last",
        unit="seconds",
        formula="ended_ts - started_ts",
        ge=0.0,
    )
    events: pl.Int64 = column("Events of the session", unit="events", ge=1)
    page_views: pl.Int64 = count("Events named page_view")
    engaged_seconds: pl.Float64 = column(
        "Sum of the engaged_seconds that the events bring; null where none does",
        unit="seconds",
        nullable=True,
        ge=0.0,
    )
    entry_page: pl.String = column(
        "page_url of the first page view; null without a page view", nullable=True
    )
    exit_page: pl.String = column(
        "page_url of the last page view; null without a page view", nullable=True
    )
    channel: pl.String = column(
        "The session's own channel: the one that the events bring, else the one of GA4's default "
        "channel group"
    )
    source: pl.String = column("Where the visit came from, such as google; (direct) where unknown")
    medium: pl.String = column("By what means, such as organic or cpc; (none) where unknown")
    campaign: pl.String = column("Campaign that the source names, else utm_campaign", nullable=True)
    referrer: pl.String = column(
        "Address that led to the first page view; without page views, the first referrer",
        nullable=True,
    )
    platform: pl.String = column("Platform, such as web, ios or android", nullable=True)
    country: pl.String = column("Country of the visitor", nullable=True)
    is_single_page: pl.Boolean = column("Has exactly one page view")
    is_engaged: pl.Boolean = column(
        "More than 10 engaged seconds (where events bring none: of duration), or two page views, "
        "or an event of a goal"
    )


@table(
    grain="one row per session",
    key=["session_id"],
    slice_by="date",
    order=["date", "user_id", "started_ts", "session_id"],
    rules=SESSION_RULES,
    published=False,
)
class SessionDays(SessionFacts):
    """Sessions by the day on which they start.

    ``segments`` holds the session's values of the configured event dimensions, as in user_days: of
    each dimension the first that its events know.
    """

    segments: pl.String = column("Values of the event dimensions, joined by U+001F")
    source_session_id: pl.String = column(
        "session_id of the events, where the setting use_source_sessions goes by it", nullable=True
    )
    ended_date: pl.Date = column("Day of the last event in the reporting time zone")
    is_converting: pl.Boolean = column("Has an event of a goal")
    is_first_of_day: pl.Boolean = column("No session of the person starts on the day before it")
