"""What is left of the customers and the MRR that each month won."""

from decimal import Decimal
from typing import Any

import polars as pl
from frames import assert_rows, collected, day, frame
from revenue_rows import paying

from schemas.customer_months import CustomerMonths
from schemas.revenue_cohorts import RevenueCohorts
from transforms.revenue_cohorts import revenue_cohorts


def cohorts(*rows: Any, through: str = "2024-03-31") -> pl.LazyFrame:
    return revenue_cohorts(frame(CustomerMonths, rows), data_through=day(through))


def test_a_cohort_is_followed_from_its_first_paying_month() -> None:
    # January wins ann and bob at 10 each; bob leaves in February, ann pays 25 from March on.
    rows = [
        paying("ann", "2024-01", "0", "10", movement="new"),
        paying("bob", "2024-01", "0", "10", movement="new"),
        paying("ann", "2024-02", "10", "10"),
        paying("bob", "2024-02", "10", "0"),
        paying("ann", "2024-03", "10", "25"),
    ]
    whole = {"cohort_month": day("2024-01-01"), "cohort_customers": 2}
    whole |= {"cohort_mrr_amount": Decimal(20)}
    expected = [(0, 2, 1.0, "20", 1.0), (1, 1, 0.5, "10", 0.5), (2, 1, 0.5, "25", 1.25)]
    assert_rows(
        cohorts(*rows),
        RevenueCohorts,
        [
            {**whole, "period_index": index, "customers": customers}
            | {"customer_retention_rate": rate, "mrr_amount": Decimal(amount)}
            | {"mrr_retention_rate": mrr_rate, "is_complete": True}
            for index, customers, rate, amount, mrr_rate in expected
        ],
    )


def test_who_comes_back_counts_again_in_their_first_cohort() -> None:
    rows = [
        paying("ann", "2024-01", "0", "10", movement="new"),
        paying("ann", "2024-02", "10", "0"),
        paying("ann", "2024-03", "0", "10"),
    ]
    table = collected(cohorts(*rows), RevenueCohorts)
    assert table.select("period_index", "customers").rows() == [(0, 1), (1, 0), (2, 1)]


def test_every_cohort_runs_to_the_month_of_the_horizon() -> None:
    rows = [
        paying("ann", "2023-12", "0", "10", movement="new"),
        paying("ann", "2024-01", "10", "0"),
        paying("bob", "2024-03", "0", "10", movement="new"),
    ]
    table = collected(cohorts(*rows, through="2024-03-30"), RevenueCohorts)
    assert table.select("cohort_month", "period_index", "is_complete").rows() == [
        (day("2023-12-01"), 0, True),
        (day("2023-12-01"), 1, True),
        (day("2023-12-01"), 2, True),
        (day("2023-12-01"), 3, False),
        (day("2024-03-01"), 0, False),
    ]


def test_no_customers_give_no_rows() -> None:
    assert collected(cohorts(), RevenueCohorts).is_empty()
