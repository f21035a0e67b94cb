"""What customers pay at the ends of months, and how that is called."""

from decimal import Decimal
from typing import Any

from frames import assert_rows, collected, day
from revenue_rows import customers, fact, known, subscribed

from schemas.customer_months import CustomerMonths
from transforms.customer_months import customer_months


def months(
    *rows: dict[str, Any], through: str = "2024-04-30", people: tuple[dict[str, Any], ...] = ()
) -> Any:
    return customer_months(fact(*rows), customers(*people), data_through=day(through))


def story(*rows: dict[str, Any], through: str = "2024-04-30") -> list[tuple[str, str, str]]:
    """Month, movement and MRR of the one customer there is."""
    table = collected(months(*rows, through=through), CustomerMonths)
    columns = table.select("month", "movement", "mrr_amount").rows()
    return [(f"{month:%Y-%m}", what, f"{amount.normalize():f}") for month, what, amount in columns]


def test_a_customer_has_a_row_for_each_month_at_whose_start_or_end_they_pay() -> None:
    row = subscribed("2024-01-15", ended_ts="2024-03-10")
    assert story(row) == [
        ("2024-01", "new", "10"),
        ("2024-02", "none", "10"),
        ("2024-03", "churn", "0"),
    ]


def test_the_opening_of_a_month_is_the_closing_of_the_one_before() -> None:
    table = months(subscribed("2024-03-15"), through="2024-04-10")
    row = {"customer_id": "ann", "country": "unknown", "segment": "unknown", "plan": "pro"}
    assert_rows(
        table,
        CustomerMonths,
        [
            {**row, "month": day("2024-03-01"), "movement": "new", "is_complete": True}
            | {"opening_mrr_amount": Decimal(0), "mrr_amount": Decimal(10)}
            | {"change_amount": Decimal(10), "opening_plan": "none"},
            # 10 April is as far as is known: the month's end, for now.
            {**row, "month": day("2024-04-01"), "movement": "none", "is_complete": False}
            | {"opening_mrr_amount": Decimal(10), "mrr_amount": Decimal(10)}
            | {"change_amount": Decimal(0), "opening_plan": "pro"},
        ],
    )


def test_cancelled_on_the_10th_but_paid_until_the_30th_is_a_customer_until_the_30th() -> None:
    rows = [
        subscribed("2024-03-01"),
        subscribed(
            "2024-03-01", status="canceled", updated_ts="2024-04-10", cancel_at_ts="2024-04-30"
        ),
    ]
    for through in ("2024-04-10", "2024-04-29"):
        assert story(*rows, through=through)[-1] == ("2024-04", "none", "10")
    # At the last instant of the 30th, the month's last day, nothing is paid any more.
    assert story(*rows)[-1] == ("2024-04", "churn", "0")
    to_the_end = {**rows[1], "cancel_at_ts": rows[1]["cancel_at_ts"].replace(month=5, day=1)}
    assert story(rows[0], to_the_end)[-1] == ("2024-04", "none", "10")
    assert story(rows[0], to_the_end, through="2024-05-31")[-1] == ("2024-05", "churn", "0")


def test_two_plans_of_which_one_is_dropped_are_a_contraction_and_no_churn() -> None:
    rows = [
        subscribed("2024-02-01", "10", plan="a"),
        subscribed("2024-02-01", "5", plan="b", subscription_id="s2", ended_ts="2024-03-20"),
    ]
    assert story(*rows)[:3] == [
        ("2024-02", "new", "15"),
        ("2024-03", "contraction", "10"),
        ("2024-04", "none", "10"),
    ]


def test_a_change_of_plan_in_mid_month_counts_in_that_month() -> None:
    rows = [subscribed("2024-02-01", "10"), subscribed("2024-03-15", "30", plan="team")]
    assert story(*rows)[1] == ("2024-03", "expansion", "30")
    plans = collected(months(*rows), CustomerMonths).select("opening_plan", "plan").rows()
    assert plans == [("none", "pro"), ("pro", "team"), ("team", "team")]


def test_yearly_plans_are_worth_a_twelfth_every_month() -> None:
    row = subscribed("2023-05-10", "120", interval="year", ended_ts="2024-05-10")
    told = story(row, through="2024-05-31")
    assert len(told) == 13
    assert {amount for _, _, amount in told[:12]} == {"10"}
    assert told[12] == ("2024-05", "churn", "0")


def test_who_comes_back_is_reactivated_and_has_no_rows_in_between() -> None:
    rows = [
        subscribed("2023-11-05", ended_ts="2023-12-20"),
        subscribed("2024-03-10", "12", subscription_id="s2"),
    ]
    assert story(*rows) == [
        ("2023-11", "new", "10"),
        ("2023-12", "churn", "0"),
        ("2024-03", "reactivation", "12"),
        ("2024-04", "none", "12"),
    ]


def test_a_pause_over_a_month_s_end_is_churn_and_reactivation() -> None:
    rows = [
        subscribed("2024-01-01"),
        subscribed("2024-01-01", status="paused", updated_ts="2024-02-10"),
        subscribed("2024-01-01", updated_ts="2024-03-05"),
    ]
    assert [what for _, what, _ in story(*rows)] == ["new", "churn", "reactivation", "none"]


def test_a_trial_makes_nobody_a_customer() -> None:
    trial = subscribed("2024-01-20", status="trialing", trial_end_ts="2024-02-03")
    assert story(trial)[0] == ("2024-02", "new", "10")
    assert story({**trial, "trial_end_ts": None}) == []


def test_start_and_end_within_one_month_leave_no_trace() -> None:
    short = subscribed("2024-02-05", ended_ts="2024-02-20")
    assert story(short) == []
    later = subscribed("2024-04-02", subscription_id="s2")
    assert story(short, later) == [("2024-04", "new", "10")]


def test_the_last_day_of_february_is_a_month_s_end_in_leap_years_too() -> None:
    for start, end in (("2024-02-29", "2024-03-01"), ("2023-02-28", "2023-03-01")):
        row = subscribed(start, ended_ts=end)
        assert [what for _, what, _ in story(row)] == ["new", "churn"]
    assert story(subscribed("2024-02-28", ended_ts="2024-02-29")) == []


def test_the_plan_is_the_one_with_most_mrr_then_by_name() -> None:
    rows = [
        subscribed("2024-04-01", "6", plan="b", subscription_id="s1"),
        subscribed("2024-04-01", "10", plan="a", subscription_id="s2"),
        subscribed("2024-04-01", "4", plan="b", subscription_id="s3"),
        subscribed("2024-04-01", "0", plan="free", subscription_id="s4"),
    ]
    # a 10, b 6 + 4 = 10: the first by name
    assert_rows(months(*rows), CustomerMonths, [{"plan": "a", "mrr_amount": Decimal(20)}])


def test_a_plan_that_costs_nothing_makes_nobody_a_customer() -> None:
    assert story(subscribed("2024-01-01", "0")) == []


def test_country_and_segment_are_those_of_the_customer() -> None:
    people = (known("ann", country="DE"), {**known("ann", country="FR"), "fate": "duplicate"})
    table = months(subscribed("2024-04-01"), people=people)
    assert_rows(table, CustomerMonths, [{"country": "DE", "segment": "unknown"}])


def test_what_starts_after_the_horizon_is_not_seen() -> None:
    assert story(subscribed("2024-04-20"), through="2024-04-19") == []
    assert story(subscribed("2024-05-20"), through="2024-04-19") == []
