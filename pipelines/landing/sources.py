"""The sources: what a row of each must bring, and which columns play which part in taking it in."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from schemas.base import Table
from schemas.landed_campaign_costs import CampaignCostContract, LandedCampaignCosts
from schemas.landed_customers import CustomerContract, LandedCustomers
from schemas.landed_events import EventContract, LandedEvents
from schemas.landed_exchange_rates import ExchangeRateContract, LandedExchangeRates
from schemas.landed_orders import LandedOrders, OrderContract
from schemas.landed_social_accounts import LandedSocialAccounts, SocialAccountContract
from schemas.landed_social_posts import LandedSocialPosts, SocialPostContract
from schemas.landed_subscriptions import LandedSubscriptions, SubscriptionContract
from schemas.landed_surveys import LandedSurveys, SurveyContract
from schemas.landed_tickets import LandedTickets, TicketContract


@dataclass(frozen=True)
class Source:
    """One declaration per source; nothing else in this package names one.

    The first of the ``happened`` columns (timestamps or days) that has a value files a row under
    its event date; without any it is the landing date. A ``received`` timestamp that a row lacks
    is noon of the landing date. A ``content_id`` that a row lacks is made from its content.
    ``spelled`` columns are brought to one spelling, and those of ``defaults`` that a row lacks are
    filled in after that.
    ``person_ids`` are the columns that name a person; ids of all sources are one namespace.
    ``json`` columns must hold JSON. ``is_late`` rows are counted by how long after they happened
    they arrived; full exports of what is old are not late. A ``is_reference`` source says what
    others mean and does not tell how far data reaches.
    """

    name: str
    contract: type[Table]
    landed: type[Table]
    happened: tuple[str, ...]
    received: str | None = None
    content_id: str | None = None
    person_ids: tuple[str, ...] = ()
    spelled: tuple[pl.Expr, ...] = ()
    defaults: Mapping[str, pl.Expr] = field(default_factory=dict)
    json: tuple[str, ...] = ()
    is_late: bool = False
    is_reference: bool = False


def _lower(name: str) -> pl.Expr:
    return pl.col(name).str.strip_chars().str.to_lowercase()


_CURRENCY = pl.col("currency").str.strip_chars().str.to_uppercase()
_SCALES = {"nps": (0.0, 10.0), "csat": (1.0, 5.0), "ces": (1.0, 7.0), "review": (1.0, 5.0)}


def _end_of_scale(which: int) -> pl.Expr:
    ends = {kind: ends[which] for kind, ends in _SCALES.items()}
    return pl.col("kind").replace_strict(ends, default=None, return_dtype=pl.Float64)


EVENTS = Source(
    name="events",
    contract=EventContract,
    landed=LandedEvents,
    happened=("event_ts",),
    received="received_ts",
    content_id="event_id",
    person_ids=("user_id", "anonymous_id"),
    json=("properties",),
    is_late=True,
)
SURVEYS = Source(
    name="surveys",
    contract=SurveyContract,
    landed=LandedSurveys,
    happened=("answered_ts", "asked_ts"),
    person_ids=("respondent_id",),
    spelled=(_lower("kind"), _lower("direction")),
    defaults={
        "scale_min": _end_of_scale(0),
        "scale_max": _end_of_scale(1),
        "direction": pl.lit("ease"),
    },
    is_late=True,
)
SUBSCRIPTIONS = Source(
    name="subscriptions",
    contract=SubscriptionContract,
    landed=LandedSubscriptions,
    happened=("started_ts",),
    person_ids=("customer_id",),
    spelled=(_CURRENCY, _lower("interval"), _lower("status")),
    defaults={"interval_count": pl.lit(1), "quantity": pl.lit(1), "status": pl.lit("active")},
)
ORDERS = Source(
    name="orders",
    contract=OrderContract,
    landed=LandedOrders,
    happened=("ordered_ts",),
    person_ids=("customer_id",),
    spelled=(_CURRENCY, _lower("kind")),
    defaults={"line_id": pl.lit(""), "kind": pl.lit("purchase")},
    is_late=True,
)
SOCIAL_POSTS = Source(
    name="social_posts",
    contract=SocialPostContract,
    landed=LandedSocialPosts,
    happened=("snapshot_day",),
    is_late=True,
)
SOCIAL_ACCOUNTS = Source(
    name="social_accounts",
    contract=SocialAccountContract,
    landed=LandedSocialAccounts,
    happened=("snapshot_day",),
    is_late=True,
)
TICKETS = Source(
    name="tickets",
    contract=TicketContract,
    landed=LandedTickets,
    happened=("opened_ts",),
    person_ids=("customer_id",),
)
CAMPAIGN_COSTS = Source(
    name="campaign_costs",
    contract=CampaignCostContract,
    landed=LandedCampaignCosts,
    happened=("cost_day",),
    spelled=(_CURRENCY,),
    is_late=True,
)
EXCHANGE_RATES = Source(
    name="exchange_rates",
    contract=ExchangeRateContract,
    landed=LandedExchangeRates,
    happened=("day",),
    spelled=(_CURRENCY,),
    is_reference=True,
)
CUSTOMERS = Source(
    name="customers",
    contract=CustomerContract,
    landed=LandedCustomers,
    happened=("created_ts",),
    person_ids=("customer_id", "user_id"),
    is_reference=True,
)

SOURCES: dict[str, Source] = {
    source.name: source
    for source in (
        EVENTS,
        SURVEYS,
        SUBSCRIPTIONS,
        ORDERS,
        SOCIAL_POSTS,
        SOCIAL_ACCOUNTS,
        TICKETS,
        CAMPAIGN_COSTS,
        EXCHANGE_RATES,
        CUSTOMERS,
    )
}
