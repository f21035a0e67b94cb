from frames import assert_rows, day, frame

from schemas.user_months import UserMonths
from schemas.users import Users
from transforms.users import users


def month(
    text: str, segment: str, active_days: int, first_days: int | None = None, user: str = "ann"
) -> dict[str, object]:
    return {
        "month": day(text),
        "dimension": "all" if segment == "all" else "country",
        "segment": segment,
        "user_id": user,
        "active_days": active_days,
        "first_days": active_days if first_days is None else first_days,
        "key_feature_days": 0,
    }


def seen(date: str, segment: str, *, entry: bool, user: str = "ann") -> dict[str, object]:
    return {
        "first_month": day(date).replace(day=1),
        "dimension": "all" if segment == "all" else "country",
        "segment": segment,
        "user_id": user,
        "first_date": day(date),
        "is_entry": entry,
    }


def test_the_first_date_is_that_of_the_lowest_bit() -> None:
    # 0b10100: days 3 and 5; 0b10000: day 5; bit 30: day 31.
    rows = [month("2025-03-01", "all", 0b10100), month("2025-03-01", "all", 2**30, user="bob")]
    assert_rows(
        users(frame(UserMonths, rows), frame(Users)),
        Users,
        [seen("2025-03-03", "all", entry=True), seen("2025-03-31", "all", entry=True, user="bob")],
    )


def test_only_the_segment_of_the_very_first_event_is_the_entry() -> None:
    # On day 3 the person is in DE and FR, first in FR; PL follows on day 5.
    rows = [
        month("2025-03-01", "all", 0b10100),
        month("2025-03-01", "DE", 0b10100, 0b10000),
        month("2025-03-01", "FR", 0b00100, 0b00100),
        month("2025-03-01", "PL", 0b10000, 0b00000),
    ]
    assert_rows(
        users(frame(UserMonths, rows), frame(Users)),
        Users,
        [
            seen("2025-03-03", "all", entry=True),
            seen("2025-03-03", "DE", entry=False),
            seen("2025-03-03", "FR", entry=True),
            seen("2025-03-05", "PL", entry=False),
        ],
    )


def test_who_was_seen_in_an_earlier_month_is_not_new() -> None:
    rows = [month("2025-03-01", "all", 1), month("2025-03-01", "DE", 1)]
    before = [seen("2025-01-09", "all", entry=True), seen("2025-01-09", "DE", entry=True)]
    assert_rows(users(frame(UserMonths, rows), frame(Users, before)), Users, [])


def test_a_segment_entered_later_in_life_is_new_but_no_entry() -> None:
    # First in FR on 1 March, where the day also opens; but the person is known since January.
    rows = [month("2025-03-01", "all", 1), month("2025-03-01", "FR", 1)]
    before = [seen("2025-01-09", "all", entry=True), seen("2025-01-09", "DE", entry=True)]
    assert_rows(
        users(frame(UserMonths, rows), frame(Users, before)),
        Users,
        [seen("2025-03-01", "FR", entry=False)],
    )


def test_of_several_months_the_first_one_counts() -> None:
    # FR opens no day in February and one in March: the first counts, and it is no entry.
    rows = [
        month("2025-03-01", "all", 1),
        month("2025-02-01", "all", 0b10),
        month("2025-02-01", "DE", 0b10),
        month("2025-02-01", "FR", 0b10, 0),
        month("2025-03-01", "FR", 1),
        month("2025-03-01", "PL", 1),
    ]
    assert_rows(
        users(frame(UserMonths, rows), frame(Users)),
        Users,
        [
            seen("2025-02-02", "all", entry=True),
            seen("2025-02-02", "DE", entry=True),
            seen("2025-02-02", "FR", entry=False),
            seen("2025-03-01", "PL", entry=False),
        ],
    )
