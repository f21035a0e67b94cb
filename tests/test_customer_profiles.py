from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from activity_rows import month
from frames import at, collected, day, frame
from lifetime_rows import buy
from profile_rows import THROUGH, mail, named, profiles, ticket
from revenue_rows import known, subscribed
from survey_rows import answer, invitation

from schemas.churn_models import ChurnModels
from schemas.customer_lifetime_value import CustomerLifetimeValue
from schemas.customer_profiles import CustomerProfiles

LAST_28 = ("2024-06-03", "2024-06-30")


def rows(**sources: Any) -> dict[str, dict[str, Any]]:
    """The table's rows by customer."""
    table = collected(profiles(**sources), CustomerProfiles)
    return {row["customer_id"]: row for row in table.to_dicts()}


def only(**sources: Any) -> dict[str, Any]:
    found = rows(**sources)
    assert list(found) == ["ann"]
    return found["ann"]


def said(row: dict[str, Any], *names: str) -> tuple[Any, ...]:
    return tuple(row[name] for name in names)


def model(**columns: Any) -> pl.LazyFrame:
    """A model of subscriptions that is to be used, its weights zero where none are given."""
    weights = ("tenure", "amount", "active_share", "inactivity", "open_tickets", "past_due")
    zero = {f"{name}_coefficient": 0.0 for name in weights}
    told = {"model": "subscriptions", "is_fitted": True, "is_used": True, "intercept": 0.0}
    return frame(ChurnModels, [{**told, **zero, **columns}])


def test_health_is_the_weighted_mean_of_its_components() -> None:
    # activity: 4 of 8 days: 50. satisfaction: NPS 9 of 10: 90. support: 1 open of 4: 75.
    # payment: MRR: 100. 0.4 * 50 + 0.3 * 90 + 0.1 * 75 + 0.2 * 100 = 20 + 27 + 7.5 + 20 = 74.5.
    row = only(
        contracts=[subscribed("2024-01-01")],
        asked=[answer(9, "2024-06-01", respondent_id="ann")],
        opened=[ticket("2024-06-20"), ticket("2024-06-01", "2024-06-02")],
        active=[month("2024-06", "ann", 3, 10, 20, 30)],
    )
    scores = [f"{name}_score" for name in ("activity", "satisfaction", "support", "payment")]
    points = [f"{name}_points" for name in ("activity", "satisfaction", "support", "payment")]
    assert said(row, *scores) == (50.0, 90.0, 75.0, 100.0)
    assert said(row, *points) == pytest.approx((20.0, 27.0, 7.5, 20.0))
    assert row["health_score"] == pytest.approx(74.5)
    assert said(row, "components_known", "health_level") == (4, "good")


def test_a_component_that_is_not_known_is_no_zero() -> None:
    # Only satisfaction (0.3) 50 and payment (0.2) 100: (15 + 20) / 0.5 = 70.
    row = only(
        contracts=[subscribed("2024-01-01")],
        asked=[answer(5, "2024-06-01", respondent_id="ann")],
    )
    assert said(row, "activity_score", "activity_points", "support_points") == (None, None, None)
    assert said(row, "satisfaction_points", "payment_points") == pytest.approx((30.0, 40.0))
    assert row["health_score"] == pytest.approx(70.0)
    assert row["components_known"] == 2


def test_without_any_component_there_is_no_score() -> None:
    row = only(people=[known("ann")])
    names = ["components_known", "health_score", "health_level", "health_score_change"]
    assert said(row, *names) == (0, None, "unknown", None)
    assert said(row, "churn_risk", "churn_risk_model") == (None, "none")
    assert said(row, "first_seen_date", "last_seen_date") == (None, None)


def test_a_weight_of_zero_takes_a_component_out() -> None:
    weights = {"activity": 0.0, "satisfaction": 0.0, "support": 0.0, "payment": 1.0}
    sources = {"active": [month("2024-06", "ann", 3)], "users": [named("ann", "2024-06-03")]}
    row = only(**sources, health_weights=weights)
    assert said(row, "activity_score", "components_known", "health_score") == (12.5, 0, None)


