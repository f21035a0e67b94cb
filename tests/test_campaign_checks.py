from decimal import Decimal
from typing import Any

import pytest
from campaign_rows import cost, mail, mails
from frames import day, frame
from lifetime_rows import buy, orders

from pipelines.checks import Tables
from pipelines.checks.campaigns import (
    differing_campaigns,
    differing_mailed,
    differing_new_customers,
)
from schemas.base import empty
from schemas.campaign_costs import CampaignCosts
from schemas.campaigns_daily import CampaignsDaily
from schemas.clv_monthly import ClvMonthly
from schemas.email_habit import EmailHabit
from schemas.lifecycle import Lifecycle

ALL = {"dimension": "all", "segment": "all"}


def campaigns(*days: tuple[str, int, int, int]) -> Any:
    """Day, cost, revenue and new customers."""
    rows = [
        {
            "date": day(when),
            "cost_amount": Decimal(spent),
            "revenue_amount": Decimal(earned),
            "new_customers": won,
        }
        for when, spent, earned, won in days
    ]
    return frame(CampaignsDaily, rows)


def tables(found: Any, *, seen: str | None, ended: str | None) -> Tables:
    """Two purchases of January and two costs. ``ended`` is the last complete month, ``seen`` the
    last day of the lifecycle.
    """
    days = [{"grain": "day", "period_start": day(seen)}] if seen else []
    months = [
        {
            "month": ended and day(ended),
            "new_customers": 2,
            "is_complete": True,
            "model": "bg_nbd",
            **ALL,
        }
    ]
    return {
        "campaigns_daily": found,
        "campaign_costs": frame(CampaignCosts, [cost("2024-01-10", "3"), cost("2024-02-10", "9")]),
        "orders": orders(buy("u", "2024-01-10", "5"), buy("v", "2024-01-20", "7")),
        "clv_monthly": frame(ClvMonthly, months if ended else []),
        "lifecycle": frame(Lifecycle, days, **ALL),
    }


WHOLE = [("2024-01-10", 3, 5, 1), ("2024-01-20", 0, 7, 1)]


@pytest.mark.parametrize(
    ("rows", "differing"),
    [
        (WHOLE, []),
        ([("2024-01-10", 4, 5, 1), WHOLE[1]], ["2024-01-10"]),
        ([WHOLE[0], ("2024-01-20", 0, 8, 1)], ["2024-01-20"]),
        ([WHOLE[0], WHOLE[1], ("2024-01-19", 1, 0, 0)], ["2024-01-19"]),
        (WHOLE[:1], ["2024-01-20"]),
        ([], ["2024-01-10", "2024-01-20"]),
    ],
)
def test_costs_and_revenue_are_compared_day_by_day(rows: list[Any], differing: list[str]) -> None:
    found = differing_campaigns(tables(campaigns(*rows), seen="2024-02-05", ended="2024-01-01"))
    assert sorted(map(str, found.collect()["date"])) == differing


@pytest.mark.parametrize(("seen", "ended"), [("2024-01-15", "2024-01-01"), (None, "2024-01-01")])
def test_what_lies_after_a_horizon_may_be_missing(seen: str | None, ended: str) -> None:
    # The events end on 15 January, or there are none to tell: the 20th need not be there.
    given = tables(campaigns(WHOLE[0]), seen=seen, ended=ended)
    assert differing_campaigns(given).collect().is_empty()
    assert differing_new_customers(given).collect().is_empty()


def test_without_a_witness_the_table_s_own_days_are_compared() -> None:
    given = tables(campaigns(("2024-01-10", 3, 6, 1)), seen=None, ended=None)
    assert differing_campaigns(given).collect().height == 1


@pytest.mark.parametrize(("won", "differing"), [(1, 0), (0, 1), (2, 1)])
def test_new_customers_are_compared_by_complete_months(won: int, differing: int) -> None:
    rows = [WHOLE[0], ("2024-01-20", 0, 7, won)]
    given = tables(campaigns(*rows), seen="2024-02-05", ended="2024-01-01")
    assert differing_new_customers(given).collect().height == differing


@pytest.mark.parametrize(
    ("mailed", "differing"), [(2, 0), (1, 1), (3, 1), (None, 1)], ids=["is", "few", "many", "none"]
)
def test_those_mailed_got_a_mail_in_the_last_28_days(mailed: int | None, differing: int) -> None:
    # 28 January looks back to the 1st: not to cid's mail of the day before, nor to the next day's.
    row = {"grain": "day", "period_start": day("2024-01-28"), "mailed_customers": mailed}
    given = {
        "email_habit": frame(EmailHabit, [] if mailed is None else [row]),
        "mail_days": mails(
            mail("delivered", "2024-01-01 10:00"),
            mail("delivered", "2024-01-28 10:00", "bob"),
            mail("delivered", "2023-12-31 10:00", "cid"),
            mail("delivered", "2024-01-29 10:00", "dan"),
            mail("sent opened", "2024-01-20 10:00", "eve"),
        ),
        "lifecycle": frame(Lifecycle, [{"grain": "day", "period_start": day("2024-01-28")}], **ALL),
    }
    assert differing_mailed(given).collect().height == differing
    assert differing_mailed({**given, "lifecycle": empty(Lifecycle)}).collect().is_empty()
