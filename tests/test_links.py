from frames import assert_rows, at, day, frame

from schemas.base import empty
from schemas.events import Events
from schemas.excluded_events import ExcludedEvents
from schemas.links import Links
from transforms.links import links


def event(event_id: str, when: str, user: str | None, anonymous: str | None) -> dict[str, object]:
    return {
        "event_id": event_id,
        "event_name": "page_view",
        "event_ts": at(when),
        "user_id": user,
        "anonymous_id": anonymous,
        "received_ts": at(when),
        "event_date": day(when[:10]),
        "landing_date": day(when[:10]),
    }


def link(
    anonymous: str, user: str, first: str, last: str, *, is_staff: bool = False
) -> dict[str, object]:
    return {
        "event_date": day(first[:10]),
        "anonymous_id": anonymous,
        "user_id": user,
        "first_ts": at(first),
        "last_ts": at(last),
        "is_staff": is_staff,
    }


def test_events_in_a_row_to_one_user_are_one_run() -> None:
    rows = [
        event("1", "2025-03-01 09:00", "ann", "phone"),
        event("2", "2025-03-01 11:00", "ann", "phone"),
        event("3", "2025-03-01 10:00", "ann", "phone"),
    ]
    assert_rows(
        links(frame(Events, rows), empty(ExcludedEvents)),
        Links,
        [link("phone", "ann", "2025-03-01 09:00", "2025-03-01 11:00")],
    )


def test_another_user_in_between_parts_a_run() -> None:
    rows = [
        event("1", "2025-03-01 09:00", "ann", "phone"),
        event("2", "2025-03-01 10:00", "bob", "phone"),
        event("3", "2025-03-01 11:00", "ann", "phone"),
        event("4", "2025-03-01 12:00", "ann", "phone"),
    ]
    assert_rows(
        links(frame(Events, rows), empty(ExcludedEvents)),
        Links,
        [
            link("phone", "ann", "2025-03-01 09:00", "2025-03-01 09:00"),
            link("phone", "bob", "2025-03-01 10:00", "2025-03-01 10:00"),
            link("phone", "ann", "2025-03-01 11:00", "2025-03-01 12:00"),
        ],
    )


def test_an_event_without_either_id_links_nobody_and_parts_no_run() -> None:
    rows = [
        event("1", "2025-03-01 09:00", "ann", "phone"),
        event("2", "2025-03-01 10:00", None, "phone"),
        event("3", "2025-03-01 10:00", "bob", None),
        event("4", "2025-03-01 11:00", "ann", "phone"),
    ]
    assert_rows(
        links(frame(Events, rows), empty(ExcludedEvents)),
        Links,
        [link("phone", "ann", "2025-03-01 09:00", "2025-03-01 11:00")],
    )


def test_runs_end_with_the_day_and_with_the_anonymous_id() -> None:
    rows = [
        event("1", "2025-03-01 23:00", "ann", "phone"),
        event("2", "2025-03-02 01:00", "ann", "phone"),
        event("3", "2025-03-02 01:00", "ann", "tablet"),
    ]
    assert_rows(
        links(frame(Events, rows), empty(ExcludedEvents)),
        Links,
        [
            link("phone", "ann", "2025-03-01 23:00", "2025-03-01 23:00"),
            link("phone", "ann", "2025-03-02 01:00", "2025-03-02 01:00"),
            link("tablet", "ann", "2025-03-02 01:00", "2025-03-02 01:00"),
        ],
    )


def test_events_at_one_instant_go_by_event_id() -> None:
    # In the order of ids: ann, ann, bob; the run of ann ends where that of bob begins.
    rows = [
        event("1", "2025-03-01 09:00", "ann", "phone"),
        event("2", "2025-03-01 10:00", "ann", "phone"),
        event("3", "2025-03-01 10:00", "bob", "phone"),
    ]
    assert_rows(
        links(frame(Events, rows), empty(ExcludedEvents)),
        Links,
        [
            link("phone", "ann", "2025-03-01 09:00", "2025-03-01 10:00"),
            link("phone", "bob", "2025-03-01 10:00", "2025-03-01 10:00"),
        ],
    )


def test_runs_of_one_user_at_one_instant_are_one_row() -> None:
    rows = [
        event("1", "2025-03-01 10:00", "ann", "phone"),
        event("2", "2025-03-01 10:00", "bob", "phone"),
        event("3", "2025-03-01 10:00", "ann", "phone"),
    ]
    assert_rows(
        links(frame(Events, rows), empty(ExcludedEvents)),
        Links,
        [
            link("phone", "ann", "2025-03-01 10:00", "2025-03-01 10:00"),
            link("phone", "bob", "2025-03-01 10:00", "2025-03-01 10:00"),
        ],
    )


def test_staff_s_events_link_and_part_runs_though_they_do_not_count() -> None:
    rows = [
        event("1", "2025-03-01 09:00", "ann", "phone"),
        event("4", "2025-03-01 11:00", "ann", "phone"),
    ]
    excluded = [
        {**left_out("2", "2025-03-01 10:00", "bob"), "rule": "staff"},
        {**left_out("3", "2025-03-01 10:30", "cyd"), "rule": "user_agent"},
    ]
    assert_rows(
        links(frame(Events, rows), frame(ExcludedEvents, excluded)),
        Links,
        [
            link("phone", "ann", "2025-03-01 09:00", "2025-03-01 09:00"),
            link("phone", "bob", "2025-03-01 10:00", "2025-03-01 10:00", is_staff=True),
            link("phone", "ann", "2025-03-01 11:00", "2025-03-01 11:00"),
        ],
    )


def left_out(event_id: str, when: str, user: str) -> dict[str, object]:
    row = event(event_id, when, user, "phone")
    kept = {name: row[name] for name in row if name not in ("event_name", "received_ts")}
    return {**kept, "file": "f", "line": int(event_id)}