def test_levels_begin_with_their_threshold() -> None:
    levels = {10: "good", 7: "good", 6: "fair", 4: "fair", 3: "poor"}
    asked = [answer(score, "2024-06-01", respondent_id=str(score)) for score in levels]
    found = rows(asked=asked)
    assert {int(who): row["health_level"] for who, row in found.items()} == levels
    assert {who: row["health_score"] for who, row in found.items()} == {
        str(score): pytest.approx(10.0 * score) for score in levels
    }


def test_the_change_is_on_the_score_of_the_28th_day_before() -> None:
    # 2 June: NPS 2 of 1 June; 30 June: NPS 9 of 10 June. 90 - 20.
    asked = [
        answer(2, "2024-06-01", respondent_id="ann"),
        answer(9, "2024-06-10", respondent_id="ann"),
    ]
    assert only(asked=asked)["health_score_change"] == pytest.approx(70.0)
    assert only(asked=asked[1:])["health_score_change"] is None


def test_each_answer_stands_by_its_place_on_its_own_scale_and_effort_upside_down() -> None:
    # CSAT 4 of 1..5: 75. CES 2 of 1..7, where high is hard: 100 - 100 / 6. Mean with NPS 0: / 3.
    asked = [
        answer(4, "2024-06-01", kind="csat", respondent_id="ann"),
        answer(2, "2024-06-02", kind="ces", direction="effort", respondent_id="ann"),
        answer(0, "2024-06-03", respondent_id="ann"),
    ]
    row = only(asked=asked)
    assert row["satisfaction_score"] == pytest.approx((75 + 250 / 3 + 0) / 3)
    assert said(row, "csat_score", "csat_date", "csat_scale_min", "csat_scale_max") == (
        (4.0, day("2024-06-01"), 1.0, 5.0)
    )
    assert said(row, "ces_score", "ces_scale_max", "ces_direction") == (2.0, 7.0, "effort")
    assert said(row, "nps_score", "nps_date") == (0.0, day("2024-06-03"))


def test_a_survey_answered_twice_has_its_latest_answer() -> None:
    asked = [
        answer(9, "2024-06-02 10:00", respondent_id="ann", wave="w"),
        answer(1, "2024-06-02 09:00", respondent_id="ann", wave="w"),
        answer(3, "2024-07-01", respondent_id="ann", wave="w"),
    ]
    assert said(only(asked=asked), "nps_score", "nps_date") == (9.0, day("2024-06-02"))


def test_an_old_answer_is_shown_and_is_no_part_of_health() -> None:
    # 1 July 2023 is 365 days before 30 June 2024.
    row = only(asked=[answer(9, "2023-07-01", respondent_id="ann")])
    assert said(row, "nps_score", "satisfaction_score") == (9.0, None)
    row = only(asked=[answer(9, "2023-07-02", respondent_id="ann")])
    assert row["satisfaction_score"] == pytest.approx(90.0)


def test_a_recommendation_on_another_scale_is_no_nps_and_a_review_no_score() -> None:
    asked = [
        answer(3, "2024-06-01", scale_max=5.0, respondent_id="ann"),
        answer(1, "2024-06-02", kind="review", respondent_id="ann"),
    ]
    row = only(asked=asked)
    assert said(row, "nps_score", "satisfaction_score", "last_seen_date") == (
        (None, None, day("2024-06-02"))
    )


def test_who_is_known_to_one_source_only_has_a_row() -> None:
    found = rows(
        people=[known("a", created_ts=at("2024-01-05 10:00"))],
        contracts=[subscribed("2024-02-01", customer_id="b")],
        bought=[buy("c", "2024-03-01")],
        opened=[ticket("2024-04-01", customer="d")],
        asked=[invitation("2024-05-01", respondent_id="e")],
        users=[named("f", "2024-06-01")],
    )
    names = ["user_id", "first_seen_date", "last_seen_date", "country", "components_known"]
    assert [said(row, *names) for row in found.values()] == [
        ("a", day("2024-01-05"), None, "unknown", 0),
        ("b", day("2024-02-01"), day("2024-02-01"), "unknown", 1),
        ("c", day("2024-03-01"), day("2024-03-01"), "unknown", 1),
        ("d", day("2024-04-01"), day("2024-04-01"), "unknown", 1),
        ("e", day("2024-05-01"), None, "unknown", 0),
        ("f", day("2024-06-01"), None, "unknown", 0),
    ]
    assert {row["as_of"] for row in found.values()} == {day(THROUGH)}


