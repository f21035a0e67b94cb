"""E-mail campaigns: who got their mails, what they did with them, and what came of it."""

from typing import Any

import polars as pl

from schemas.base import Money, Table, column, count, money, table

_MOVING = "Moving: what is known up to data_through."
KINDS = ("sent", "delivered", "opened", "machine_opened", "clicked", "unsubscribed", "bounced")


def _people(what: str) -> Any:
    return count(f"People {what}", unit="people", warning=_MOVING)


def _mails(what: str) -> Any:
    return count(f"Mails {what}: one for each event", unit="mails", warning=_MOVING)


def _rate(what: str, formula: str) -> Any:
    return column(what, unit="fraction", formula=formula, warning=_MOVING, nullable=True, ge=0.0)


@table(
    grain="one row per campaign",
    key=["campaign"],
    warnings=[
        "Totals move as long as mails, visits and orders come in: they are as of data_through, and "
        "never restated.",
        "Never sum people, visits or revenue over campaigns: a person gets the mails of several, "
        "and an order within the windows of several stands in each.",
    ],
    rules=[
        (
            "there are more people than mails",
            pl.all_horizontal(pl.col(kind) <= pl.col(f"{kind}_mails") for kind in KINDS),
        ),
        (
            "people are without mails, or mails without people",
            pl.all_horizontal(
                (pl.col(kind) > 0) == (pl.col(f"{kind}_mails") > 0) for kind in KINDS
            ),
        ),
        (
            "mailed_users is neither delivered nor, without any, sent",
            pl.col("mailed_users")
            == pl.when(pl.col("delivered") > 0).then("delivered").otherwise("sent"),
        ),
        (
            "more people visited or converted than were mailed",
            pl.max_horizontal("visiting_users", "converting_users") <= pl.col("mailed_users"),
        ),
    ],
)
class EmailCampaigns(Table):
    """Lifetime totals of each campaign that has a mail event, in people and in mails.

    The campaign is the one that the event names, else utm_campaign, else ``(none)``. Nothing is
    guessed: where no email_delivered comes in, ``delivered`` is 0 and its rates are null; a click
    does not make an opening. So a rate may pass 1: of those who click, some never load the picture
    that tells of the opening. Openings flagged is_machine_open count by themselves only.

    Those mailed are the people to whom a mail was delivered or, in a campaign of which no delivery
    is known, sent. Visits, conversions and revenue are those from the first such mail of the
    campaign to the person on, for ``attribution_days`` of 24 hours, both ends included, whatever
    led there: without a control group they tell what followed, not what the mail caused.
    """

    campaign: pl.String = column("Name of the campaign, or (none)")
    sent: pl.Int64 = _people("to whom a mail was sent")
    sent_mails: pl.Int64 = _mails("sent")
    delivered: pl.Int64 = _people("to whom a mail was delivered")
    delivered_mails: pl.Int64 = _mails("delivered")
    opened: pl.Int64 = _people("who opened a mail, without openings by machines")
    opened_mails: pl.Int64 = _mails("opened, without openings by machines")
    machine_opened: pl.Int64 = _people("of whom a machine opened a mail")
    machine_opened_mails: pl.Int64 = _mails("opened by machines")
    clicked: pl.Int64 = _people("who clicked in a mail")
    clicked_mails: pl.Int64 = _mails("in which was clicked")
    unsubscribed: pl.Int64 = _people("who unsubscribed by a mail")
    unsubscribed_mails: pl.Int64 = _mails("by which was unsubscribed")
    bounced: pl.Int64 = _people("of whom a mail came back")
    bounced_mails: pl.Int64 = _mails("that came back")
    open_rate: pl.Float64 = _rate("People who opened, of those delivered to", "opened / delivered")
    click_through_rate: pl.Float64 = _rate(
        "People who clicked, of those delivered to", "clicked / delivered"
    )
    click_to_open_rate: pl.Float64 = _rate(
        "People who clicked for each who opened", "clicked / opened"
    )
    mailed_users: pl.Int64 = _people("delivered to; in a campaign without deliveries, sent to")
    visiting_users: pl.Int64 = _people(
        "mailed with a session that starts within the window; a click in a mail is one"
    )
    converting_users: pl.Int64 = _people(
        "mailed with a purchase, or an event of any goal, within the window"
    )
    revenue_amount: Money = money(
        "Orders less refunds of those mailed within the window", warning=_MOVING
    )
