"""Spine: what was seen and clicked of a campaign's ads on a day."""

import polars as pl

from schemas.base import DO_NOT_SUM_DAYS, Table, column, count, table


@table(
    grain="one row per day, channel and campaign with an ad event",
    key=["event_date", "channel", "campaign"],
    slice_by="event_date",
    published=False,
)
class AdDays(Table):
    """Events named ad_impression and ad_click, and the people who clicked."""

    event_date: pl.Date = column("Day in the reporting time zone")
    channel: pl.String = column("Marketing channel of the event, or (none)")
    campaign: pl.String = column("Campaign that the event names, else utm_campaign, or (none)")
    impressions: pl.Int64 = count("Events named ad_impression", unit="impressions")
    clicks: pl.Int64 = count("Events named ad_click", unit="clicks")
    clicking_users: pl.Int64 = count(
        "People with an ad_click", unit="people", warning=DO_NOT_SUM_DAYS
    )
