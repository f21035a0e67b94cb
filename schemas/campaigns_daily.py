"""Campaigns by day: how they were seen, what they cost, what they brought."""

import polars as pl

from schemas.base import DO_NOT_SUM_DAYS, Money, Table, column, count, money, table


@table(
    grain="one row per day, channel and campaign with an ad event, a cost or an order",
    key=["date", "channel", "campaign"],
    warnings=[
        "Sum costs, revenue and new customers and divide the sums: costs of a day seldom meet the "
        "orders that they bring on that same day.",
    ],
    rules=[
        (
            "a rate stands where there were no impressions",
            (pl.col("impressions") > 0)
            | (
                pl.col("click_through_rate").is_null() & pl.col("user_click_through_rate").is_null()
            ),
        ),
        (
            "an acquisition cost stands without a cost or without a new customer",
            pl.col("acquisition_cost_amount").is_not_null()
            == (pl.col("cost_amount").is_not_null() & (pl.col("new_customers") > 0)),
        ),
    ],
)
class CampaignsDaily(Table):
    """Ads, costs and orders of a campaign on a day, met by the names of channel and campaign.

    What the rows of costs tell of impressions and clicks goes before what events tell, each by
    itself, since platforms see more than a site does. The order's own campaign says what brought
    it. There is a row where there is something to tell, and days without anything have none.
    """

    date: pl.Date = column("Day in the reporting time zone")
    channel: pl.String = column("Marketing channel, or (none)")
    campaign: pl.String = column("Name of the campaign, or (none)")
    impressions: pl.Int64 = count(
        "Impressions that the costs of the day tell, else events named ad_impression",
        unit="impressions",
    )
    clicks: pl.Int64 = count(
        "Clicks that the costs of the day tell, else events named ad_click", unit="clicks"
    )
    clicking_users: pl.Int64 = count(
        "People with an ad_click; null where the costs tell of clicks and no event does",
        unit="people",
        warning=DO_NOT_SUM_DAYS,
        nullable=True,
    )
    click_through_rate: pl.Float64 = column(
        "Clicks per impression; above 1 where impressions are told in part only",
        unit="fraction",
        formula="clicks / impressions",
        nullable=True,
        ge=0.0,
    )
    user_click_through_rate: pl.Float64 = column(
        "People who clicked per impression",
        unit="fraction",
        formula="clicking_users / impressions",
        nullable=True,
        ge=0.0,
    )
    cost_amount: Money = money("Costs of the day; null where none are told", nullable=True)
    new_customers: pl.Int64 = count(
        "Customers whose first purchase ever was on the day, by the channel and campaign of that "
        "one",
        unit="customers",
    )
    acquisition_cost_amount: Money = money(
        "What a new customer of the day cost; null without a cost or a new customer",
        formula="cost_amount / new_customers",
        nullable=True,
    )
    revenue_amount: Money = money("Orders less refunds of the day")
    return_on_cost_ratio: pl.Float64 = column(
        "Revenue for each unit of cost; null without a cost",
        unit="ratio",
        formula="revenue_amount / cost_amount",
        nullable=True,
    )
    is_complete: pl.Boolean = column("The day is not after data_through: always so")
