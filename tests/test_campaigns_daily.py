from decimal import Decimal
from typing import Any

import polars as pl
from campaign_rows import cost
from frames import assert_rows, collected, day, frame
from lifetime_rows import buy, orders

from schemas.ad_days import AdDays
from schemas.campaign_costs import CampaignCosts
from schemas.campaigns_daily import CampaignsDaily
from transforms.campaigns_daily import campaigns_daily

SPRING = {"channel": "ads", "campaign": "spring"}


def ads(when: str, impressions: int, clicks: int, users: int, **columns: Any) -> dict[str, Any]:
    counts = {"impressions": impressions, "clicks": clicks, "clicking_users": users}
    return {"event_date": day(when), **SPRING, **counts, **columns}


def by_day(
    *bought: dict[str, Any],
    seen: list[dict[str, Any]] | None = None,
    costs: list[dict[str, Any]] | None = None,
    through: str = "2024-12-31",
) -> pl.LazyFrame:
    return campaigns_daily(
        frame(AdDays, seen or []),
        frame(CampaignCosts, costs or []),
        orders(*bought),
        data_through=day(through),
    )


def test_rates_are_of_clicks_and_of_people_per_impression() -> None:
    # 60 clicks of 45 people on 1,000 impressions: 0.06 and 0.045
    assert_rows(
        by_day(seen=[ads("2024-01-01", 1000, 60, 45)]),
        CampaignsDaily,
        [
            {
                "date": day("2024-01-01"),
                **SPRING,
                "impressions": 1000,
                "clicks": 60,
                "clicking_users": 45,
                "click_through_rate": 0.06,
                "user_click_through_rate": 0.045,
                "cost_amount": None,
                "new_customers": 0,
                "acquisition_cost_amount": None,
                "revenue_amount": Decimal(0),
                "return_on_cost_ratio": None,
            }
        ],
    )


def test_what_costs_tell_of_impressions_and_clicks_goes_before_events() -> None:
    # The platform counts 2,000 and 100, the site saw 1,000 and 60 of 45 people:
    # 100 / 2,000 = 0.05; 45 / 2,000 = 0.0225
    table = by_day(
        seen=[ads("2024-01-01", 1000, 60, 45)],
        costs=[cost("2024-01-01", "10", impressions=2000, clicks=100)],
    )
    names = ["impressions", "clicks", "click_through_rate", "user_click_through_rate"]
    assert collected(table, CampaignsDaily).select(names).rows() == [(2000, 100, 0.05, 0.0225)]


def test_impressions_and_clicks_that_costs_leave_out_are_those_of_events() -> None:
    table = by_day(
        seen=[ads(f"2024-01-0{date}", 1000, 60, 45) for date in (1, 2, 3)],
        costs=[
            cost("2024-01-01", "10"),
            cost("2024-01-02", "10", impressions=2000),
            cost("2024-01-03", "10", clicks=0),
        ],
    )
    names = ["impressions", "clicks", "clicking_users"]
    assert collected(table, CampaignsDaily).select(names).rows() == [
        (1000, 60, 45),
        (2000, 60, 45),
        (1000, 0, 45),
    ]


def test_who_clicked_is_not_known_where_only_costs_tell_of_clicks() -> None:
    table = by_day(costs=[cost("2024-01-01", "10", impressions=100, clicks=5)])
    names = ["clicks", "clicking_users", "click_through_rate", "user_click_through_rate"]
    assert collected(table, CampaignsDaily).select(names).rows() == [(5, None, 0.05, None)]


def test_a_cost_without_clicks_has_none() -> None:
    table = by_day(costs=[cost("2024-01-01", "10"), cost("2024-01-02", "10", impressions=100)])
    names = ["impressions", "clicks", "clicking_users", "click_through_rate", "cost_amount"]
    assert collected(table, CampaignsDaily).select(names).rows() == [
        (0, 0, 0, None, Decimal(10)),
        (100, 0, 0, 0.0, Decimal(10)),
    ]


def test_without_impressions_there_is_no_rate() -> None:
    table = by_day(
        seen=[ads("2024-01-01", 0, 3, 2)], costs=[cost("2024-01-02", "1", impressions=0, clicks=4)]
    )
    names = ["clicks", "click_through_rate", "user_click_through_rate"]
    assert collected(table, CampaignsDaily).select(names).rows() == [
        (3, None, None),
        (4, None, None),
    ]


