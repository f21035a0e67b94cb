"""The plan of each person on each day."""

from typing import Any

import polars as pl
from activity_rows import bits
from frames import assert_rows, collected, day
from revenue_rows import customers, fact, known, subscribed

from schemas.plan_months import PlanMonths
from transforms.plan_months import plan_months


def plans(*rows: dict[str, Any], through: str = "2024-02-10", people: Any = ()) -> pl.LazyFrame:
    return plan_months(fact(*rows), customers(*people), data_through=day(through))


def row(month: str, plan: str, *days: int, who: str = "ann", country: str = "unknown") -> Any:
    key = {"month": day(f"{month}-01"), "user_id": who, "plan": plan}
    return {**key, "country": country, "plan_days": bits(*days)}


def test_days_from_the_start_to_the_day_before_the_end_are_those_of_the_plan() -> None:
    table = plans(subscribed("2024-01-30 08:00", ended_ts="2024-02-03 08:00"))
    assert_rows(
        table,
        PlanMonths,
        [
            row("2024-01", "pro", 30, 31),
            row("2024-02", "pro", 1, 2),
            row("2024-02", "none", *range(3, 30)),
        ],
    )


def test_the_month_of_the_horizon_is_whole() -> None:
    table = plans(subscribed("2024-02-05"), through="2024-02-10")
    assert_rows(table, PlanMonths, [row("2024-02", "pro", *range(5, 30))])


def test_of_several_plans_the_one_with_most_mrr_counts_day_by_day() -> None:
    # big bears 20 on the 10th to 19th, small 6 + 6 = 12 on the 15th to 24th, else team 10.
    rows = [
        subscribed("2024-01-01", "10", plan="team"),
        subscribed("2024-01-10", "20", plan="big", subscription_id="s2", ended_ts="2024-01-20"),
        subscribed("2024-01-15", "6", plan="small", subscription_id="s3", ended_ts="2024-01-25"),
        subscribed("2024-01-15", "6", plan="small", subscription_id="s4", ended_ts="2024-01-25"),
    ]
    assert_rows(
        plans(*rows, through="2024-01-31"),
        PlanMonths,
        [
            row("2024-01", "team", *range(1, 10), *range(25, 32)),
            row("2024-01", "big", *range(10, 20)),
            row("2024-01", "small", *range(20, 25)),
        ],
    )


def test_a_tie_goes_to_the_first_plan_by_name() -> None:
    rows = [
        subscribed("2024-02-01", plan="b"),
        subscribed("2024-02-01", plan="a", subscription_id="s2"),
    ]
    assert_rows(plans(*rows), PlanMonths, [row("2024-02", "a", *range(1, 30))])


def test_customers_who_are_one_person_are_one() -> None:
    # ann's and bob's subscriptions are both p's; the country is that of the first id.
    people = [known("ann", "p", country="DE"), known("bob", "p", country="AT")]
    rows = [
        subscribed("2024-02-01", "10", ended_ts="2024-02-06"),
        subscribed("2024-02-01", "5", plan="mini", customer_id="bob", subscription_id="s2"),
    ]
    expected = [
        row("2024-02", "pro", *range(1, 6), who="p", country="DE"),
        row("2024-02", "mini", *range(6, 30), who="p", country="DE"),
    ]
    assert_rows(plans(*rows, people=people), PlanMonths, expected)


def test_whoever_paid_once_has_rows_in_every_month_since() -> None:
    table = plans(subscribed("2023-12-01", ended_ts="2023-12-02"), through="2024-02-10")
    months = collected(table, PlanMonths).select("month", "plan").rows()
    assert months == [
        (day("2023-12-01"), "none"),
        (day("2023-12-01"), "pro"),
        (day("2024-01-01"), "none"),
        (day("2024-02-01"), "none"),
    ]


def test_trials_and_free_plans_are_no_plan() -> None:
    rows = [
        subscribed("2024-02-01", status="trialing"),
        subscribed("2024-02-01", "0", subscription_id="s2"),
    ]
    assert collected(plans(*rows), PlanMonths).is_empty()


def test_a_plan_that_a_source_calls_none_is_still_a_plan() -> None:
    table = plans(subscribed("2024-02-01", plan="none", ended_ts="2024-02-02"))
    expected = [row("2024-02", "(none)", 1), row("2024-02", "none", *range(2, 30))]
    assert_rows(table, PlanMonths, expected)
