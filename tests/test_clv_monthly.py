from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
from frames import assert_rows, collected, day, frame
from homes import LONG
from hypothesis import given, settings
from hypothesis import strategies as st
from lifetime_rows import buy, months, orders, pays
from oracle.lifetime_value import Oracle

from schemas.base import empty
from schemas.campaign_costs import CampaignCosts
from schemas.churn_monthly import ChurnMonthly
from schemas.clv_monthly import ClvMonthly
from schemas.customer_lifetime_value import CustomerLifetimeValue
from schemas.customer_months import CustomerMonths
from schemas.customers import Customers
from schemas.orders import Orders
from transforms.clv_monthly import clv_monthly

ALL = {"dimension": "all", "segment": "all"}


def by_month(
    bought: pl.LazyFrame | None = None,
    *,
    paid: pl.LazyFrame | None = None,
    churn: list[dict[str, Any]] | None = None,
    costs: list[dict[str, Any]] | None = None,
    customers: list[dict[str, Any]] | None = None,
    worth: list[dict[str, Any]] | None = None,
    dimensions: list[str] | None = None,
    days: int = 90,
    years: float | None = None,
    through: str,
) -> pl.LazyFrame:
    return clv_monthly(
        empty(Orders) if bought is None else bought,
        empty(CustomerMonths) if paid is None else paid,
        frame(ChurnMonthly, churn or [], **ALL, is_complete=True),
        _with_cost(costs or []),
        frame(Customers, customers or [], fate="counts"),
        frame(CustomerLifetimeValue, worth or []),
        dimensions=dimensions or [],
        churn_inactivity_days=days,
        simple_clv_lifetime_years=years,
        data_through=day(through),
    )


def _with_cost(costs: list[dict[str, Any]]) -> pl.LazyFrame:
    return frame(CampaignCosts, costs, fate="counts", campaign="spring", channel="email")


def cost(date: str, amount: int, **columns: Any) -> dict[str, Any]:
    return {"event_date": day(date), "cost_amount": Decimal(amount), **columns}


def worth(customer: str, so_far: int, ahead: int | None, model: str = "bg_nbd") -> dict[str, Any]:
    return {
        "customer_id": customer,
        "model": model,
        "revenue_amount": Decimal(so_far),
        "expected_value_amount": None if ahead is None else Decimal(ahead),
    }


def test_twenty_a_month_for_three_years_is_720() -> None:
    table = by_month(
        orders(*(buy("u", f"2024-{month:02}-05", "20") for month in range(1, 13))),
        years=3.0,
        through="2024-12-31",
    )
    assert_rows(
        table,
        ClvMonthly,
        [
            {
                "month": date(2024, month, 1),
                "model": "bg_nbd",
                **ALL,
                "orders": 1,
                "revenue_amount": Decimal(20),
                "customers": 1,
                "mean_order_amount": Decimal(20),
                "orders_per_customer_year": 12.0,
                "mean_lifetime_years": 3.0,
                "simple_clv_amount": Decimal(720),
                "new_customers": 1 if month == 1 else 0,
                "is_complete": True,
            }
            for month in range(1, 13)
        ],
    )


def test_who_bought_in_the_ninety_days_up_to_the_edge_is_a_customer() -> None:
    # 1 January and 90 days: 30 March is the last of them. Bought on 2 January, 31 March sees it.
    table = by_month(orders(buy("u", "2024-01-01"), buy("v", "2024-01-02")), through="2024-04-30")
    assert collected(table, ClvMonthly).select("orders", "customers").rows() == [
        (2, 2),
        (0, 2),
        (0, 1),
        (0, 0),
    ]


def test_the_running_month_shows_what_there_is_on_the_day() -> None:
    table = by_month(orders(buy("u", "2024-01-10"), buy("v", "2024-01-20")), through="2024-01-15")
    assert_rows(
        table,
        ClvMonthly,
        [{"month": day("2024-01-01"), "orders": 1, "customers": 1, "is_complete": False}],
    )


def test_an_order_counts_in_the_month_of_its_first_line_and_money_in_its_own() -> None:
    table = by_month(
        orders(
            buy("u", "2024-01-31", "10", order_id="o", line_id="1"),
            buy("u", "2024-02-01", "5", order_id="o", line_id="2"),
            buy("u", "2024-02-03", "-4", order_id="o", kind="refund"),
        ),
        through="2024-02-29",
    )
    names = ("orders", "revenue_amount", "mean_order_amount", "orders_per_customer_year")
    assert collected(table, ClvMonthly).select(names).rows() == [
        (1, Decimal(10), Decimal(10), 12.0),
        (0, Decimal(1), None, 0.0),
    ]


