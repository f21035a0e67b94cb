"""Lifetime value under contract against its second computation in SQL."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
from frames import collected, day, frame
from homes import LONG
from hypothesis import given, settings
from hypothesis import strategies as st
from lifetime_rows import models
from oracle.contracts import Contracts

from schemas.base import empty
from schemas.campaign_costs import CampaignCosts
from schemas.clv_models import ClvModels
from schemas.clv_monthly import ClvMonthly
from schemas.customer_lifetime_value import CustomerLifetimeValue
from schemas.customer_months import CustomerMonths
from schemas.customers import Customers
from schemas.orders import Orders
from transforms.churn_monthly import churn_monthly
from transforms.clv_models import clv_models
from transforms.clv_monthly import clv_monthly
from transforms.customer_lifetime_value import customer_lifetime_value

MONTHS = [date(2023 + number // 12, number % 12 + 1, 1) for number in range(18)]
# The last month has not ended; a horizon on its last day is drawn too.
HORIZONS = [date(2024, 6, 12), date(2024, 6, 30)]
SBG = {"alpha": 0.668, "beta": 3.806}
PAID = {
    "customer_id": pl.String,
    "month": pl.Date,
    "mrr_amount": pl.Decimal(18, 4),
    "plan": pl.String,
    "country": pl.String,
}
FORETOLD = {"expected_orders": 1e-6, "expected_value_amount": 1e-4}

bill = st.tuples(st.integers(1, 90_000), st.sampled_from(["pro", "team"]))
customer = st.dictionaries(st.sampled_from(MONTHS), bill, max_size=18)
everybody = st.fixed_dictionaries({"u": customer, "v": customer, "w": customer})


def paid_months(bills: dict[str, dict[date, tuple[int, str]]]) -> pl.DataFrame:
    rows = [
        (name, month, Decimal(cents) / 100, plan, "DE" if name == "u" else "FR")
        for name, of in bills.items()
        for month, (cents, plan) in of.items()
    ]
    return pl.DataFrame(rows, schema=PAID, orient="row")


def customer_months(paid: pl.DataFrame, through: date) -> pl.LazyFrame:
    """States of customers as the table has them, from the months that were paid."""
    rows = []
    for name, of in paid.group_by("customer_id"):
        bills = {row["month"]: row for row in of.iter_rows(named=True)}
        before: dict[str, Any] | None = None
        has_paid = False
        for month in (month for month in MONTHS if month <= through):
            now = bills.get(month)
            if now or before:
                rows.append(_state(str(name[0]), month, before, now, has_paid))
            before, has_paid = now, has_paid or now is not None
    return frame(CustomerMonths, rows, is_complete=True)


def _state(
    name: str, month: date, before: dict[str, Any] | None, now: dict[str, Any] | None, known: bool
) -> dict[str, Any]:
    opening, closing = ((each or {}).get("mrr_amount", Decimal(0)) for each in (before, now))
    movement = "reactivation" if known else "new"
    if before:
        up_or_down = "expansion" if closing > opening else "contraction"
        movement = "none" if closing == opening else up_or_down if now else "churn"
    return {
        "customer_id": name,
        "month": month,
        "opening_mrr_amount": opening,
        "mrr_amount": closing,
        "change_amount": closing - opening,
        "movement": movement,
        "opening_plan": before["plan"] if before else "none",
        "plan": now["plan"] if now else "none",
        "country": (now or before or {})["country"],
        "segment": "unknown",
    }


def worth_of(
    states: pl.LazyFrame, known: pl.LazyFrame, through: date, discount: float = 0.0
) -> pl.DataFrame:
    table = customer_lifetime_value(
        empty(Orders),
        states,
        known,
        clv_horizon_months=6,
        clv_discount_rate=discount,
        data_through=through,
    )
    return collected(table, CustomerLifetimeValue)


@settings(max_examples=200 if LONG else 15)
@given(everybody, st.sampled_from(HORIZONS), st.sampled_from([0.0, 0.1]))
def test_subscribers(
    bills: dict[str, dict[date, tuple[int, str]]], through: date, discount: float
) -> None:
    paid = paid_months(bills)
    found = worth_of(customer_months(paid, through), models(sbg=SBG), through, discount)
    expected = Contracts(paid, through).subscribers(SBG, months=6, discount=discount)
    exact = [name for name in expected.columns if name not in FORETOLD]
    typed = expected.cast({name: found.schema[name] for name in exact}).sort("customer_id")
    assert found.select(exact).rows() == typed.select(exact).rows()
    for name, precision in FORETOLD.items():
        apart = (found[name].cast(pl.Float64) - typed[name].cast(pl.Float64)).abs()
        assert not apart.null_count()
        assert (apart <= precision).all(), name


@settings(max_examples=200 if LONG else 15)
@given(everybody, st.sampled_from(HORIZONS))
def test_months(bills: dict[str, dict[date, tuple[int, str]]], through: date) -> None:
    paid, dimensions = paid_months(bills), ["country", "plan"]
    states = customer_months(paid, through)
    value = worth_of(states, models(sbg=SBG), through)
    table = clv_monthly(
        empty(Orders),
        states,
        churn_monthly(states, dimensions=dimensions, data_through=through),
        empty(CampaignCosts),
        empty(Customers),
        value.lazy(),
        dimensions=dimensions,
        churn_inactivity_days=90,
        simple_clv_lifetime_years=None,
        data_through=through,
    )
    found = collected(table, ClvMonthly)
    each = value.select(
        "customer_id", worth=pl.col("revenue_amount") + pl.col("expected_value_amount")
    )
    expected = Contracts(paid, through).monthly(each)
    key = ["month", "dimension", "segment"]
    floats = ["mean_churn_rate", "mean_lifetime_years"]
    typed = expected.cast({name: found.schema[name] for name in expected.columns}).sort(key)
    exact = [name for name in typed.columns if name not in floats]
    assert found.sort(key).select(exact).rows() == typed.select(exact).rows()
    assert found["orders"].equals(found["customers"])
    for name in floats:
        left, right = found.sort(key)[name], typed[name]
        assert left.is_null().equals(right.is_null()), name
        assert ((left - right).abs().drop_nulls() < 1e-12).all(), name


def made_up_contracts() -> Iterator[tuple[str, dict[date, tuple[int, str]]]]:
    """Of 200 who begin together some leave each month, and a few come back."""
    for number in range(200):
        stays = 1 + number * number % 19
        bills = dict.fromkeys(MONTHS[:stays], (1000, "pro"))
        if number % 7 == 0:
            bills |= dict.fromkeys(MONTHS[stays + 2 : stays + 4], (1000, "pro"))
        yield f"c{number}", bills


def test_the_likelihood_is_the_product_over_all_stretches_and_greatest_at_the_parameters() -> None:
    through = HORIZONS[-1]
    paid = paid_months(dict(made_up_contracts()))
    states = customer_months(paid, through)
    fitted = collected(
        clv_models(
            empty(Orders),
            states,
            clv_cutoff=day("2024-02-15"),
            clv_holdout_weeks=39,
            data_through=through,
        ),
        ClvModels,
    )
    row = fitted.row(by_predicate=pl.col("model") == "sbg", named=True)
    parameters = {name: row[name] for name in SBG}
    oracle = Contracts(paid, through)
    # The last month that had ended on 15 February is January.
    found = oracle.log_likelihood(parameters, day("2024-02-15"))
    assert abs(found - row["log_likelihood"]) < 1e-3
    for name in SBG:
        for factor in (0.97, 1.03):
            aside = {**parameters, name: parameters[name] * factor}
            assert oracle.log_likelihood(aside, day("2024-02-15")) < found
