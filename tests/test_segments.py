from frames import assert_rows, day, frame

from schemas.segments import Segments
from schemas.users import Users
from transforms.segments import segments


def test_a_segment_has_its_earliest_first_date_in_each_month() -> None:
    people = [
        ("2025-03-09", "DE", "ann"),
        ("2025-03-02", "DE", "bob"),
        ("2025-04-01", "DE", "cid"),
        ("2025-03-05", "FR", "ann"),
    ]
    rows = [
        {
            "first_month": day(date).replace(day=1),
            "dimension": "country",
            "segment": country,
            "user_id": user,
            "first_date": day(date),
            "is_entry": False,
        }
        for date, country, user in people
    ]
    assert_rows(
        segments(frame(Users, rows)),
        Segments,
        [
            {
                "first_month": day(date).replace(day=1),
                "dimension": "country",
                "segment": country,
                "first_date": day(date),
            }
            for date, country in [("2025-03-02", "DE"), ("2025-04-01", "DE"), ("2025-03-05", "FR")]
        ],
    )


def test_without_people_there_are_no_segments() -> None:
    assert_rows(segments(frame(Users)), Segments, [])
