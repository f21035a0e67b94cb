"""Customers won and lost by month."""

from typing import Any

import polars as pl
import pytest
from frames import assert_rows, collected, day, frame
from revenue_rows import paying

from schemas.churn_monthly import ChurnMonthly
from schemas.customer_months import CustomerMonths
from transforms.churn_monthly import churn_monthly


def churn(
    *rows: Any, through: str = "2024-02-29", dimensions: tuple[str, ...] = ()
) -> pl.LazyFrame:
    months = frame(CustomerMonths, rows)
    return churn_monthly(months, dimensions=dimensions, data_through=day(through))


def test_ten_of_a_hundred_lost_is_a_churn_of_0_1() -> None:
    rows = [paying(f"c{number}", "2024-02", "10", "10") for number in range(90)]
    rows += [paying(f"lost{number}", "2024-02", "10", "0") for number in range(10)]
    # 1 - 0.9^12 = 0.717570...
    assert_rows(
        churn(*rows),
        ChurnMonthly,
        [
            {"month": day("2024-02-01"), "dimension": "all", "segment": "all"}
            | {"customers_start": 100, "new_customers": 0, "reactivated_customers": 0}
            | {"lost_customers": 10, "customers_end": 90, "retained_customers": 90}
            | {"churn_rate": 0.1, "retention_rate": 0.9, "is_complete": True}
        ],
    )
    annual = collected(churn(*rows), ChurnMonthly)["annualised_churn_rate"].item()
    assert annual == pytest.approx(0.717570463519, abs=1e-12)


def test_a_hundred_at_the_start_ten_new_and_ninety_at_the_end_is_a_retention_of_0_8() -> None:
    rows = [paying(f"c{number}", "2024-02", "10", "10") for number in range(80)]
    rows += [paying(f"lost{number}", "2024-02", "10", "0") for number in range(20)]
    rows += [paying(f"new{n}", "2024-02", "0", "10", movement="new") for n in range(10)]
    row = {"customers_start": 100, "new_customers": 10, "customers_end": 90, "lost_customers": 20}
    # (90 - 10) / 100
    assert_rows(churn(*rows), ChurnMonthly, [{**row, "retention_rate": 0.8, "churn_rate": 0.2}])


def test_who_comes_back_is_neither_new_nor_retained() -> None:
    rows = [paying("ann", "2024-02", "0", "10"), paying("bob", "2024-02", "10", "10")]
    row = {"customers_start": 1, "reactivated_customers": 1, "new_customers": 0}
    assert_rows(churn(*rows), ChurnMonthly, [{**row, "customers_end": 2, "retained_customers": 1}])


def test_a_month_without_customers_has_its_row_and_no_rates() -> None:
    rows = [
        paying("ann", "2023-12", "0", "10", movement="new"),
        paying("ann", "2024-01", "10", "0"),
    ]
    nothing = {"customers_start": 0, "customers_end": 0, "churn_rate": None}
    row = {"retention_rate": None, "annualised_churn_rate": None}
    assert_rows(
        churn(*rows).filter(pl.col("month") == day("2024-02-01")),
        ChurnMonthly,
        [{**nothing, **row, "is_complete": True}],
    )


def test_an_unfinished_month_is_marked_and_not_extrapolated() -> None:
    rows = [paying("ann", "2024-02", "10", "0"), paying("bob", "2024-02", "10", "10")]
    row = {"churn_rate": 0.5, "annualised_churn_rate": None, "is_complete": False}
    assert_rows(churn(*rows, through="2024-02-28"), ChurnMonthly, [row])


def test_a_customer_counts_in_the_segment_of_the_opening_else_of_the_closing() -> None:
    rows = [
        paying("ann", "2024-02", "10", "30", plan="team"),  # pro at the opening
        paying("bob", "2024-02", "0", "30", plan="team", movement="new"),
        paying("eve", "2024-02", "10", "0"),
    ]
    plans = churn(*rows, dimensions=("platform", "plan")).filter(dimension="plan")
    counts = ["customers_start", "new_customers", "lost_customers", "customers_end"]
    expected = {"pro": (2, 0, 1, 1), "team": (0, 1, 0, 1)}
    assert_rows(
        plans,
        ChurnMonthly,
        [
            {"segment": plan, **dict(zip(counts, numbers, strict=True))}
            for plan, numbers in expected.items()
        ],
    )


def test_a_segment_has_rows_from_its_own_first_month_on() -> None:
    rows = [
        paying("ann", "2023-12", "0", "10", movement="new", country="DE"),
        paying("bob", "2024-01", "0", "10", movement="new", country="AT"),
    ]
    table = collected(churn(*rows, dimensions=("country",)), ChurnMonthly)
    months = table.group_by("segment").len().sort("segment").rows()
    assert months == [("AT", 2), ("DE", 3), ("all", 3)]


def test_no_customers_give_no_rows() -> None:
    assert collected(churn(dimensions=("plan",)), ChurnMonthly).is_empty()
