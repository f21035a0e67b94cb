from typing import Any

import polars as pl
import pytest
from frames import day, frame
from lifetime_rows import buy, orders
from profile_rows import profiles
from revenue_rows import fact, subscribed

from pipelines.checks import broken
from pipelines.checks.profiles import PROFILES_CHECKS
from schemas.churn_models import ChurnModels

BY_NAME = {check.name: check for check in PROFILES_CHECKS}
CONTRACTS = [subscribed("2024-01-01", "10"), subscribed("2024-07-01", "5", subscription_id="s2")]
BOUGHT = [buy("bob", "2024-06-30", "20"), buy("bob", "2024-07-01", "30")]
MORE = {
    "profiles_bear_all_mrr": pl.col("mrr_amount") + 1,
    "profiles_hold_all_orders": pl.col("revenue_amount") + 1,
    "risks_are_of_models_in_use": pl.lit("orders").alias("churn_risk_model"),
}


@pytest.fixture(scope="module")
def tables() -> dict[str, pl.LazyFrame]:
    """Ann pays 10 and bob bought for 20 by 30 June; what comes after it is not told."""
    told = profiles(contracts=CONTRACTS, bought=BOUGHT).collect()
    models: list[dict[str, Any]] = [
        {"model": name, "as_of": day("2024-06-30"), "is_used": False}
        for name in ("orders", "subscriptions")
    ]
    return {
        "customer_profiles": told.lazy(),
        "subscriptions": fact(*CONTRACTS),
        "orders": orders(*BOUGHT),
        "churn_models": frame(ChurnModels, models),
    }


@pytest.mark.parametrize("name", list(MORE))
def test_a_check_holds_and_sees_what_breaks_it(name: str, tables: dict[str, pl.LazyFrame]) -> None:
    assert broken(BY_NAME[name], tables) is None
    wrong = tables["customer_profiles"].with_columns(MORE[name])
    assert name in (broken(BY_NAME[name], {**tables, "customer_profiles": wrong}) or "")


@pytest.mark.parametrize("name", list(MORE))
def test_a_check_holds_where_nobody_is_a_customer(
    name: str, tables: dict[str, pl.LazyFrame]
) -> None:
    nobody = {table: rows.clear() for table, rows in tables.items()}
    assert broken(BY_NAME[name], nobody) is None
