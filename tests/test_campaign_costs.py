from decimal import Decimal
from typing import Any

import polars as pl
from frames import assert_rows, day, frame

from schemas.campaign_costs import CampaignCosts
from schemas.exchange_rates import ExchangeRates
from schemas.landed_campaign_costs import LandedCampaignCosts
from transforms.campaign_costs import campaign_costs

NO_RATES = pl.DataFrame(schema={"day": pl.Date, "currency": pl.String, "rate": pl.Decimal(18, 8)})
USD = {"day": day("2024-03-04"), "currency": "USD", "rate": Decimal("1.25"), "fate": "counts"}


def spent(line: int, cost: str, **columns: Any) -> dict[str, Any]:
    usual = {
        "cost_day": day("2024-03-04"),
        "event_date": day("2024-03-04"),
        "channel": "ads",
        "campaign": "spring",
        "currency": "EUR",
        "landing_date": day("2024-03-05"),
        "file": "c.csv",
    }
    return {"line": line, "cost": Decimal(cost)} | usual | columns


def made(*rows: dict[str, Any]) -> pl.LazyFrame:
    return campaign_costs(
        frame(LandedCampaignCosts, rows),
        frame(ExchangeRates, [USD]),
        currency="EUR",
        ecb_rates=NO_RATES,
    )


def test_a_later_row_of_a_day_channel_and_campaign_replaces_the_earlier() -> None:
    assert_rows(
        made(spent(1, "10"), spent(2, "12", clicks=3), spent(3, "1", campaign="winter")),
        CampaignCosts,
        [
            {"line": 1, "cost_amount": Decimal(10), "clicks": None, "fate": "duplicate"},
            {"line": 2, "cost_amount": Decimal(12), "clicks": 3, "fate": "counts"},
            {"line": 3, "cost_amount": Decimal(1), "clicks": None, "fate": "counts"},
        ],
    )


def test_a_cost_is_turned_at_the_rate_of_its_day() -> None:
    # 10 / 1.25 = 8
    assert_rows(
        made(spent(1, "10", currency="USD")),
        CampaignCosts,
        [{"cost_amount": Decimal(8), "fate": "counts"}],
    )


def test_a_cost_without_a_rate_waits_and_a_replaced_one_does_not() -> None:
    assert_rows(
        made(spent(1, "10", currency="XAU"), spent(2, "10", currency="XAU")),
        CampaignCosts,
        [
            {"line": 1, "cost_amount": None, "fate": "duplicate"},
            {"line": 2, "cost_amount": None, "fate": "awaiting_rate"},
        ],
    )
