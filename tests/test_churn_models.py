from datetime import timedelta
from itertools import product
from typing import Any

import numpy as np
import polars as pl
import pytest
from activity_rows import month
from frames import assert_same, collected, day, frame
from lifetime_rows import buy, orders
from profile_rows import ticket, tickets
from revenue_rows import customers, fact, subscribed

from schemas.churn_models import ChurnModels
from schemas.user_months import UserMonths
from transforms import logistic
from transforms.churn_models import churn_models, churn_outcomes
from transforms.churn_risk import ORDERS, SUBSCRIPTIONS
from transforms.customer_states import Sources

THROUGH = "2024-06-30"


def table(
    contracts: Any = (), bought: Any = (), active: Any = (), through: str = THROUGH, **options: Any
) -> pl.DataFrame:
    settings = {"churn_cutoff": None, "churn_horizon_days": 30, "churn_inactivity_days": 60}
    made = churn_models(
        customers(),
        fact(*contracts),
        orders(*bought),
        tickets([]),
        frame(UserMonths, active),
        timezone="UTC",
        **settings | options,
        data_through=day(through),
    )
    return collected(made, ChurnModels)


def one(model: str, *sources: Any, **options: Any) -> dict[str, Any]:
    return table(*sources, **options).row(by_predicate=pl.col("model") == model, named=True)


