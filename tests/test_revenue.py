"""From landed subscriptions and orders to revenue and churn, against SQL, and the tables' laws."""

import random
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
from frames import assert_same, at, collected, day, frame
from homes import LONG
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle.compare import assert_equal_tables
from oracle.revenue import inactivity_oracle, revenue_oracle
from revenue_rows import NO_RATES, known

from schemas.base import Table, empty
from schemas.churn_by_inactivity_monthly import ChurnByInactivityMonthly
from schemas.churn_monthly import ChurnMonthly
from schemas.customer_months import CustomerMonths
from schemas.customers import Customers
from schemas.exchange_rates import ExchangeRates
from schemas.landed_subscriptions import LandedSubscriptions
from schemas.mrr_movements_monthly import MrrMovementsMonthly
from schemas.orders import Orders
from schemas.plan_months import PlanMonths
from schemas.revenue_cohorts import RevenueCohorts
from schemas.staff import Staff
from schemas.subscriptions import Subscriptions
from transforms.churn_by_inactivity_monthly import churn_by_inactivity_monthly
from transforms.churn_monthly import churn_monthly
from transforms.customer_months import customer_months
from transforms.mrr_movements_monthly import mrr_movements_monthly
from transforms.plan_months import plan_months
from transforms.revenue_cohorts import revenue_cohorts
from transforms.subscriptions import subscriptions

MODELS: dict[str, type[Table]] = {
    "subscriptions": Subscriptions,
    "customer_months": CustomerMonths,
    "plan_months": PlanMonths,
    "churn_monthly": ChurnMonthly,
    "mrr_movements_monthly": MrrMovementsMonthly,
    "revenue_cohorts": RevenueCohorts,
}
# Month ends, a leap day, the turn of a year, and a change of the clocks in Berlin.
DAYS = [
    *(day(f"2023-{text}") for text in ("12-30", "12-31")),
    *(day(f"2024-{text}") for text in ("01-01", "01-15", "01-30", "01-31", "02-01", "02-28")),
    *(day(f"2024-{text}") for text in ("02-29", "03-01", "03-30", "03-31", "04-01", "04-30")),
    day("2024-05-01"),
]
CLOCK = ["00:00", "22:00", "22:30", "23:00", "23:59:59.999999", "12:00"]
ZONES = ["UTC", "Europe/Berlin", "America/New_York"]
UNTIL = day("2024-05-31")
CUSTOMERS = [
    known("c", "p", country="DE", segment="small"),
    known("d", "p", country="AT"),
    known("e", country=None, segment="large"),
    {**known("f", "x", country="FR"), "fate": "duplicate"},
]
RATES = [
    {"day": day(text), "currency": "USD", "rate": Decimal(rate), "fate": "counts", "line": number}
    for number, (text, rate) in enumerate([("2023-12-30", "1.1"), ("2024-02-25", "1.07")])
]

instants = st.builds(
    lambda when, clock: at(f"{when} {clock}"), st.sampled_from(DAYS), st.sampled_from(CLOCK)
)
maybe = st.one_of(st.none(), st.none(), instants)


@st.composite
def landed_rows(draw: st.DrawFn, zone: str) -> pl.DataFrame:
    """Few subscriptions with several starts and versions, among them equal and contrary ones."""
    rows: list[dict[str, Any]] = []
    for line in range(1, draw(st.integers(0, 14)) + 1):
        if rows and draw(st.booleans()):
            # A version of what is there, with some of it changed.
            row = dict(draw(st.sampled_from(rows)))
            changed = draw(st.sets(st.sampled_from(list(_VALUES)), max_size=3))
        else:
            row = {"started_ts": draw(instants), "subscription_id": draw(st.sampled_from("st"))}
            changed = set(_VALUES)
        row.update({name: draw(_VALUES[name]) for name in sorted(changed)})
        row.update(landing_date=draw(st.sampled_from(DAYS)), file=draw(st.sampled_from("fg")))
        rows.append({**row, "line": line})
    table = frame(LandedSubscriptions, rows)
    local = pl.col("started_ts").dt.convert_time_zone(zone).dt.date()
    return table.with_columns(event_date=local).collect()


