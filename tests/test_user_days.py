from frames import assert_rows, at, day, frame

from schemas.events import Events
from schemas.stitches import Stitches
from schemas.user_days import UserDays
from transforms.user_days import user_days

SETTINGS = {"active_events": [], "key_features": ["export"], "dimensions": ["country", "plan"]}


def event(event_id: str, when: str, **more: object) -> dict[str, object]:
    return {
        "event_id": event_id,
        "event_name": "page_view",
        "event_ts": at(when),
        "user_id": "ann",
        "received_ts": at(when),
        "event_date": day(when[:10]),
        "landing_date": day(when[:10]),
        **more,
    }


def days(*rows: dict[str, object], **settings: object) -> object:
    return user_days(frame(Events, rows), frame(Stitches), **(SETTINGS | settings))


def test_active_events_are_counted_per_day_person_and_combination() -> None:
    rows = [
        event("1", "2025-03-01 09:00", country="DE"),
        event("2", "2025-03-01 10:00", country="DE", feature="export"),
        event("3", "2025-03-01 11:00", country="FR", feature="import"),
        event("4", "2025-03-01 08:00", country="FR", user_id="bob"),
        event("5", "2025-03-02 08:00", country="FR"),
    ]
    assert_rows(
        days(*rows),
        UserDays,
        [
            {
                "event_date": day(date),
                "user_id": user,
                "segments": country,
                "active_events": events,
                "key_feature_events": key_features,
                "is_first": first,
            }
            for date, user, country, events, key_features, first in [
                ("2025-03-01", "ann", "DE", 2, 1, True),
                ("2025-03-01", "ann", "FR", 1, 0, False),
                ("2025-03-01", "bob", "FR", 1, 0, True),
                ("2025-03-02", "ann", "FR", 1, 0, True),
            ]
        ],
    )


def test_events_that_make_nobody_active_do_not_count_and_open_no_day() -> None:
    rows = [
        event("1", "2025-03-01 08:00", country="DE", event_name="email_opened"),
        event("2", "2025-03-01 09:00", country="FR"),
        event("3", "2025-03-01 09:00", user_id="bob", event_name="ad_impression"),
    ]
    assert_rows(days(*rows), UserDays, [{"user_id": "ann", "segments": "FR", "is_first": True}])


def test_the_setting_says_which_events_are_active() -> None:
    rows = [event("1", "2025-03-01 08:00"), event("2", "2025-03-01 09:00", event_name="click")]
    assert_rows(days(*rows, active_events=["click"]), UserDays, [{"active_events": 1}])


def test_events_at_one_instant_go_by_event_id() -> None:
    rows = [
        event("b", "2025-03-01 08:00", country="DE"),
        event("a", "2025-03-01 08:00", country="FR"),
        event("c", "2025-03-01 08:00", country="FR"),
    ]
    assert_rows(
        days(*rows),
        UserDays,
        [{"segments": "DE", "is_first": False}, {"segments": "FR", "is_first": True}],
    )


def test_a_missing_value_and_the_value_unknown_are_one_segment() -> None:
    rows = [
        event("1", "2025-03-01 08:00", country=None),
        event("2", "2025-03-01 08:00", country="unknown"),
    ]
    assert_rows(days(*rows), UserDays, [{"segments": "unknown", "active_events": 2}])


def test_values_that_read_the_same_once_the_separator_is_blanked_are_one_segment() -> None:
    rows = [
        event("1", "2025-03-01 08:00", country="a\x1fb"),
        event("2", "2025-03-01 08:00", country="a b"),
    ]
    assert_rows(days(*rows), UserDays, [{"segments": "a b", "active_events": 2, "is_first": True}])


def test_without_dimensions_there_is_one_row_per_day_and_person() -> None:
    rows = [
        event("1", "2025-03-01 08:00", country="DE"),
        event("2", "2025-03-01 08:00", country="FR"),
    ]
    assert_rows(days(*rows, dimensions=[]), UserDays, [{"segments": "", "active_events": 2}])


def test_a_stitched_event_counts_for_its_user_and_may_open_the_day() -> None:
    rows = [
        event("1", "2025-03-01 08:00", user_id=None, anonymous_id="phone", country="FR"),
        event("2", "2025-03-01 09:00", country="DE"),
        event("3", "2025-03-01 09:00", user_id=None, anonymous_id="tablet", country="DE"),
    ]
    stitch = {
        "event_date": day("2025-03-01"),
        "anonymous_id": "phone",
        "from_ts": at("2025-03-01 08:00"),
        "user_id": "ann",
    }
    assert_rows(
        user_days(frame(Events, rows), frame(Stitches, [stitch]), **SETTINGS),
        UserDays,
        [
            {"user_id": "ann", "segments": "DE", "is_first": False},
            {"user_id": "ann", "segments": "FR", "is_first": True},
            {"user_id": "tablet", "segments": "DE", "is_first": True},
        ],
    )
