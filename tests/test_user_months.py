from collections.abc import Iterable
from typing import Any

import polars as pl
from frames import assert_rows, day, frame

from schemas.plan_months import PlanMonths
from schemas.user_days import UserDays
from schemas.user_months import UserMonths
from transforms.user_months import user_months


def active(
    date: str, segments: str, *, user: str = "ann", first: bool = True, key_features: int = 0
) -> dict[str, object]:
    return {
        "event_date": day(date),
        "user_id": user,
        "segments": segments,
        "active_events": 1 + key_features,
        "key_feature_events": key_features,
        "is_first": first,
    }


def months(
    rows: list[dict[str, object]], dimensions: list[str], plans: Iterable[dict[str, Any]] = ()
) -> pl.LazyFrame:
    plan_months = frame(PlanMonths, plans, country="unknown")
    return user_months(frame(UserDays, rows), plan_months, dimensions=dimensions)


def on_plan(month: str, user: str, plan: str, plan_days: int) -> dict[str, Any]:
    return {"month": day(month), "user_id": user, "plan": plan, "plan_days": plan_days}


def bits(*days_of_month: int) -> int:
    return sum(2 ** (number - 1) for number in days_of_month)


def test_days_are_bits_for_everybody_and_for_each_segment() -> None:
    rows = [
        active("2025-03-01", "web\x1fDE"),
        active("2025-03-03", "web\x1fDE", key_features=2),
        active("2025-03-03", "ios\x1fDE", first=False),
        active("2025-03-31", "ios\x1fDE", key_features=1),
    ]
    expected = [
        ("all", "all", bits(1, 3, 31), bits(1, 3, 31), bits(3, 31)),
        ("platform", "web", bits(1, 3), bits(1, 3), bits(3)),
        ("platform", "ios", bits(3, 31), bits(31), bits(31)),
        ("country", "DE", bits(1, 3, 31), bits(1, 3, 31), bits(3, 31)),
    ]
    assert_rows(
        months(rows, ["platform", "plan", "country"]),
        UserMonths,
        [
            {
                "month": day("2025-03-01"),
                "dimension": dimension,
                "segment": segment,
                "user_id": "ann",
                "active_days": active_days,
                "first_days": first_days,
                "key_feature_days": key_feature_days,
            }
            for dimension, segment, active_days, first_days, key_feature_days in expected
        ],
    )


def test_several_combinations_of_one_segment_on_a_day_set_its_bit_once() -> None:
    # A sum instead of an OR would carry the day over to the next bit.
    rows = [
        active("2025-03-02", "web\x1fDE", key_features=1),
        active("2025-03-02", "ios\x1fDE", key_features=1, first=False),
        active("2025-03-02", "tv\x1fDE", key_features=1, first=False),
    ]
    table = months(rows, ["platform", "country"])
    everybody = table.filter(dimension="country")
    assert_rows(
        everybody,
        UserMonths,
        [{"active_days": bits(2), "first_days": bits(2), "key_feature_days": bits(2)}],
    )


def test_each_month_has_its_own_row() -> None:
    rows = [
        active("2025-02-28", ""),
        active("2025-03-01", ""),
        active("2025-03-01", "", user="bob"),
    ]
    assert_rows(
        months(rows, []),
        UserMonths,
        [
            {"month": day("2025-02-01"), "user_id": "ann", "active_days": bits(28)},
            {"month": day("2025-03-01"), "user_id": "ann", "active_days": bits(1)},
            {"month": day("2025-03-01"), "user_id": "bob", "active_days": bits(1)},
        ],
    )


def test_a_segment_called_all_is_not_everybody() -> None:
    table = months([active("2025-03-01", "all")], ["country"])
    assert_rows(
        table,
        UserMonths,
        [
            {"dimension": "all", "segment": "all", "active_days": 1},
            {"dimension": "country", "segment": "all", "active_days": 1},
        ],
    )


def test_a_day_belongs_to_the_plan_of_its_end_and_else_to_none() -> None:
    # ann pays for pro from the 2nd to the 9th and for team from the 10th on; bob never pays.
    plans = [
        on_plan("2025-03-01", "ann", "pro", bits(*range(2, 10))),
        on_plan("2025-03-01", "ann", "team", bits(*range(10, 32))),
    ]
    rows = [
        active("2025-03-01", ""),
        active("2025-03-02", "", key_features=1),
        active("2025-03-10", ""),
        active("2025-03-31", ""),
        active("2025-03-04", "", user="bob"),
    ]
    expected = [
        ("ann", "none", bits(1), bits(1), 0),
        ("ann", "pro", bits(2), bits(2), bits(2)),
        ("ann", "team", bits(10, 31), bits(10, 31), 0),
        ("bob", "none", bits(4), bits(4), 0),
    ]
    assert_rows(
        months(rows, ["plan"], plans).filter(dimension="plan"),
        UserMonths,
        [
            {
                "user_id": user,
                "segment": plan,
                "active_days": active_days,
                "first_days": first_days,
                "key_feature_days": key_feature_days,
            }
            for user, plan, active_days, first_days, key_feature_days in expected
        ],
    )


def test_a_month_in_which_nobody_pays_any_more_still_has_plans() -> None:
    # Somebody paid before April: ann, who never did, is active without a plan.
    plans = [on_plan("2025-04-01", "eve", "none", bits(*range(1, 31)))]
    table = months([active("2025-04-30", "")], ["plan"], plans).filter(dimension="plan")
    assert_rows(table, UserMonths, [{"user_id": "ann", "segment": "none", "active_days": 1 << 29}])


def test_before_the_first_subscription_there_are_no_plans() -> None:
    plans = [on_plan("2025-04-01", "ann", "pro", 1)]
    assert_rows(
        months([active("2025-03-31", "")], ["plan"], plans), UserMonths, [{"dimension": "all"}]
    )


def test_plans_are_no_breakdown_where_the_setting_does_not_name_them() -> None:
    plans = [on_plan("2025-03-01", "ann", "pro", 1)]
    table = months([active("2025-03-01", "")], [], plans)
    assert_rows(table, UserMonths, [{"dimension": "all"}])
