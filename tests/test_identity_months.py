"""Links and stitched events of a month."""

from frames import assert_rows, at, day, frame

from schemas.identity_months import IdentityMonths
from schemas.links import Links
from schemas.stitches import Stitches
from transforms.identity_months import identity_months

THROUGH = day("2025-04-30")


def link(user: str, first: str, last: str, **more: object) -> dict[str, object]:
    row = {"event_date": day(first[:10]), "anonymous_id": "phone", "user_id": user}
    return {**row, "first_ts": at(first), "last_ts": at(last), "is_staff": False, **more}


def stitched(user: str | None, when: str, events: int, **more: object) -> dict[str, object]:
    row = {"event_date": day(when[:10]), "anonymous_id": "phone", "user_id": user}
    return {**row, "from_ts": at(when), "events": events, "is_staff": False, **more}


def test_links_and_given_events_of_a_pair_are_put_together_by_month() -> None:
    links = [
        link("ann", "2025-03-01 09:00", "2025-03-01 09:30"),
        link("ann", "2025-03-01 11:00", "2025-03-01 12:00"),
        link("ann", "2025-03-31 08:00", "2025-03-31 08:00"),
        link("bob", "2025-03-01 10:00", "2025-03-01 10:00"),
        link("ann", "2025-04-01 08:00", "2025-04-01 08:00"),
    ]
    stitches = [
        stitched("ann", "2025-03-01 08:00", 2),
        stitched("ann", "2025-03-30 08:00", 3),
        stitched(None, "2025-03-02 08:00", 9),
    ]
    march, april = day("2025-03-01"), day("2025-04-01")
    # ann in March: three runs on two days, 2 + 3 events given.
    assert_rows(
        identity_months(frame(Links, links), frame(Stitches, stitches), data_through=THROUGH),
        IdentityMonths,
        [
            {
                "month": march,
                "anonymous_id": "phone",
                "user_id": "ann",
                "first_link_ts": at("2025-03-01 09:00"),
                "last_link_ts": at("2025-03-31 08:00"),
                "linked_days": 2,
                "events": 5,
            },
            {
                "month": march,
                "anonymous_id": "phone",
                "user_id": "bob",
                "first_link_ts": at("2025-03-01 10:00"),
                "last_link_ts": at("2025-03-01 10:00"),
                "linked_days": 1,
                "events": 0,
            },
            {
                "month": april,
                "anonymous_id": "phone",
                "user_id": "ann",
                "first_link_ts": at("2025-04-01 08:00"),
                "last_link_ts": at("2025-04-01 08:00"),
                "linked_days": 1,
                "events": 0,
            },
        ],
    )


def test_a_month_may_be_given_events_by_a_link_of_another() -> None:
    assert_rows(
        identity_months(
            frame(Links),
            frame(Stitches, [stitched("ann", "2025-03-31 08:00", 4)]),
            data_through=THROUGH,
        ),
        IdentityMonths,
        [{"user_id": "ann", "first_link_ts": None, "linked_days": 0, "events": 4}],
    )


def test_staff_and_what_lies_after_the_horizon_are_left_out() -> None:
    links = [
        link("bob", "2025-03-01 09:00", "2025-03-01 09:00", is_staff=True),
        link("ann", "2025-03-02 09:00", "2025-03-02 09:00"),
    ]
    stitches = [
        stitched("bob", "2025-03-01 08:00", 2, is_staff=True),
        stitched("ann", "2025-03-01 09:30", 1),
        stitched("ann", "2025-03-02 08:00", 3),
    ]
    assert_rows(
        identity_months(
            frame(Links, links), frame(Stitches, stitches), data_through=day("2025-03-01")
        ),
        IdentityMonths,
        [{"user_id": "ann", "first_link_ts": None, "linked_days": 0, "events": 1}],
    )
