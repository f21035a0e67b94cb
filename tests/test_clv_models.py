from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from frames import assert_same, collected, day
from lifetime_rows import buy, months, orders, pays
from oracle.lifetime_value import Oracle

from schemas.base import empty
from schemas.clv_models import ClvModels
from schemas.customer_months import CustomerMonths
from schemas.orders import Orders
from transforms.clv_models import clv_models
from transforms.tenures import last_whole_month

THROUGH = "2024-12-31"


def fitted(
    bought: pl.LazyFrame | None = None,
    paid: pl.LazyFrame | None = None,
    *,
    cutoff: str | None = None,
    weeks: int = 13,
    through: str = THROUGH,
) -> dict[str, dict[str, Any]]:
    """Rows of the table by model."""
    table = clv_models(
        empty(Orders) if bought is None else bought,
        empty(CustomerMonths) if paid is None else paid,
        clv_cutoff=day(cutoff) if cutoff else None,
        clv_holdout_weeks=weeks,
        data_through=day(through),
    )
    return {row["model"]: row for row in collected(table, ClvModels).to_dicts()}


def made_up_purchases() -> Iterator[dict[str, Any]]:
    """Two hundred customers of one quarter who come back, or do not, for amounts around 30."""
    dice = np.random.default_rng(20260102)
    start = date(2024, 1, 1)
    for number in range(200):
        when = int(dice.integers(0, 90))
        rate, leaves, mean = dice.gamma(0.8, 1 / 40), dice.beta(0.7, 2.5), dice.gamma(4, 8)
        while when < 366:
            amount = f"{dice.gamma(6, mean / 6) + 0.01:.2f}"
            yield buy(f"c{number}", (start + timedelta(days=when)).isoformat(), amount)
            if dice.random() < leaves:
                break
            when += 1 + int(dice.exponential(1 / rate))


@pytest.fixture(scope="module")
def shop() -> pl.LazyFrame:
    return orders(*made_up_purchases()).collect().lazy()


def test_without_data_every_model_says_that_it_has_too_little() -> None:
    rows = fitted()
    assert list(rows) == ["bg_nbd", "gamma_gamma", "sbg"]
    for row, least in zip(rows.values(), (40, 30, 20), strict=True):
        assert row["note"].startswith("too little history: 0 customers")
        assert f"{least} are needed" in row["note"]
        assert row["converged"] is False
        assert (row["customers"], row["log_likelihood"], row["error_rate"]) == (0, None, None)


def test_a_few_customers_are_too_few() -> None:
    bought = orders(*(buy(f"u{n}", d) for n in range(9) for d in ("2024-01-01", "2024-02-01")))
    row = fitted(bought)["bg_nbd"]
    assert (row["customers"], row["telling_customers"], row["r"]) == (9, 9, None)
    assert row["note"] == (
        "too little history: 9 customers bought on a second day up to the cut-off, 40 are needed"
    )


def test_the_cutoff_lies_the_weeks_before_the_horizon_unless_it_is_named() -> None:
    assert fitted(weeks=39, through="1998-06-30")["bg_nbd"]["cutoff_date"] == day("1997-09-30")
    row = fitted(cutoff="2024-10-01")["sbg"]
    assert (row["cutoff_date"], row["holdout_days"]) == (day("2024-10-01"), 91)


def test_a_cutoff_after_the_horizon_holds_out_nothing(shop: pl.LazyFrame) -> None:
    row = fitted(shop, cutoff="2025-06-30")["bg_nbd"]
    assert (row["cutoff_date"], row["holdout_days"]) == (day(THROUGH), 0)
    assert row["converged"]
    assert (row["holdout_predicted"], row["error_rate"]) == (None, None)


def test_the_likelihood_is_what_sql_finds_customer_by_customer(shop: pl.LazyFrame) -> None:
    rows = fitted(shop)
    oracle = Oracle(shop.collect(), day(THROUGH))
    names = {"bg_nbd": ("r", "alpha", "a", "b"), "gamma_gamma": ("p", "q", "v")}
    parameters = {name: rows[model][name] for model in names for name in names[model]}
    found = oracle.log_likelihoods(parameters, rows["bg_nbd"]["cutoff_date"])
    for model, height in found.items():
        assert rows[model]["converged"]
        assert rows[model]["log_likelihood"] == pytest.approx(height, abs=1e-4)
    # No step aside in any parameter is more likely.
    for name in parameters:
        for step in (0.99, 1.01):
            aside = oracle.log_likelihoods(
                {**parameters, name: parameters[name] * step}, rows["bg_nbd"]["cutoff_date"]
            )
            assert all(aside[model] <= found[model] + 1e-9 for model in found)


