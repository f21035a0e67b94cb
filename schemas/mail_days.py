"""Spine: what happened to a campaign's mails to a person on a day."""

import polars as pl

from schemas.base import Table, Timestamp, column, count, table, timestamp


@table(
    grain="one row per day, person and campaign with a mail event",
    key=["event_date", "user_id", "campaign"],
    slice_by="event_date",
    rules=[
        (
            "the first of the mails has no time, or a time stands without a mail",
            (pl.col("first_sent_ts").is_not_null() == (pl.col("sent_mails") > 0))
            & (pl.col("first_delivered_ts").is_not_null() == (pl.col("delivered_mails") > 0)),
        )
    ],
    published=False,
)
class MailDays(Table):
    """Mail events of a day. The contract names no single mail: every event is one mail's.

    A mail opened twice brings two ``opened_mails``. An opening that is flagged is_machine_open is
    counted by itself, and is none of the ``opened_mails``.
    """

    event_date: pl.Date = column("Day of the event in the reporting time zone")
    user_id: pl.String = column("Person: the user, or an anonymous id that no user is linked to")
    campaign: pl.String = column("Campaign that the event names, else utm_campaign, or (none)")
    sent_mails: pl.Int64 = count("Events named email_sent", unit="mails")
    delivered_mails: pl.Int64 = count("Events named email_delivered", unit="mails")
    opened_mails: pl.Int64 = count(
        "Events named email_opened, without those of machines", unit="mails"
    )
    machine_opened_mails: pl.Int64 = count(
        "Events named email_opened with is_machine_open", unit="mails"
    )
    clicked_mails: pl.Int64 = count("Events named email_clicked", unit="mails")
    unsubscribed_mails: pl.Int64 = count("Events named email_unsubscribed", unit="mails")
    bounced_mails: pl.Int64 = count("Events named email_bounced", unit="mails")
    first_sent_ts: Timestamp = timestamp("First email_sent of the day", nullable=True)
    first_delivered_ts: Timestamp = timestamp("First email_delivered of the day", nullable=True)
