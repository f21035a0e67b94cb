from frames import assert_rows, at, day, frame

from schemas.base import empty
from schemas.landed_tickets import LandedTickets
from schemas.staff import Staff
from schemas.tickets import Tickets
from transforms.tickets import tickets

TICKET = {
    "ticket_id": "t",
    "opened_ts": at("2024-01-01 10:00"),
    "event_date": day("2024-01-01"),
    "landing_date": day("2024-01-03"),
    "file": "a.csv",
}


def test_the_state_that_was_updated_last_counts_though_it_landed_first() -> None:
    rows = [
        {"line": 1, "updated_ts": at("2024-01-02 10:00")},
        {"line": 2, "updated_ts": at("2024-01-01 11:00"), "landing_date": day("2024-01-09")},
        {"line": 3, "updated_ts": None, "landing_date": day("2024-01-10")},
        {"line": 4, "ticket_id": "u", "updated_ts": None},
    ]
    assert_rows(
        tickets(frame(LandedTickets, rows, **TICKET), empty(Staff)),
        Tickets,
        [
            {"line": 1, "fate": "counts"},
            {"line": 2, "fate": "duplicate"},
            {"line": 3, "fate": "duplicate"},
            {"line": 4, "fate": "counts"},
        ],
    )


def test_of_two_states_of_one_minute_the_later_line_counts() -> None:
    minute = {"updated_ts": at("2024-01-02 10:00")}
    rows = [{"line": 10, **minute}, {"line": 9, **minute}]
    assert_rows(
        tickets(frame(LandedTickets, rows, **TICKET), empty(Staff)),
        Tickets,
        [{"line": 10, "fate": "counts"}, {"line": 9, "fate": "duplicate"}],
    )


def test_without_a_time_of_update_the_last_row_to_land_counts() -> None:
    rows = [{"line": 1, "landing_date": day("2024-01-04")}, {"line": 2}]
    assert_rows(
        tickets(frame(LandedTickets, rows, **TICKET), empty(Staff)),
        Tickets,
        [{"line": 1, "fate": "counts"}, {"line": 2, "fate": "duplicate"}],
    )


def test_a_ticket_of_staff_is_excluded() -> None:
    rows = [
        {"line": 1, "ticket_id": "t", "customer_id": "bob"},
        {"line": 2, "ticket_id": "u", "customer_id": "ada"},
        {"line": 3, "ticket_id": "v", "customer_id": None},
    ]
    assert_rows(
        tickets(frame(LandedTickets, rows, **TICKET), frame(Staff, [{"staff_id": "bob"}])),
        Tickets,
        [
            {"ticket_id": "t", "fate": "excluded"},
            {"ticket_id": "u", "fate": "counts"},
            {"ticket_id": "v", "fate": "counts"},
        ],
    )