def test_a_new_customer_costs_what_was_spent_over_all_who_are_new() -> None:
    # January: 300 for 4 new customers = 75; their worth: 60 + 240, 0 + 0 and twice 30 + 120.
    # 600 / 4 = 150, twice the cost. February: nobody is new.
    bought = orders(*(buy(name, "2024-01-05") for name in "uvwx"), buy("u", "2024-02-05"))
    table = by_month(
        bought,
        costs=[cost("2024-01-01", 100), cost("2024-01-31", 200), cost("2024-02-03", 50)],
        worth=[worth("u", 60, 240), worth("v", 0, 0), worth("w", 30, 120), worth("x", 30, 120)],
        through="2024-02-29",
    )
    names = [
        "new_customers",
        "predicted_customers",
        "predicted_total_amount",
        "predicted_clv_amount",
        "cost_amount",
        "acquisition_cost_amount",
        "clv_to_cac_ratio",
    ]
    assert collected(table, ClvMonthly).select(names).rows() == [
        (4, 4, Decimal(600), Decimal(150), Decimal(300), Decimal(75), 2.0),
        (0, 0, Decimal(0), None, Decimal(50), None, None),
    ]


def test_without_a_prediction_the_simple_value_stands_against_the_cost() -> None:
    # 20 x 12 x 3 = 720 against 240
    table = by_month(
        orders(buy("u", "2024-01-05", "20")),
        costs=[cost("2024-01-02", 240)],
        worth=[worth("u", 20, None)],
        years=3.0,
        through="2024-01-31",
    )
    names = ("predicted_customers", "predicted_clv_amount", "clv_basis", "clv_to_cac_ratio")
    assert collected(table, ClvMonthly).select(names).rows() == [(0, None, "simple", 3.0)]


def test_without_a_cost_there_is_no_ratio() -> None:
    table = by_month(
        orders(buy("u", "2024-01-05")),
        costs=[cost("2024-02-01", 5), cost("2024-01-05", 5, fate="duplicate")],
        worth=[worth("u", 1, 1)],
        through="2024-01-31",
    )
    names = ("cost_amount", "acquisition_cost_amount", "clv_to_cac_ratio")
    assert collected(table, ClvMonthly).select(names).rows() == [(None, None, None)]


def test_a_channel_has_its_own_cost_and_those_whose_first_order_it_brought() -> None:
    table = by_month(
        orders(
            buy("u", "2024-01-05", channel="email"),
            buy("u", "2024-01-06", channel="search"),
            buy("v", "2024-01-07"),
        ),
        costs=[cost("2024-01-01", 10), cost("2024-01-01", 90, channel="search")],
        dimensions=["channel", "platform"],
        through="2024-01-31",
    )
    names = ["dimension", "segment", "orders", "customers", "new_customers", "cost_amount"]
    assert collected(table, ClvMonthly).select(names).rows() == [
        ("all", "all", 3, 2, 2, Decimal(100)),
        ("channel", "email", 1, 1, 1, Decimal(10)),
        ("channel", "search", 1, 1, 0, Decimal(90)),
        ("channel", "unknown", 1, 1, 1, None),
    ]


def test_a_campaign_has_its_own_cost_too() -> None:
    # spring: 30 for one new customer; summer: 90 for nobody new.
    table = by_month(
        orders(
            buy("u", "2024-01-05", campaign="spring"), buy("u", "2024-01-06", campaign="summer")
        ),
        costs=[
            cost("2024-01-01", 10),
            cost("2024-01-02", 20, channel="search"),
            cost("2024-01-02", 90, campaign="summer"),
        ],
        dimensions=["campaign"],
        through="2024-01-31",
    )
    names = ["segment", "new_customers", "cost_amount", "acquisition_cost_amount"]
    assert collected(table, ClvMonthly).select(names).rows() == [
        ("all", 1, Decimal(120), Decimal(120)),
        ("spring", 1, Decimal(30), Decimal(30)),
        ("summer", 0, Decimal(90), None),
    ]


def test_what_customers_are_breaks_orders_down_where_it_is_known_of_any() -> None:
    bought = orders(buy("u", "2024-01-05"), buy("v", "2024-01-07"))
    known = [{"customer_id": "u", "country": "DE"}, {"customer_id": "w", "country": "FR"}]
    one = by_month(bought, customers=known, dimensions=["country", "plan"], through="2024-01-31")
    assert collected(one, ClvMonthly)["segment"].to_list() == ["all", "DE", "unknown"]
    none = by_month(bought, dimensions=["country"], through="2024-01-31")
    assert collected(none, ClvMonthly)["segment"].to_list() == ["all"]


def churn(month: str, rate: float | None, **columns: Any) -> dict[str, Any]:
    return {"month": day(f"{month}-01"), "churn_rate": rate, **columns}


