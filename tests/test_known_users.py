from pathlib import Path

from frames import assert_rows, at, day, frame
from homes import event, make_home, run_home, warehouse_table

from schemas.events import Events
from schemas.known_users import KnownUsers
from transforms.known_users import known_users


def happened(when: str, user_id: str | None, **columns: object) -> dict[str, object]:
    said = {"event_date": day(when), "event_ts": at(f"{when} 12:00"), "event_id": when}
    return {**said, "event_name": "view", "user_id": user_id, **columns}


def seen(when: str, user_id: str) -> dict[str, object]:
    return {
        "first_month": day(when).replace(day=1),
        "user_id": user_id,
        "first_date": day(when),
    }


def test_a_user_is_known_from_the_first_event_on_that_names_them() -> None:
    rows = [happened("2024-01-05", "ann"), happened("2024-01-03", "ann")]
    assert_rows(
        known_users(frame(Events, rows), frame(KnownUsers)),
        KnownUsers,
        [seen("2024-01-03", "ann")],
    )


def test_who_was_known_before_is_not_known_anew() -> None:
    rows = [happened("2024-02-05", "ann"), happened("2024-02-06", "bob")]
    before = frame(KnownUsers, [seen("2024-01-03", "ann")])
    assert_rows(known_users(frame(Events, rows), before), KnownUsers, [seen("2024-02-06", "bob")])


def test_an_anonymous_id_is_no_user_and_a_mail_names_one() -> None:
    rows = [
        happened("2024-01-03", None, anonymous_id="x"),
        happened("2024-01-04", "ann", event_name="email_delivered"),
    ]
    found = known_users(frame(Events, rows), frame(KnownUsers))
    assert_rows(found, KnownUsers, [seen("2024-01-04", "ann")])


def test_an_older_row_that_comes_late_moves_a_user_to_its_month(folder: Path) -> None:
    rows = {
        "2024-03-01": [event("a", "2024-02-28T10:00:00")],
        "2024-03-02": [event("b", "2024-03-01T10:00:00"), event("c", "2024-03-01T10:00:00")],
    }
    home = make_home(folder / "home", files=rows)
    run_home(home, select=["known_users"])
    assert warehouse_table(home, "known_users").rows() == [
        (day("2024-02-01"), "ada", day("2024-02-28"))
    ]
