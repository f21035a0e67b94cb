"""Anonymous ids and the users they belong to."""

from frames import assert_rows, at, day, frame

from schemas.identities import Identities
from schemas.identity_months import IdentityMonths
from transforms.identities import identities


def month(first_day: str, user: str, days: list[str], events: int) -> dict[str, object]:
    return {
        "month": day(first_day),
        "anonymous_id": "phone",
        "user_id": user,
        "first_link_ts": at(days[0]) if days else None,
        "last_link_ts": at(days[-1]) if days else None,
        "linked_days": len(days),
        "events": events,
    }


def test_the_months_of_a_pair_are_put_together() -> None:
    rows = [
        month("2025-03-01", "ann", [], 4),
        month("2025-04-01", "ann", ["2025-04-02 08:00", "2025-04-09 08:00"], 1),
        month("2025-06-01", "ann", ["2025-06-01 08:00"], 0),
        month("2025-04-01", "bob", ["2025-04-03 08:00"], 0),
    ]
    assert_rows(
        identities(frame(IdentityMonths, rows)),
        Identities,
        [
            {
                "anonymous_id": "phone",
                "user_id": "ann",
                "first_link_ts": at("2025-04-02 08:00"),
                "last_link_ts": at("2025-06-01 08:00"),
                "linked_days": 3,
                "events": 5,
            },
            {
                "anonymous_id": "phone",
                "user_id": "bob",
                "first_link_ts": at("2025-04-03 08:00"),
                "last_link_ts": at("2025-04-03 08:00"),
                "linked_days": 1,
                "events": 0,
            },
        ],
    )


def test_where_nobody_is_linked_there_is_no_row() -> None:
    assert_rows(identities(frame(IdentityMonths)), Identities, [])
