"""The sample's lifetime value against SQL, with the parameters that clv_models publishes."""

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from homes import make_home, run_home, scratch, table
from homes import warehouse_table as stored_rows
from oracle.contracts import Contracts
from oracle.lifetime_value import Oracle

from pipelines.sample import write_sample

SETTINGS = 'dimensions = ["channel", "country"]\nclv_holdout_weeks = 8\nclv_horizon_months = 3\n'
SOURCES = ["events", "orders", "subscriptions", "customers", "campaign_costs", "exchange_rates"]
PARAMETERS = {"bg_nbd": "r alpha a b", "gamma_gamma": "p q v", "sbg": "alpha beta"}
# Rounded where they are published: probabilities and orders to six decimals, money to four.
FORETOLD = {"alive_probability": 1e-6, "expected_orders": 1e-6, "expected_value_amount": 1e-4}


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    with scratch() as folder:
        home = make_home(folder / "home", SETTINGS)
        (home / "landing" / "events").rmdir()
        truths = folder / "truths.json"
        write_sample(home / "landing", truths, days=200, users=700, seed=3, sources=SOURCES)
        # The plan that all sources are made from comes with events; lifetime value reads none.
        shutil.rmtree(home / "landing" / "events")
        run_home(home, select=["clv_monthly"])
        yield home


def parameters(home: Path, *models: str) -> dict[str, float]:
    rows = {row["model"]: row for row in table(home, "clv_models").iter_rows(named=True)}
    assert all(rows[model]["converged"] for model in models)
    return {name: rows[model][name] for model in models for name in PARAMETERS[model].split()}


def through(home: Path) -> date:
    last = table(home, "customer_lifetime_value")["as_of"].unique()
    assert len(last) == 1
    return date.fromisoformat(str(last[0]))


def orders_in_sql(home: Path) -> Oracle:
    return Oracle(stored_rows(home, "orders"), through(home))


def contracts_in_sql(home: Path) -> Contracts:
    paid = table(home, "customer_months").filter(pl.col("mrr_amount") > 0)
    columns = paid.select("customer_id", "month", "mrr_amount", "plan", "country")
    return Contracts(columns, through(home))


def assert_foretold(found: pl.DataFrame, expected: pl.DataFrame, key: list[str]) -> None:
    exact = [name for name in expected.columns if name not in FORETOLD]
    found = found.sort(key)
    typed = expected.cast({name: found.schema[name] for name in exact}).sort(key)
    assert found.height
    assert found.select(exact).equals(typed.select(exact))
    for name in FORETOLD:
        left, right = found[name].cast(pl.Float64), typed[name].cast(pl.Float64)
        assert left.is_null().equals(right.is_null()), name
        # The series of SQL is cut off, and money is rounded of what was rounded.
        assert ((left - right).abs().drop_nulls() < 1e-4 * (1 + right.abs().drop_nulls())).all()


def test_buyers(home: Path) -> None:
    found = table(home, "customer_lifetime_value").filter(model="bg_nbd")
    known = parameters(home, "bg_nbd", "gamma_gamma")
    expected = orders_in_sql(home).buyers(known, months=3, discount=0.0)
    assert_foretold(found, expected, ["customer_id"])


def test_subscribers(home: Path) -> None:
    found = table(home, "customer_lifetime_value").filter(model="sbg")
    known = parameters(home, "sbg")
    expected = contracts_in_sql(home).subscribers(known, months=3, discount=0.0)
    assert_foretold(found, expected, ["customer_id"])


def test_months_of_orders(home: Path) -> None:
    worth = table(home, "customer_lifetime_value").filter(model="bg_nbd")
    costs = stored_rows(home, "campaign_costs")
    expected = orders_in_sql(home).monthly(costs, worth, days=90).drop("predicted")
    found = table(home, "clv_monthly").filter(
        pl.col("dimension").is_in(["all", "channel"]), model="bg_nbd"
    )
    assert_months(found, expected)


def test_months_under_contract(home: Path) -> None:
    worth = table(home, "customer_lifetime_value").filter(model="sbg")
    each = worth.select(
        "customer_id", worth=pl.col("revenue_amount") + pl.col("expected_value_amount")
    )
    expected = contracts_in_sql(home).monthly(each).filter(pl.col("dimension") != "plan")
    assert_months(table(home, "clv_monthly").filter(model="sbg"), expected)


def assert_months(found: pl.DataFrame, expected: pl.DataFrame) -> None:
    key = ["month", "dimension", "segment"]
    typed = expected.cast({name: found.schema[name] for name in expected.columns}).sort(key)
    found = found.sort(key).select(typed.columns)
    assert found.height
    for name in typed.columns:
        left, right = found[name], typed[name]
        if left.dtype == pl.Float64:
            assert left.is_null().equals(right.is_null()), name
            assert ((left - right).abs().drop_nulls() < 1e-12).all(), name
        else:
            assert left.equals(right), name


def test_the_likelihood_under_contract(home: Path) -> None:
    row = table(home, "clv_models").row(by_predicate=pl.col("model") == "sbg", named=True)
    found = contracts_in_sql(home).log_likelihood(parameters(home, "sbg"), row["cutoff_date"])
    assert abs(found - row["log_likelihood"]) < 1e-3
