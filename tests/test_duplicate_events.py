from frames import assert_rows, at, day, frame

from schemas.duplicate_events import DuplicateEvents
from schemas.landed_events import LandedEvents
from transforms.duplicate_events import duplicate_events


def landed(line: int, event_day: str, received: str, **more: object) -> dict[str, object]:
    return {
        "event_id": "e",
        "event_name": "page_view",
        "event_ts": at(f"{event_day} 12:00"),
        "user_id": "ann",
        "received_ts": at(received),
        "event_date": day(event_day),
        "landing_date": day(received[:10]),
        "file": "f.csv",
        "line": line,
        "content_hash": 1,
        **more,
    }


def losers(*rows: dict[str, object], days: int = 7) -> list[int]:
    table = duplicate_events(frame(LandedEvents, rows), duplicate_days=days)
    return sorted(table.collect()["line"].to_list())


def test_of_two_rows_with_one_id_the_one_received_later_is_the_duplicate() -> None:
    rows = [
        landed(1, "2025-03-01", "2025-03-02 10:00"),
        landed(2, "2025-03-01", "2025-03-02 09:00"),
    ]
    assert_rows(
        duplicate_events(frame(LandedEvents, rows), duplicate_days=7),
        DuplicateEvents,
        [
            {
                "event_date": day("2025-03-01"),
                "landing_date": day("2025-03-02"),
                "file": "f.csv",
                "line": 1,
                "event_id": "e",
            }
        ],
    )


def test_rows_with_different_ids_are_no_duplicates() -> None:
    first = landed(1, "2025-03-01", "2025-03-02 10:00")
    assert losers(first, first | {"event_id": "E", "line": 2}) == []


def test_rows_received_at_one_instant_go_by_landing_date_then_file_then_line() -> None:
    same = {"event_ts": at("2025-03-01 12:00"), "received_ts": at("2025-03-01 12:00")}
    winner = landed(9, "2025-03-01", "2025-03-02 12:00", file="a.csv", **same)
    later_landing = landed(1, "2025-03-01", "2025-03-03 12:00", file="a.csv", **same)
    later_file = landed(2, "2025-03-01", "2025-03-02 12:00", file="b.csv", **same)
    later_line = landed(10, "2025-03-01", "2025-03-02 12:00", file="a.csv", **same)
    assert losers(later_line, later_file, later_landing, winner) == [1, 2, 10]


def test_on_one_event_day_the_age_of_a_duplicate_does_not_matter() -> None:
    first = landed(1, "2025-03-01", "2025-03-01 12:00")
    assert losers(first, landed(2, "2025-03-01", "2027-03-01 12:00")) == [2]


def test_event_days_may_lie_duplicate_days_apart_and_no_more() -> None:
    # From the 1st to the 8th are 7 days, to the 9th 8.
    first = landed(1, "2025-03-01", "2025-03-10 12:00")
    assert losers(first, landed(2, "2025-03-08", "2025-03-11 12:00")) == [2]
    assert losers(first, landed(2, "2025-03-09", "2025-03-11 12:00")) == []
    assert losers(
        landed(2, "2025-03-01", "2025-03-11 12:00"), first | {"event_date": day("2025-03-08")}
    ) == [2]


def test_with_no_duplicate_days_only_the_same_event_day_counts() -> None:
    first = landed(1, "2025-03-01", "2025-03-10 12:00")
    assert losers(first, landed(2, "2025-03-02", "2025-03-11 12:00"), days=0) == []
    assert losers(first, landed(2, "2025-03-01", "2025-03-11 12:00"), days=0) == [2]


def test_a_row_loses_to_an_earlier_one_even_if_that_one_lost_itself() -> None:
    # 2 loses to 1, 3 loses to 2, though 1 and 3 are 10 days apart.
    rows = [
        landed(1, "2025-03-01", "2025-03-20 10:00"),
        landed(2, "2025-03-06", "2025-03-20 11:00"),
        landed(3, "2025-03-11", "2025-03-20 12:00"),
    ]
    assert losers(*rows, days=5) == [2, 3]


def test_an_earlier_row_loses_to_none_that_came_after_it() -> None:
    rows = [
        landed(1, "2025-03-09", "2025-03-20 10:00"),
        landed(2, "2025-03-01", "2025-03-20 11:00"),
    ]
    assert losers(*rows, days=7) == []


def test_a_duplicate_that_says_something_else_than_the_first_received_is_marked() -> None:
    rows = [
        landed(1, "2025-03-01", "2025-03-20 10:00"),
        landed(2, "2025-03-01", "2025-03-20 11:00", content_hash=2),
        landed(3, "2025-03-02", "2025-03-20 12:00", content_hash=2),
        landed(4, "2025-03-01", "2025-03-20 13:00"),
    ]
    assert_rows(
        duplicate_events(frame(LandedEvents, rows), duplicate_days=7),
        DuplicateEvents,
        [
            {"line": 2, "differs": True},
            {"line": 3, "differs": True},
            {"line": 4, "differs": False},
        ],
    )