_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "customer_id": st.sampled_from("cdef"),
    "plan": st.sampled_from(["a", "b", "none"]),
    "amount": st.sampled_from([Decimal(text) for text in ("0", "10", "0.0006", "33.33")]),
    "currency": st.sampled_from(["EUR", "EUR", "USD", "GBP"]),
    "interval": st.sampled_from(["day", "week", "month", "year"]),
    "interval_count": st.integers(1, 3),
    "quantity": st.integers(0, 3),
    "status": st.sampled_from(["active", "active", "trialing", "past_due", "paused", "canceled"]),
    "ended_ts": maybe,
    "trial_end_ts": maybe,
    "cancel_at_ts": maybe,
    "updated_ts": maybe,
}
homes = st.fixed_dictionaries(
    {
        "timezone": st.sampled_from(ZONES),
        "dimensions": st.sampled_from([[], ["plan"], ["plan", "country", "segment"]]),
        "data_through": st.sampled_from([*DAYS[2:], day("2024-05-31")]),
    }
)


def build(landed: pl.DataFrame, home: dict[str, Any]) -> dict[str, pl.DataFrame]:
    through, dimensions = home["data_through"], home["dimensions"]
    given_customers = frame(Customers, CUSTOMERS)
    fact = subscriptions(
        landed.lazy(),
        frame(ExchangeRates, RATES, landing_date=DAYS[0], file="rates"),
        empty(Staff),
        currency="EUR",
        timezone=home["timezone"],
        ecb_rates=NO_RATES,
    ).collect()
    months = customer_months(fact.lazy(), given_customers, data_through=through).collect()
    monthly = {"dimensions": dimensions, "data_through": through}
    tables = {
        "subscriptions": fact.lazy(),
        "customer_months": months.lazy(),
        "plan_months": plan_months(fact.lazy(), given_customers, data_through=through),
        "churn_monthly": churn_monthly(months.lazy(), **monthly),
        "mrr_movements_monthly": mrr_movements_monthly(months.lazy(), **monthly),
        "revenue_cohorts": revenue_cohorts(months.lazy(), data_through=through),
    }
    return {name: collected(rows, MODELS[name]) for name, rows in tables.items()}


def in_sql(landed: pl.DataFrame, home: dict[str, Any]) -> dict[str, pl.DataFrame]:
    columns = ["customer_id", "user_id", "country", "segment"]
    counting = frame(Customers, CUSTOMERS).filter(fate="counts").select(columns).collect()
    rates = frame(ExchangeRates, RATES).select("day", "currency", "rate").collect()
    return revenue_oracle(landed, counting, rates, until=UNTIL, **home)


def landed_home() -> st.SearchStrategy[tuple[pl.DataFrame, dict[str, Any]]]:
    return homes.flatmap(lambda home: st.tuples(landed_rows(home["timezone"]), st.just(home)))


@settings(max_examples=400 if LONG else 6, deadline=None)
@given(landed_home())
def test_every_cell_equals_the_sql_computation(case: tuple[pl.DataFrame, dict[str, Any]]) -> None:
    landed, home = case
    tables, expected = build(landed, home), in_sql(landed, home)
    for name in ("customer_months", "churn_monthly", "mrr_movements_monthly", "revenue_cohorts"):
        assert_equal_tables(name, tables[name], expected[name])
    assert_equal_tables("plan_months", tables["plan_months"], expected["plan_months"])
    fact = tables["subscriptions"]
    assert_equal_tables(
        "fates", fact.select("landing_date", "file", "line", "fate"), expected["fates"]
    )
    last = pl.min_horizontal(pl.col("mrr_until_date").dt.offset_by("-1d"), pl.lit(UNTIL))
    days = (
        fact.filter(pl.col("mrr_amount") > 0, pl.col("mrr_from_date").is_not_null())
        .with_columns(day=pl.date_ranges("mrr_from_date", last))
        .explode("day")
        .drop_nulls("day")
        .select("day", "subscription_id", "started_ts", mrr="mrr_amount")
    )
    starts = pl.col("started_ts").dt.replace_time_zone("UTC")
    assert_equal_tables("days", days, expected["bearing_days"].with_columns(starts))


