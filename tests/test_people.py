from frames import assert_rows, at, day, frame

from schemas.events import Events
from schemas.stitches import Stitches
from transforms.people import is_active, with_person

TODAY = day("2025-03-01")


def event(event_id: str, clock: str, user: str | None, anonymous: str | None) -> dict[str, object]:
    return {
        "event_id": event_id,
        "event_name": "page_view",
        "event_ts": at(f"2025-03-01 {clock}"),
        "user_id": user,
        "anonymous_id": anonymous,
        "received_ts": at(f"2025-03-01 {clock}"),
        "event_date": TODAY,
        "landing_date": TODAY,
    }


def stitch(
    anonymous: str, clock: str, user: str | None, until: str | None = None
) -> dict[str, object]:
    return {
        "event_date": TODAY,
        "anonymous_id": anonymous,
        "from_ts": at(f"2025-03-01 {clock}"),
        "until_ts": at(f"2025-03-01 {until}") if until else None,
        "user_id": user,
    }


def people(events: list[dict[str, object]], stitches: list[dict[str, object]]) -> dict[str, str]:
    table = with_person(frame(Events, events), frame(Stitches, stitches))
    rows = table.collect()
    assert rows.columns == frame(Events).collect_schema().names()
    return dict(rows.select("event_id", "user_id").rows())


def test_a_known_user_is_the_person_whatever_the_anonymous_id_is_stitched_to() -> None:
    assert people([event("1", "10:00", "ann", "phone")], [stitch("phone", "09:00", "bob")]) == {
        "1": "ann"
    }


def test_an_event_without_a_user_belongs_to_the_stitched_user() -> None:
    assert people([event("1", "10:00", None, "phone")], [stitch("phone", "10:00", "ann")]) == {
        "1": "ann"
    }


def test_an_anonymous_id_that_is_stitched_to_nobody_is_its_own_person() -> None:
    assert people([event("1", "10:00", None, "phone")], []) == {"1": "phone"}


def test_a_stitch_holds_from_its_instant_until_the_next_one() -> None:
    changes = [stitch("phone", "08:00", "ann", "12:00"), stitch("phone", "12:00", "bob")]
    events = [
        event("first", "08:00", None, "phone"),
        event("last before", "11:59", None, "phone"),
        event("at the change", "12:00", None, "phone"),
        event("evening", "23:59", None, "phone"),
    ]
    assert people(events, changes) == {
        "first": "ann",
        "last before": "ann",
        "at the change": "bob",
        "evening": "bob",
    }


def test_where_a_stitch_says_nobody_the_events_stay_the_anonymous_ids() -> None:
    changes = [stitch("phone", "08:00", None, "12:00"), stitch("phone", "12:00", "ann")]
    events = [event("1", "09:00", None, "phone"), event("2", "13:00", None, "phone")]
    assert people(events, changes) == {"1": "phone", "2": "ann"}


def test_no_event_is_lost_or_doubled() -> None:
    events = [event("1", "09:00", None, "phone"), event("2", "09:00", None, "tablet")]
    changes = [stitch("phone", "09:00", "ann", "10:00"), stitch("phone", "10:00", None)]
    table = with_person(frame(Events, events), frame(Stitches, changes))
    assert_rows(
        table,
        Events,
        [{"event_id": "1", "user_id": "ann"}, {"event_id": "2", "user_id": "tablet"}],
    )


def active(names: list[str], setting: list[str]) -> list[str]:
    rows = [event(name, "10:00", "ann", None) | {"event_name": name} for name in names]
    chosen = frame(Events, rows).filter(is_active(setting)).collect()
    return sorted(chosen["event_name"].to_list())


def test_by_default_everything_is_active_but_deliveries_and_impressions() -> None:
    names = ["page_view", "email_sent", "email_clicked", "email_opened", "ad_impression", "made_up"]
    assert active(names, []) == ["email_clicked", "made_up", "page_view"]


def test_a_list_of_active_events_replaces_the_default() -> None:
    assert active(["page_view", "email_opened"], ["email_opened"]) == ["email_opened"]


def test_events_that_are_stitched_to_staff_are_dropped_and_those_before_and_after_kept() -> None:
    changes = [
        stitch("phone", "08:00", "ann", "10:00"),
        {**stitch("phone", "10:00", "bob", "12:00"), "is_staff": True},
        stitch("phone", "12:00", None),
    ]
    clocks = ("09:00", "10:00", "11:59", "12:00")
    events = [event(clock, clock, None, "phone") for clock in clocks]
    assert people(events, changes) == {"09:00": "ann", "12:00": "phone"}
