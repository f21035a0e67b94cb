"""What each rule left out of a day."""

from frames import assert_rows, at, day, frame

from schemas.excluded_days import ExcludedDays
from schemas.excluded_events import ExcludedEvents
from schemas.stitches import Stitches
from transforms.excluded_days import excluded_days

TODAY, TOMORROW = day("2025-03-01"), day("2025-03-02")


def left_out(line: int, rule: str, user: str | None, **more: object) -> dict[str, object]:
    where = {"event_date": TODAY, "landing_date": TODAY, "file": "f", "line": line}
    return {**where, "rule": rule, "event_id": f"e{line}", "user_id": user, **more}


def stitched(user: str | None, events: int, *, is_staff: bool, clock: str = "10:00") -> object:
    return {
        "event_date": TODAY,
        "anonymous_id": "phone",
        "from_ts": at(f"2025-03-01 {clock}"),
        "user_id": user,
        "is_staff": is_staff,
        "events": events,
    }


def test_events_and_the_users_behind_them_are_counted_by_day_and_rule() -> None:
    rows = [
        left_out(1, "flag", "bob"),
        left_out(2, "flag", "bob"),
        left_out(3, "flag", None, anonymous_id="x"),
        left_out(4, "user_agent", "bob"),
        left_out(5, "flag", "bob", event_date=TOMORROW),
    ]
    assert_rows(
        excluded_days(frame(ExcludedEvents, rows), frame(Stitches)),
        ExcludedDays,
        [
            {"event_date": TODAY, "rule": "flag", "events": 3, "users": 2},
            {"event_date": TODAY, "rule": "user_agent", "events": 1, "users": 1},
            {"event_date": TOMORROW, "rule": "flag", "events": 1, "users": 1},
        ],
    )


def test_events_stitched_to_staff_count_as_theirs_and_a_user_counts_once() -> None:
    rows = [left_out(1, "staff", "bob")]
    stitches = [
        stitched("bob", 2, is_staff=True),
        stitched("cyd", 3, is_staff=True, clock="11:00"),
        stitched("ann", 5, is_staff=False, clock="12:00"),
        stitched(None, 7, is_staff=False, clock="13:00"),
    ]
    # 1 by name + 2 + 3 stitched; bob and cyd.
    assert_rows(
        excluded_days(frame(ExcludedEvents, rows), frame(Stitches, stitches)),
        ExcludedDays,
        [{"event_date": TODAY, "rule": "staff", "events": 6, "users": 2}],
    )