def test_a_cost_is_shared_by_those_who_bought_for_the_first_time() -> None:
    # 100 for three new customers: 33.3333; they and a known one bought for 3 x 20 + 40 = 100,
    # of which 10 went back: 90 / 100 = 0.9
    known = buy("old", "2023-12-01")
    bought = [buy(name, "2024-01-01", "20", **SPRING) for name in ("u", "v", "w")]
    again = buy("old", "2024-01-01", "40", **SPRING)
    back = buy("u", "2024-01-01", "-10", kind="refund", **SPRING)
    table = by_day(known, *bought, again, back, costs=[cost("2024-01-01", "100")])
    names = ["new_customers", "acquisition_cost_amount", "revenue_amount", "return_on_cost_ratio"]
    assert collected(table, CampaignsDaily).filter(campaign="spring").select(names).rows() == [
        (3, Decimal("33.3333"), Decimal(90), 0.9)
    ]


def test_acquisition_costs_are_rounded_half_to_even() -> None:
    # 0.0001 and 0.0003 for two: 0.00005 and 0.00015; what was given back is rounded likewise
    days = {"2024-01-01": "0.0001", "2024-01-02": "0.0003", "2024-01-03": "-0.0003"}
    costs = [cost(date, amount) for date, amount in days.items()]
    bought = [buy(name + date, date, **SPRING) for date in days for name in "uv"]
    found = collected(by_day(*bought, costs=costs), CampaignsDaily)["acquisition_cost_amount"]
    assert found.to_list() == [Decimal(text) for text in ("0", "0.0002", "-0.0002")]


def test_a_new_customer_is_of_the_campaign_of_the_first_purchase_alone() -> None:
    # The second line of the day is of another campaign; the refund before it is no purchase.
    table = by_day(
        buy("u", "2024-01-01", "-5", kind="refund", campaign="winter"),
        buy("u", "2024-01-02", order_id="a", campaign="spring"),
        buy("u", "2024-01-02", order_id="b", campaign="summer"),
        buy("u", "2024-01-03", campaign="summer"),
    )
    assert_rows(
        table,
        CampaignsDaily,
        [
            {"date": day(f"2024-01-0{date}"), "campaign": campaign, "new_customers": new}
            for date, campaign, new in [
                (1, "winter", 0),
                (2, "spring", 1),
                (2, "summer", 0),
                (3, "summer", 0),
            ]
        ],
    )


def test_orders_without_a_campaign_or_channel_stand_under_none() -> None:
    assert_rows(
        by_day(buy("u", "2024-01-01", "7", channel="ads"), buy("v", "2024-01-01", "8")),
        CampaignsDaily,
        [
            {"channel": "ads", "campaign": "(none)", "revenue_amount": Decimal(7)},
            {"channel": "(none)", "campaign": "(none)", "revenue_amount": Decimal(8)},
        ],
    )


def test_a_cost_of_nothing_divides_nothing() -> None:
    table = by_day(buy("u", "2024-01-01", **SPRING), costs=[cost("2024-01-01", "0")])
    names = ["cost_amount", "acquisition_cost_amount", "return_on_cost_ratio"]
    assert collected(table, CampaignsDaily).select(names).rows() == [(Decimal(0), Decimal(0), None)]


def test_rows_that_do_not_count_are_left_out() -> None:
    table = by_day(
        buy("u", "2024-01-01", fate="duplicate", **SPRING),
        costs=[
            cost("2024-01-01", "5"),
            cost("2024-01-01", "90", fate="duplicate"),
            cost("2024-01-02", None, fate="awaiting_rate", clicks=5),
        ],
    )
    assert collected(table, CampaignsDaily).select("cost_amount", "revenue_amount").rows() == [
        (Decimal(5), Decimal(0))
    ]


def test_days_after_the_horizon_are_not_shown() -> None:
    table = by_day(
        buy("u", "2024-01-02", **SPRING),
        seen=[ads("2024-01-01", 1, 0, 0), ads("2024-01-02", 1, 0, 0)],
        costs=[cost("2024-01-02", "5")],
        through="2024-01-01",
    )
    assert collected(table, CampaignsDaily)["date"].to_list() == [day("2024-01-01")]


def test_nothing_landed_gives_no_rows() -> None:
    assert collected(by_day(), CampaignsDaily).is_empty()