def test_nobody_is_known_from_a_day_after_the_horizon_or_by_an_anonymous_id() -> None:
    found = rows(
        people=[known("eve", created_ts=at("2024-07-01 10:00"))],
        contracts=[subscribed("2024-07-01")],
        bought=[buy("bob", "2024-07-01")],
        opened=[ticket("2024-07-01", customer="cid"), ticket("2024-06-01", customer=None)],
        users=[named("dan", "2024-07-01")],
        active=[month("2024-06", "anonymous", 3)],
    )
    assert found == {}


def test_ids_of_a_person_are_one_customer() -> None:
    # c1 is u1 in events and surveys; the shop and support name u1 too.
    row = rows(
        people=[known("c1", "u1", country="DE", segment="smb")],
        contracts=[subscribed("2024-01-01", customer_id="c1")],
        bought=[buy("u1", "2024-06-01", "25")],
        opened=[ticket("2024-06-10", customer="u1")],
        asked=[answer(9, "2024-06-02", respondent_id="c1")],
        users=[named("u1", "2023-12-30")],
        active=[month("2024-06", "u1", 30)],
    )
    assert list(row) == ["c1"]
    names = ["user_id", "country", "segment", "orders", "open_tickets", "nps_score", "active_days"]
    assert said(row["c1"], *names) == ("u1", "DE", "smb", 1, 1, 9.0, 1)
    assert said(row["c1"], "first_seen_date", "last_seen_date") == (
        (day("2023-12-30"), day("2024-06-30"))
    )


def test_two_customers_who_are_one_person_share_what_the_person_did() -> None:
    found = rows(
        people=[known("c1", "u1"), known("c2", "u1")],
        bought=[buy("u1", "2024-06-01"), buy("c2", "2024-06-02")],
        active=[month("2024-06", "u1", 30)],
    )
    assert [said(found[name], "active_days", "last_order_date") for name in ("c1", "c2")] == [
        (1, day("2024-06-01")),
        (1, day("2024-06-02")),
    ]


def test_active_days_are_those_of_the_last_28() -> None:
    # 3 June is the first of the 28 days that end on 30 June.
    table = {"users": [named("ann", "2024-05-01")]}
    row = only(active=[month("2024-05", "ann", 31), month("2024-06", "ann", 2, 3, 30)], **table)
    assert said(row, "active_days", "activity_score", "first_seen_date") == (
        (2, 25.0, day("2024-05-01"))
    )
    # 12 May to 8 June: the second half of May and the first days of June.
    row = only(
        active=[month("2024-05", "ann", 11, 12, 31), month("2024-06", "ann", 2, 9)],
        through="2024-06-08",
        **table,
    )
    assert row["active_days"] == 3
    # February 2023 is the window as a whole.
    row = only(
        active=[month("2023-01", "ann", 31), month("2023-02", "ann", 1, 28)],
        users=[named("ann", "2023-01-31")],
        through="2023-02-28",
    )
    assert row["active_days"] == 2


def test_mrr_and_plan_are_of_the_day_and_else_none() -> None:
    ended = subscribed("2024-01-01", ended_ts="2024-06-30")
    row = only(contracts=[ended], people=[known("ann", plan="free")])
    assert said(row, "mrr_amount", "plan", "payment_score") == (Decimal(0), "none", 0.0)
    row = only(contracts=[subscribed("2024-01-01", "12.5")])
    assert said(row, "mrr_amount", "plan", "payment_score") == (Decimal("12.5"), "pro", 100.0)
    row = only(people=[known("ann", plan="free")])
    assert said(row, "mrr_amount", "plan", "payment_score") == (Decimal(0), "free", None)


def test_an_overdue_payment_halves_the_component() -> None:
    row = only(contracts=[subscribed("2024-01-01", status="past_due")])
    assert said(row, "mrr_amount", "payment_score") == (Decimal(10), 50.0)


def test_orders_are_netted_and_their_health_falls_with_the_days_since_the_last() -> None:
    # Last purchase on 31 May, 30 of 90 days ago: 100 * (1 - 30 / 90).
    bought = [
        buy("ann", "2024-05-01", "20"),
        buy("ann", "2024-05-31", "10"),
        buy("ann", "2024-06-02", "-4", kind="refund"),
    ]
    row = only(bought=bought)
    names = ["orders", "revenue_amount", "last_order_date"]
    assert said(row, *names) == (2, Decimal(26), day("2024-05-31"))
    assert row["payment_score"] == pytest.approx(200 / 3)