@settings(max_examples=100 if LONG else 3, deadline=None)
@given(landed_home(), st.randoms(use_true_random=False))
def test_neither_the_order_of_rows_nor_a_second_export_matters(
    case: tuple[pl.DataFrame, dict[str, Any]], chance: random.Random
) -> None:
    landed, home = case
    once = build(landed, home)
    shuffled = landed.sample(fraction=1, shuffle=True, seed=chance.randrange(2**32))
    for name, rows in build(shuffled, home).items():
        assert_same(rows, once[name])
    for _, group in landed.group_by("subscription_id", "started_ts"):
        if group.height != 1:
            return
    # The same row every day for a week: the metrics are those of one export.
    again = [
        landed.with_columns(pl.col("landing_date") + timedelta(days=number))
        for number in range(1, 8)
    ]
    daily = build(pl.concat([landed, *again]), home)
    for name in MODELS:
        if name != "subscriptions":
            assert_same(daily[name], once[name])


@settings(max_examples=100 if LONG else 3, deadline=None)
@given(landed_home(), st.integers(1, 90))
def test_a_complete_month_is_not_changed_by_a_later_horizon(
    case: tuple[pl.DataFrame, dict[str, Any]], later: int
) -> None:
    landed, home = case
    then = build(landed, home)
    now = build(landed, {**home, "data_through": home["data_through"] + timedelta(days=later)})
    for name in ("customer_months", "churn_monthly", "mrr_movements_monthly", "revenue_cohorts"):
        key = list(then[name].columns)
        complete = then[name].filter("is_complete")
        assert_same(complete.join(now[name], on=key, nulls_equal=True, how="semi"), complete)
    # Movements tell of every cent between two closings, and of every customer.
    months = then["mrr_movements_monthly"].filter(dimension="all")
    chained = pl.col("closing_mrr_amount").shift(1, fill_value=Decimal("0.0000"))
    assert months.filter(pl.col("opening_mrr_amount") != chained).is_empty()
    churned = then["churn_monthly"].filter(dimension="all")
    before = pl.col("customers_end").shift(1, fill_value=0)
    assert churned.filter(pl.col("customers_start") != before).is_empty()


order_rows = st.lists(
    st.tuples(
        st.sampled_from(DAYS),
        st.sampled_from("uvw"),
        st.sampled_from(["purchase", "purchase", "refund"]),
        st.sampled_from(["counts", "counts", "duplicate", "awaiting_rate"]),
    ),
    max_size=12,
)


@settings(max_examples=200 if LONG else 10, deadline=None)
@given(order_rows, st.sampled_from([1, 7, 30, 90, 400]), st.sampled_from(DAYS))
def test_churn_by_inactivity_equals_the_sql_computation(
    some: list[tuple[date, str, str, str]], days: int, through: date
) -> None:
    orders = frame(
        Orders,
        (
            {"event_date": when, "customer_id": who, "kind": kind, "fate": fate}
            for when, who, kind, fate in some
        ),
    )
    found = churn_by_inactivity_monthly(orders, churn_inactivity_days=days, data_through=through)
    table = collected(found, ChurnByInactivityMonthly)
    expected = inactivity_oracle(orders.collect(), days=days, data_through=through)
    assert_equal_tables("churn_by_inactivity_monthly", table, expected)


def test_nothing_in_gives_nothing_out() -> None:
    home = {"timezone": "UTC", "dimensions": ["plan"], "data_through": DAYS[5]}
    for rows in build(frame(LandedSubscriptions).collect(), home).values():
        assert rows.is_empty()