def readers(start: str, lost: str, numbers: range) -> tuple[list[Any], list[Any]]:
    """Contracts and activity of a month: who reads on many days stays, who does not leaves.

    Of ten who read every day one leaves, of ten who read on one day nine.
    """
    contracts, active = [], []
    for number in numbers:
        name, reads = f"{start}-{number:03}", number % 2 == 0
        leaves = (number // 2) % 10 == 0 if reads else (number // 2) % 10 != 0
        contracts.append(
            subscribed(
                start,
                customer_id=name,
                subscription_id=name,
                **({"ended_ts": lost} if leaves else {}),
            )
        )
        days = range(1, 29) if reads else range(1, 2)
        active.append(month(start[:7], name, *days))
    return contracts, active


@pytest.fixture(scope="module")
def two_crowds() -> tuple[list[Any], list[Any]]:
    """A crowd begins in April and loses in May; one in May, and loses in June just so."""
    parts = [
        readers("2024-04-01", "2024-05-15", range(200)),
        readers("2024-05-01", "2024-06-15", range(200)),
    ]
    # Who stays of the first crowd reads on in May.
    stays = [row["customer_id"] for row in parts[0][0] if not row.get("ended_ts")]
    reads_on = [month("2024-05", name, *range(1, 29)) for name in stays]
    return parts[0][0] + parts[1][0], parts[0][1] + parts[1][1] + reads_on


def test_a_model_is_fitted_to_an_earlier_day_and_judged_by_a_later_one(two_crowds: Any) -> None:
    # 30 days before 30 June is 31 May, 30 before that 1 May. On 1 May both crowds pay; the first
    # loses 100 of 200 by 31 May. On 31 May 300 pay, of which the second crowd's 100 are lost.
    contracts, active = two_crowds
    row = one(SUBSCRIPTIONS, contracts, active=active)
    assert [str(row[name]) for name in ("cutoff_date", "judged_date", "as_of")] == [
        "2024-05-01",
        "2024-05-31",
        "2024-06-30",
    ]
    assert (row["customers"], row["churned_customers"], row["base_rate"]) == (400, 100, 0.25)
    assert (row["judged_customers"], row["judged_churned_customers"]) == (300, 100)
    assert row["judged_churn_rate"] == 100 / 300
    assert row["is_fitted"]
    assert row["repeats_coefficient"] is None


def test_a_used_model_beats_the_base_rate_and_tells_apart(two_crowds: Any) -> None:
    # Fitted to the first crowd alone on 30 April; judged by the second crowd on 31 May.
    contracts, active = two_crowds
    row = one(SUBSCRIPTIONS, contracts, active=active, churn_cutoff=day("2024-04-30"))
    assert (row["customers"], row["churned_customers"]) == (200, 100)
    assert row["is_used"]
    assert row["note"] is None
    assert row["brier_score"] < row["base_brier_score"]
    assert row["auc"] > 0.8
    assert row["active_share_coefficient"] < 0
    assert row["past_due_coefficient"] == 0.0
    assert row["open_tickets_coefficient"] == 0.0


def test_a_model_that_is_no_better_than_the_base_rate_is_not_used() -> None:
    # In the second crowd it is the readers who leave: what was learned is wrong.
    contracts, active = readers("2024-04-01", "2024-05-15", range(200))
    later, read = readers("2024-05-01", "2024-06-15", range(200))
    swapped = [{**row, "user_id": read[place ^ 1]["user_id"]} for place, row in enumerate(read)]
    row = one(
        SUBSCRIPTIONS,
        contracts + later,
        active=active + swapped,
        churn_cutoff=day("2024-04-30"),
    )
    assert row["is_fitted"]
    assert not row["is_used"]
    assert row["note"] == "foretold later customers no better than the base rate"
    assert row["brier_score"] > row["base_brier_score"]


def test_too_little_history_gives_no_weights_and_says_why() -> None:
    # Ten readers and ten others differ in two features (active_share, inactivity) and not in
    # tenure or price: twenty lost and twenty kept are needed.
    contracts, active = readers("2024-04-01", "2024-05-15", range(20))
    row = one(SUBSCRIPTIONS, contracts, active=active, churn_cutoff=day("2024-04-30"))
    assert (row["is_fitted"], row["is_used"], row["intercept"]) == (False, False, None)
    assert row["note"] == (
        "too little history: 10 customers were lost and 10 kept, at least 20 of each are needed"
    )
    assert row["brier_score"] is None


def test_nothing_landed_gives_two_rows_that_say_so() -> None:
    found = table()
    assert found["customers"].to_list() == [0, 0]
    assert found["base_rate"].to_list() == [None, None]
    assert found["note"].unique().to_list() == [
        "too little history: 0 customers were lost and 0 kept, nothing tells them apart"
    ]


def test_a_cut_off_whose_outcome_overlaps_the_judgement_is_moved_back() -> None:
    row = one(SUBSCRIPTIONS, churn_cutoff=day("2024-06-01"))
    assert row["cutoff_date"] == row["judged_date"] - timedelta(days=30)


def test_a_shop_s_customer_is_lost_without_a_purchase_in_the_window() -> None:
    # On 1 March, with 60 days: from 2 January on. Lost without one from 2 March to 30 April.
    bought = [
        *[buy("gone", "2024-01-01")],
        *[buy("lost", "2024-01-02"), buy("lost", "2024-05-01")],
        *[buy("kept", "2024-03-01"), buy("kept", "2024-04-30")],
        *[buy("new", "2024-03-02")],
    ]
    sources = Sources(customers(), fact(), orders(*bought), tickets([]), frame(UserMonths), "UTC")
    found = churn_outcomes(sources, ORDERS, day("2024-03-01"), 60).collect().sort("customer_id")
    assert found.select("customer_id", "is_lost").rows() == [("kept", False), ("lost", True)]


def test_features_are_of_the_day_and_before_it() -> None:
    bought = [buy("ann", "2024-01-02", "30"), buy("ann", "2024-01-12", "10")]
    later = [buy("ann", "2024-02-11", "999")]
    opened = [ticket("2024-01-20", "2024-02-05"), ticket("2024-02-10")]
    active = [month("2024-01", "ann", 3, 4, 22), month("2024-02", "ann", 11)]
    sources = Sources(
        customers(),
        fact(),
        orders(*bought, *later),
        tickets(opened),
        frame(UserMonths, active),
        "UTC",
    )
    row = churn_outcomes(sources, ORDERS, day("2024-02-01"), 60).collect().row(0, named=True)
    # 30 and 20 days since the purchases, (30 + 10) / 2 a day, one repeat; active on 22 January
    # (10 days ago), one of the 28 days from 5 January on; one ticket open on 1 February.
    assert row == {
        "customer_id": "ann",
        "tenure_feature": pytest.approx(np.log(31)),
        "amount_feature": pytest.approx(np.log(21)),
        "repeats_feature": pytest.approx(np.log(2)),
        "recency_feature": pytest.approx(np.log(21)),
        "active_share_feature": 1 / 28,
        "inactivity_feature": pytest.approx(np.log(11)),
        "open_tickets_feature": pytest.approx(np.log(2)),
        "is_lost": False,
    }


def test_the_same_rows_in_another_order_give_the_same_bytes(two_crowds: Any) -> None:
    contracts, active = two_crowds
    cutoff = {"churn_cutoff": day("2024-04-30")}
    one_way = table(contracts, active=active, **cutoff)
    assert_same(table(contracts[::-1], active=active[::-1], **cutoff), one_way)


def test_regression_finds_the_weights_that_made_the_data() -> None:
    # Every one of 40 x 50 cells of two features holds as many lost as its risk says.
    cells = np.array(list(product(np.linspace(-2, 2, 40), np.linspace(0, 9, 50))))
    risk = 1 / (1 + np.exp(-(0.5 + 1.5 * cells[:, 0] - 0.4 * cells[:, 1])))
    rows = np.repeat(cells, 100, axis=0)
    lost = np.concatenate([np.arange(100) < round(100 * each) for each in risk]).astype(float)
    line = logistic.fit(rows, lost)
    assert line.intercept == pytest.approx(0.5, abs=0.02)
    assert line.coefficients == pytest.approx([1.5, -0.4], abs=0.02)


def test_marks_of_four_risks_by_hand() -> None:
    # Squares 0.04 + 0.36 + 0.36 + 0.04 = 0.8, / 4. Base rate 0.5: 0.25. Of four pairs of lost and
    # kept three are the right way round (0.8 > 0.2, 0.8 > 0.6, 0.4 > 0.2). Every risk has a tenth
    # of its own: gaps 0.2 + 0.6 + 0.6 + 0.2 = 1.6, / 4.
    marks = logistic.marks(np.array([0.8, 0.4, 0.6, 0.2]), np.array([1.0, 1.0, 0.0, 0.0]), 0.5)
    assert marks.mean_risk == pytest.approx(0.5)
    assert marks.brier_score == pytest.approx((0.04 + 0.36 + 0.36 + 0.04) / 4)
    assert marks.base_brier_score == 0.25
    assert marks.auc == 0.75
    assert marks.calibration_error == pytest.approx(0.4)


def test_ties_count_half_and_one_outcome_alone_has_no_auc() -> None:
    even = np.array([0.3, 0.3])
    assert logistic.marks(even, np.array([1.0, 0.0]), 0.5).auc == 0.5
    assert logistic.marks(even, np.array([0.0, 0.0]), 0.5).auc is None
