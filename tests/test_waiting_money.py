"""Money without a rate waits in the home, is accounted for, and comes back by itself."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from homes import assert_same_state, command, land, make_home, run_home, stored, table
from homes import warehouse_table as facts

from pipelines.home import open_home
from pipelines.registry import BY_NAME
from pipelines.session import reading

pytestmark = pytest.mark.only_tables(
    "ingest_ledger", "campaigns_daily", "mrr_movements_monthly", "customer_lifetime_value"
)
MONEY = [
    ("orders", {"order_id": "1", "customer_id": "ada", "ordered_ts": "2024-03-04T10:00:00Z"}),
    ("campaign_costs", {"cost_day": "2024-03-04", "channel": "ads", "campaign": "spring"}),
    (
        "subscriptions",
        {
            "subscription_id": "s",
            "customer_id": "ada",
            "plan": "pro",
            "interval": "month",
            "started_ts": "2024-03-04T10:00:00Z",
        },
    ),
]
RATE = {"day": "2024-03-01", "currency": "XAU", "rate": "0.5"}
SETTINGS = "refused_rows_limit = 1.0\n"


def home_with_money(root: Path) -> Path:
    make_home(root, SETTINGS)
    for source, row in MONEY:
        amount = "cost" if source == "campaign_costs" else "amount"
        land(root, "2024-03-05", [{**row, amount: 3, "currency": "XAU"}], "a.ndjson", source)
    return root


def accounts(root: Path) -> dict[str, tuple[int, int, int]]:
    """Per source: accepted, quarantined, awaiting a rate."""
    ledger = table(root, "ingest_ledger").filter(pl.col("source") != "exchange_rates")
    columns = ("accepted_rows", "quarantined_rows", "awaiting_rate_rows")
    return {row["source"]: tuple(row[name] for name in columns) for row in ledger.to_dicts()}


def test_money_waits_until_a_rate_lands_and_then_counts(tmp_path: Path) -> None:
    root = home_with_money(tmp_path / "home")
    run_home(root)
    assert accounts(root) == {source: (0, 1, 1) for source, _ in MONEY}
    assert "no rate of XAU" in command(root, "status").out

    # 3 / 0.5 = 6
    land(root, "2024-03-09", [RATE], "rates.ndjson", "exchange_rates")
    run_home(root)
    assert accounts(root) == {source: (1, 0, 0) for source, _ in MONEY}
    assert facts(root, "orders")["amount"].to_list() == [Decimal(6)]
    assert facts(root, "campaign_costs")["cost_amount"].to_list() == [Decimal(6)]
    assert facts(root, "subscriptions")["mrr_amount"].to_list() == [Decimal(6)]
    assert "no rate of" not in command(root, "status").out


def test_a_rate_that_came_later_gives_the_bytes_of_one_that_was_there(tmp_path: Path) -> None:
    late, early = home_with_money(tmp_path / "late"), home_with_money(tmp_path / "early")
    run_home(late)
    for root in (late, early):
        land(root, "2024-03-09", [RATE], "rates.ndjson", "exchange_rates")
        run_home(root)
    assert_same_state(stored(late), stored(early))


def test_rates_and_customers_do_not_hold_the_horizon_back(tmp_path: Path) -> None:
    root = home_with_money(tmp_path / "home")
    land(root, "2024-02-01", [{"customer_id": "ada"}], "a.ndjson", "customers")
    land(root, "2024-02-01", [RATE | {"day": "2024-02-01"}], "a.ndjson", "exchange_rates")
    run_home(root)
    with reading(open_home(root)) as session:
        assert session.data_through(BY_NAME["orders"]) == date(2024, 3, 5)
        assert session.data_through(BY_NAME["customers"]) == date(2024, 2, 1)
