from typing import Any

from campaign_rows import happened
from frames import assert_rows, at, collected, day, frame

from schemas.events import Events
from schemas.goal_days import GoalDays
from schemas.stitches import Stitches
from transforms.goal_days import goal_days

GOALS = [
    {"name": "buy", "events": ["purchase", "renewal"]},
    {"name": "join", "events": ["signup", "purchase"]},
]
NOON = "2025-03-01 12:00"


def of(rows: list[dict[str, Any]], *stitches: dict[str, Any], goals: Any = GOALS) -> Any:
    return goal_days(frame(Events, rows), frame(Stitches, stitches), goals=goals)


def test_events_of_any_goal_are_kept_with_their_time() -> None:
    rows = [
        happened("purchase", NOON),
        happened("renewal", "2025-03-01 13:00"),
        happened("signup", "2025-03-02 12:00", "bob"),
        happened("page_view", NOON),
    ]
    assert_rows(
        of(rows),
        GoalDays,
        [
            {"event_date": day(when[:10]), "user_id": user, "event_ts": at(when)}
            for when, user in [
                (NOON, "ada"),
                ("2025-03-01 13:00", "ada"),
                ("2025-03-02 12:00", "bob"),
            ]
        ],
    )


def test_two_goals_at_one_instant_are_one_row() -> None:
    assert_rows(
        of([happened("purchase", NOON), happened("signup", NOON)]), GoalDays, [{"user_id": "ada"}]
    )


def test_a_linked_device_reaches_the_goal_for_its_user() -> None:
    link = {"event_date": day("2025-03-01"), "anonymous_id": "phone", "from_ts": at(NOON)}
    rows = [happened("signup", NOON, None, anonymous_id="phone")]
    assert_rows(of(rows, {**link, "user_id": "ada"}), GoalDays, [{"user_id": "ada"}])


def test_without_goals_nothing_is_reached() -> None:
    assert collected(of([happened("purchase", NOON)], goals=[]), GoalDays).is_empty()
