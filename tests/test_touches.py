from frames import assert_rows, day, frame
from session_rows import session

from schemas.base import empty
from schemas.session_days import SessionDays
from schemas.touches import Touches
from transforms.touches import touches

EMAIL = {"channel": "Email", "source": "letter", "medium": "email"}


def test_a_touch_is_a_session_that_something_led_to() -> None:
    sessions = [
        session("2025-02-01 10:00", **EMAIL, campaign="spring"),
        session("2025-02-01 12:00"),
        # The source may call it so in its own words.
        session("2025-02-01 14:00", channel="direct", source="app", medium="push"),
        session("2025-02-01 16:00", channel="Unassigned", source="poster", medium="print"),
    ]
    poster = {"channel": "Unassigned", "source": "poster", "medium": "print", "campaign": None}
    usual = {"date": day("2025-02-01"), "user_id": "ada"}
    expected = [
        {**usual, **EMAIL, "campaign": "spring", "session_id": "ada@2025-02-01 10:00"},
        {**usual, **poster, "session_id": "ada@2025-02-01 16:00"},
    ]
    assert_rows(touches(frame(SessionDays, sessions)), Touches, expected)


def test_without_sessions_nobody_was_touched() -> None:
    assert_rows(touches(empty(SessionDays)), Touches, [])
