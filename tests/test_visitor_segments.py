from frames import assert_rows, day, frame
from session_rows import visitor

from schemas.visitor_segments import VisitorSegments
from schemas.visitors import Visitors
from transforms.visitor_segments import visitor_segments


def test_a_segment_has_its_first_day_of_each_month_in_which_somebody_was_new() -> None:
    web = {"dimension": "platform", "segment": "web"}
    table = visitor_segments(
        frame(
            Visitors,
            [
                visitor("2025-01-30"),
                visitor("2025-01-20", "bob"),
                visitor("2025-02-02", "cyd"),
                visitor("2025-01-31", **web),
            ],
        )
    )
    expected = [
        ("2025-01-01", "all", "all", "2025-01-20"),
        ("2025-02-01", "all", "all", "2025-02-02"),
        ("2025-01-01", "platform", "web", "2025-01-31"),
    ]
    rows = [
        {"first_month": day(m), "dimension": d, "segment": s, "first_date": day(f)}
        for m, d, s, f in expected
    ]
    assert_rows(table, VisitorSegments, rows)
