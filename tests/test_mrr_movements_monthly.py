"""What moved the monthly recurring revenue."""

from decimal import Decimal
from typing import Any

import polars as pl
from frames import assert_rows, collected, day, frame
from revenue_rows import paying

from schemas.customer_months import CustomerMonths
from schemas.mrr_movements_monthly import MrrMovementsMonthly
from transforms.mrr_movements_monthly import mrr_movements_monthly


def movements(
    *rows: Any, through: str = "2024-02-29", dimensions: tuple[str, ...] = ()
) -> pl.LazyFrame:
    months = frame(CustomerMonths, rows)
    return mrr_movements_monthly(months, dimensions=dimensions, data_through=day(through))


def amounts(**texts: str) -> dict[str, Decimal]:
    return {f"{name}_mrr_amount": Decimal(text) for name, text in texts.items()}


def test_closing_is_opening_and_all_movements() -> None:
    rows = [
        paying("kept", "2024-02", "100", "100"),
        paying("more", "2024-02", "100", "130.0001"),
        paying("less", "2024-02", "100", "60"),
        paying("lost", "2024-02", "100", "0"),
        paying("won", "2024-02", "0", "50", movement="new"),
        paying("back", "2024-02", "0", "20"),
    ]
    # opening 400; + 50 + 20 + 30.0001 - 40 - 100 = 360.0001
    # gross retention (400 - 140) / 400, net (260 + 30.0001) / 400, lost 140 / 400
    assert_rows(
        movements(*rows),
        MrrMovementsMonthly,
        [
            {"month": day("2024-02-01"), "dimension": "all", "segment": "all"}
            | amounts(opening="400", new="50", reactivation="20", expansion="30.0001")
            | amounts(contraction="-40", churn="-100", closing="360.0001")
            | amounts(retained="260", net_retained="290.0001", lost="140")
            | {"gross_revenue_retention_rate": 0.65, "revenue_churn_rate": 0.35}
            | {"net_revenue_retention_rate": 290.0001 / 400, "is_complete": True}
        ],
    )


def test_gross_retention_never_passes_1_and_net_retention_may() -> None:
    row = {"gross_revenue_retention_rate": 1.0, "net_revenue_retention_rate": 2.5}
    table = movements(paying("ann", "2024-02", "10", "25"))
    assert_rows(table, MrrMovementsMonthly, [{**row, "revenue_churn_rate": 0.0}])


def test_without_an_opening_there_are_no_rates() -> None:
    table = movements(paying("ann", "2024-02", "0", "10", movement="new"))
    rates = ("gross_revenue_retention_rate", "net_revenue_retention_rate", "revenue_churn_rate")
    assert_rows(table, MrrMovementsMonthly, [dict.fromkeys(rates)])


def test_months_without_any_mrr_have_rows_with_zeros() -> None:
    table = movements(paying("ann", "2023-12", "10", "0"), through="2024-02-10")
    rows = collected(table, MrrMovementsMonthly).select("opening_mrr_amount", "is_complete").rows()
    assert rows == [(Decimal(10), True), (Decimal(0), True), (Decimal(0), False)]


def test_an_upgrade_is_an_expansion_of_the_plan_at_the_opening() -> None:
    rows = [
        paying("ann", "2024-01", "10", "30", plan="team"),
        paying("ann", "2024-02", "30", "30", opening_plan="team", plan="team"),
    ]
    table = movements(*rows, dimensions=("plan",)).filter(dimension="plan")
    # pro closes January with the 30 that team opens February with: per segment they need not agree
    assert_rows(
        table,
        MrrMovementsMonthly,
        [
            {"month": day("2024-01-01"), "segment": "pro"}
            | amounts(opening="10", expansion="20", closing="30"),
            {"month": day("2024-02-01"), "segment": "pro"}
            | amounts(opening="0", expansion="0", closing="0"),
            {"month": day("2024-02-01"), "segment": "team"}
            | amounts(opening="30", expansion="0", closing="30"),
        ],
    )


def test_sums_of_money_are_exact() -> None:
    # Floats would give 100000000000.1 and lose the last digit.
    rows = [paying(f"c{n}", "2024-02", "0", "0.0001", movement="new") for n in range(1000)]
    rows.append(paying("big", "2024-02", "0", "9999999999999.9", movement="new"))
    closing = amounts(closing="10000000000000.0000")
    assert_rows(movements(*rows), MrrMovementsMonthly, [closing])