def test_a_billed_month_is_an_order_and_churn_gives_the_lifetime() -> None:
    # Two customers at 20 and 40: 30 x 12 a year. Churn 1/16 and 3/16, mean 1/8: 1 / 1.5 years.
    # 30 x 12 / 1.5 = 240
    table = by_month(
        paid=months(
            pays("u", "2024-01", "20", movement="new"),
            pays("u", "2024-02", "20"),
            pays("v", "2024-02", "40", movement="new"),
        ),
        churn=[churn("2024-01", 0.0625), churn("2024-02", 0.1875)],
        years=3.0,
        through="2024-02-29",
    )
    assert_rows(
        table.filter(pl.col("month") == day("2024-02-01")),
        ClvMonthly,
        [
            {
                "month": day("2024-02-01"),
                "model": "sbg",
                "orders": 2,
                "revenue_amount": Decimal(60),
                "customers": 2,
                "mean_order_amount": Decimal(30),
                "orders_per_customer_year": 12.0,
                "mean_churn_rate": 0.125,
                "mean_lifetime_years": 1 / 1.5,
                "simple_clv_amount": Decimal(240),
                "new_customers": 1,
                "is_complete": True,
            }
        ],
    )


def test_only_the_last_twelve_complete_months_tell_of_churn() -> None:
    # A year of 0.1 follows a month of 0.9; the running month and one without a rate tell nothing.
    year = [churn(f"2023-{month:02}", 0.1) for month in range(1, 12)]
    table = by_month(
        paid=months(
            pays("u", "2023-11", "20"), pays("u", "2023-12", "20"), pays("u", "2024-01", "20")
        ),
        churn=[
            churn("2022-11", 0.9),
            *year,
            churn("2023-12", None),
            churn("2024-01", 0.7, is_complete=False),
        ],
        through="2024-01-10",
    )
    rates = collected(table, ClvMonthly)["mean_churn_rate"].to_list()
    assert [round(rate, 12) for rate in rates] == [0.1, 0.1, 0.1]


def test_nobody_lost_is_no_lifetime() -> None:
    table = by_month(
        paid=months(pays("u", "2024-01", "20")), churn=[churn("2024-01", 0.0)], through="2024-01-31"
    )
    names = ("mean_churn_rate", "mean_lifetime_years", "simple_clv_amount", "clv_basis")
    assert collected(table, ClvMonthly).select(names).rows() == [(0.0, None, None, None)]


def test_subscriptions_are_broken_down_by_plan_as_at_the_month_s_end() -> None:
    table = by_month(
        paid=months(
            pays("u", "2024-01", "20", plan="basic"),
            pays("u", "2024-02", "40", plan="pro", opening_plan="basic"),
        ),
        dimensions=["plan", "channel"],
        through="2024-02-29",
    )
    names = ("month", "segment", "orders", "revenue_amount")
    found = collected(table, ClvMonthly).filter(dimension="plan").select(names)
    assert found.rows() == [
        (day("2024-01-01"), "basic", 1, Decimal(20)),
        (day("2024-02-01"), "basic", 0, Decimal(0)),
        (day("2024-02-01"), "pro", 1, Decimal(40)),
    ]


def test_no_data_is_no_row() -> None:
    assert collected(by_month(through="2024-01-31"), ClvMonthly).is_empty()


FIRST = date(2024, 1, 20)
purchase = st.builds(
    lambda customer, offset, cents, kind, channel, order: buy(
        customer,
        (FIRST + timedelta(days=offset)).isoformat(),
        f"{-cents / 100 if kind == 'refund' else cents / 100:.2f}",
        kind=kind,
        channel=channel,
        order_id=f"{customer}{order}",
    ),
    st.sampled_from("uvw"),
    st.integers(0, 120),
    st.integers(0, 5000),
    st.sampled_from(["purchase", "purchase", "refund"]),
    st.sampled_from(["email", "search", None]),
    st.integers(0, 15),
)
spent = st.builds(
    lambda offset, amount, channel: cost(
        (FIRST + timedelta(days=offset)).isoformat(), amount, channel=channel
    ),
    st.integers(0, 120),
    st.integers(0, 500),
    st.sampled_from(["email", "search"]),
)


@settings(max_examples=200 if LONG else 12)
@given(st.lists(purchase, min_size=1, max_size=16), st.lists(spent, max_size=5), st.integers(1, 95))
def test_sql_finds_the_same(
    bought: list[dict[str, Any]], costs: list[dict[str, Any]], days: int
) -> None:
    frames = orders(*bought)
    values = [worth("u", 10, 20), worth("v", 5, 7), worth("w", 0, None)]
    through = "2024-04-20"
    table = by_month(
        frames, costs=costs, worth=values, dimensions=["channel"], days=days, through=through
    )
    found = collected(table, ClvMonthly)
    expected = Oracle(frames.collect(), day(through)).monthly(
        _with_cost(costs).collect(), frame(CustomerLifetimeValue, values).collect(), days=days
    )
    key = ["month", "dimension", "segment"]
    names = ["revenue_amount", "customers", "orders", "orders_per_customer_year", "new_customers"]
    exact = [*key, *names, "cost_amount", "is_complete"]
    typed = expected.cast({name: found.schema[name] for name in exact}).sort(key)
    assert found.sort(key).select(exact).rows() == typed.select(exact).rows()
    predicted = typed["predicted"].fill_null(0).cast(pl.Decimal(18, 4)).to_list()
    assert found.sort(key)["predicted_total_amount"].to_list() == predicted