def test_open_tickets_are_those_of_the_day() -> None:
    opened = [
        ticket("2024-06-01", "2024-07-01"),
        ticket("2024-06-02", "2024-06-30"),
        ticket("2024-06-03"),
        {**ticket("2024-06-04"), "closed_ts": at("2024-06-05 10:00")},
    ]
    assert said(only(opened=opened), "tickets", "open_tickets", "support_score") == (4, 2, 50.0)


def test_the_e_mail_habit_is_of_the_weeks_in_which_a_mail_came() -> None:
    # The weeks begin on 3, 10, 17 and 24 June.
    mails = {
        "a": [("2024-06-03", 1, 1), ("2024-06-30", 2, 3)],
        "b": [("2024-06-03", 1, 1), ("2024-06-30", 2, 0)],
        "c": [("2024-06-03", 1, 0), ("2024-06-10", 0, 1)],
        "d": [("2024-06-02", 1, 1), ("2024-07-01", 1, 1)],
    }
    mailed = [
        mail(when, who, delivered, opened)
        for who, days in mails.items()
        for when, delivered, opened in days
    ]
    found = rows(mailed=mailed, users=[named(who, "2024-06-02") for who in mails])
    names = ["delivered_mails", "opened_mails", "mailed_weeks", "opened_weeks", "email_habit"]
    assert {who: said(row, *names) for who, row in found.items()} == {
        "a": (3, 4, 2, 2, "every_week"),
        "b": (3, 1, 2, 1, "some_weeks"),
        "c": (1, 1, 1, 0, "never"),
        "d": (0, 0, 0, 0, "not_mailed"),
    }


def test_expected_value_is_that_of_all_models_that_know() -> None:
    told = [("c1", "bg_nbd", "10.5"), ("u1", "sbg", "2"), ("bob", "sbg", None)]
    worth = frame(
        CustomerLifetimeValue,
        [
            {"customer_id": who, "model": name, "expected_value_amount": value and Decimal(value)}
            for who, name, value in told
        ],
    )
    found = rows(people=[known("c1", "u1"), known("bob")], worth=worth)
    assert [row["expected_value_amount"] for row in found.values()] == [None, Decimal("12.5")]


def test_the_model_of_the_contract_tells_the_risk() -> None:
    # One feature: 7 of 28 days. 1 / (1 + exp(-(-1 + 4 * 7 / 28))) = 1 / (1 + exp(0)) = 0.5.
    row = only(
        contracts=[subscribed("2024-01-01")],
        bought=[buy("ann", "2024-06-01")],
        active=[month("2024-06", "ann", 3, 4, 5, 6, 7, 8, 9)],
        models=model(intercept=-1.0, active_share_coefficient=4.0),
    )
    assert said(row, "churn_risk", "churn_risk_model") == (0.5, "subscriptions")


def test_without_a_model_the_risk_rises_with_inactivity() -> None:
    # Days since the purchase; a quarter of 90 days is 22.5, a half 45, three quarters 67.5.
    by_day = {
        "2024-06-08": 0.1,  # 22
        "2024-06-07": 0.3,  # 23
        "2024-05-16": 0.3,  # 45
        "2024-05-15": 0.6,  # 46
        "2024-04-24": 0.6,  # 67
        "2024-04-23": 0.9,  # 68
        "2024-04-02": 0.9,  # 89: a customer until the day after
        "2024-04-01": None,  # 90
    }
    found = rows(bought=[buy(when, when) for when in by_day], models=model(is_used=False))
    assert {who: row["churn_risk"] for who, row in found.items()} == by_day
    assert {row["churn_risk_model"] for row in found.values()} == {"inactivity", "none"}


def test_whoever_left_is_no_risk_any_more() -> None:
    row = only(contracts=[subscribed("2024-01-01", ended_ts="2024-03-01")], models=model())
    assert said(row, "churn_risk", "churn_risk_model") == (None, "none")


def test_nothing_landed_gives_no_rows() -> None:
    assert rows() == {}