def test_what_was_held_out_is_foretold(shop: pl.LazyFrame) -> None:
    rows = fitted(shop)
    buying, spending = rows["bg_nbd"], rows["gamma_gamma"]
    cutoff = buying["cutoff_date"]
    # Days with a purchase after the cut-off, of those who had bought before it.
    day_of = pl.col("event_date")
    known = shop.filter(day_of <= cutoff).select("customer_id").unique()
    later = shop.filter(day_of > cutoff).join(known, on="customer_id", how="semi")
    actual = later.select("customer_id", "event_date").unique().collect().height
    assert buying["holdout_measure"] == "repeat_days"
    assert buying["holdout_actual"] == actual
    error = (buying["holdout_predicted"] - actual) / actual
    assert buying["error_rate"] == pytest.approx(error, abs=1e-6)
    assert abs(error) < 0.35
    assert spending["holdout_measure"] == "mean_amount"
    assert abs(spending["error_rate"]) < 0.35


def test_rows_in_another_order_give_the_same_digits(shop: pl.LazyFrame) -> None:
    shuffled = shop.collect().sample(fraction=1.0, shuffle=True, seed=7).lazy()
    assert fitted(shuffled) == fitted(shop)


def test_more_rows_than_one_batch_change_nothing(shop: pl.LazyFrame) -> None:
    table = clv_models(
        shop,
        empty(CustomerMonths),
        clv_cutoff=None,
        clv_holdout_weeks=13,
        data_through=day(THROUGH),
    )
    assert_same(table.collect(), table.collect(engine="in-memory"))


def contracts(number: int, first: int, last: int, name: str) -> Iterator[dict[str, Any]]:
    for customer in range(number):
        for month in range(first, last + 1):
            yield pays(f"{name}{customer}", f"2024-{month:02}", "10")


def subscribers() -> pl.LazyFrame:
    """100 begin in January; 40 are lost at the first renewal, 15 at the second, 5 at the fifth."""
    return months(
        *contracts(40, 1, 1, "a"),
        *contracts(15, 1, 2, "b"),
        *contracts(5, 1, 5, "c"),
        *contracts(40, 1, 12, "d"),
    )


def test_renewals_are_fitted_up_to_the_last_month_that_ended_by_the_cutoff() -> None:
    # Cut-off 15 May: April is the last whole month. Lost at the first renewal 40, at the second 15;
    # 45 passed three. ln L = 40 ln P(1) + 15 ln P(2) + 45 ln S(3).
    row = fitted(paid=subscribers(), cutoff="2024-05-15", through="2024-12-31")["sbg"]
    assert (row["customers"], row["telling_customers"], row["converged"]) == (100, 55, True)
    alpha, beta = row["alpha"], row["beta"]
    first = alpha / (alpha + beta)
    second = first * beta / (alpha + beta + 1)
    stay = 1 - first - second
    third = stay * (beta + 2) / (alpha + beta + 2)
    height = 40 * np.log(first) + 15 * np.log(second) + 45 * np.log(third)
    assert row["log_likelihood"] == pytest.approx(height, abs=1e-6)
    # Of the 45, all but the five lost in June still pay in December.
    assert (row["holdout_measure"], row["holdout_actual"]) == ("paying_customers", 40.0)
    passed = [(beta + t - 1) / (alpha + beta + t - 1) for t in range(4, 12)]
    assert row["holdout_predicted"] == pytest.approx(45 * np.prod(passed), abs=1e-5)


def test_who_comes_back_is_a_customer_anew() -> None:
    back = [*contracts(30, 1, 2, "e"), *contracts(30, 4, 6, "e")]
    row = fitted(paid=months(*back), cutoff="2024-06-30")["sbg"]
    assert (row["customers"], row["telling_customers"]) == (60, 30)


def test_contracts_that_nobody_leaves_have_too_few_losses() -> None:
    row = fitted(paid=months(*contracts(500, 1, 6, "f")), cutoff="2024-06-30")["sbg"]
    assert (row["customers"], row["telling_customers"], row["alpha"]) == (500, 0, None)


def test_the_last_whole_month_of_a_day() -> None:
    assert last_whole_month(day("2024-01-30")) == day("2023-12-01")
    assert last_whole_month(day("2024-01-31")) == day("2024-01-01")
    assert last_whole_month(day("2024-12-31")) == day("2024-12-01")
    assert last_whole_month(day("2024-02-28")) == day("2024-01-01")
