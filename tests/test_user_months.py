from frames import assert_rows, day, frame

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
        user_months(frame(UserDays, rows), dimensions=["platform", "plan", "country"]),
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
    table = user_months(frame(UserDays, rows), dimensions=["platform", "country"])
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
        user_months(frame(UserDays, rows), dimensions=[]),
        UserMonths,
        [
            {"month": day("2025-02-01"), "user_id": "ann", "active_days": bits(28)},
            {"month": day("2025-03-01"), "user_id": "ann", "active_days": bits(1)},
            {"month": day("2025-03-01"), "user_id": "bob", "active_days": bits(1)},
        ],
    )


def test_a_segment_called_all_is_not_everybody() -> None:
    table = user_months(frame(UserDays, [active("2025-03-01", "all")]), dimensions=["country"])
    assert_rows(
        table,
        UserMonths,
        [
            {"dimension": "all", "segment": "all", "active_days": 1},
            {"dimension": "country", "segment": "all", "active_days": 1},
        ],
    )
