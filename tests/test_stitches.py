from frames import assert_rows, at, day, frame

from schemas.events import Events
from schemas.links import Links
from schemas.stitches import Stitches
from transforms.stitches import stitches

EIGHT, ELEVEN = at("2025-03-01 08:00"), at("2025-03-01 11:00")


def unknown(when: str, anonymous: str = "phone", **more: object) -> dict[str, object]:
    return {
        "event_id": f"{anonymous} {when}",
        "event_name": "page_view",
        "event_ts": at(when),
        "anonymous_id": anonymous,
        "received_ts": at(when),
        "event_date": day(when[:10]),
        "landing_date": day(when[:10]),
        **more,
    }


def link(user: str, first: str, last: str | None = None, **more: object) -> dict[str, object]:
    return {
        "event_date": day(first[:10]),
        "anonymous_id": "phone",
        "user_id": user,
        "first_ts": at(first),
        "last_ts": at(last or first),
        "is_staff": False,
        **more,
    }


def changes(
    events: list[dict[str, object]], links: list[dict[str, object]], days: int = 30
) -> list[tuple[str, str | None]]:
    table = stitches(frame(Events, events), frame(Links, links), stitch_days=days).collect()
    rows = table.sort("anonymous_id", "from_ts").select("from_ts", "user_id").rows()
    return [(f"{from_ts:%m-%d %H:%M}", user) for from_ts, user in rows]


def test_an_event_belongs_to_the_first_user_linked_after_it() -> None:
    assert_rows(
        stitches(
            frame(Events, [unknown("2025-03-01 09:00")]),
            frame(Links, [link("bob", "2025-03-03 09:00"), link("ann", "2025-03-02 09:00")]),
            stitch_days=30,
        ),
        Stitches,
        [
            {
                "event_date": day("2025-03-01"),
                "anonymous_id": "phone",
                "from_ts": at("2025-03-01 09:00"),
                "until_ts": None,
                "user_id": "ann",
                "is_staff": False,
                "events": 1,
            }
        ],
    )


def test_a_link_after_the_event_beats_a_nearer_one_before_it() -> None:
    links = [link("bob", "2025-03-01 08:59"), link("ann", "2025-03-20 09:00")]
    assert changes([unknown("2025-03-01 09:00")], links) == [("03-01 09:00", "ann")]


def test_without_a_link_after_it_an_event_belongs_to_the_last_user_linked_before_it() -> None:
    links = [link("ann", "2025-02-20 09:00"), link("bob", "2025-02-21 09:00")]
    assert changes([unknown("2025-03-01 09:00")], links) == [("03-01 09:00", "bob")]


def test_a_link_at_the_instant_of_the_event_counts_as_after_it() -> None:
    links = [link("ann", "2025-03-01 09:00"), link("bob", "2025-03-01 10:00")]
    assert changes([unknown("2025-03-01 09:00")], links) == [("03-01 09:00", "ann")]


def test_a_link_counts_at_exactly_stitch_days_of_24_hours_and_not_a_minute_more() -> None:
    # From 1 March 09:00, two days reach to 3 March 09:00 and back to 27 February 09:00.
    event = [unknown("2025-03-01 09:00")]
    assert changes(event, [link("ann", "2025-03-03 09:00")], 2) == [("03-01 09:00", "ann")]
    assert changes(event, [link("ann", "2025-03-03 09:01")], 2) == []
    assert changes(event, [link("ann", "2025-02-27 09:00")], 2) == [("03-01 09:00", "ann")]
    assert changes(event, [link("ann", "2025-02-27 08:59")], 2) == []


def test_a_link_out_of_reach_after_the_event_leaves_it_to_one_within_reach_before() -> None:
    links = [link("bob", "2025-02-28 09:00"), link("ann", "2025-03-20 09:00")]
    assert changes([unknown("2025-03-01 09:00")], links, 2) == [("03-01 09:00", "bob")]


def test_a_run_that_spans_the_event_is_at_no_distance() -> None:
    run = [link("ann", "2025-03-01 08:00", "2025-03-01 23:00")]
    assert changes([unknown("2025-03-01 09:00")], run, 0) == [("03-01 09:00", "ann")]


def test_the_distance_to_a_run_is_that_to_its_nearer_end() -> None:
    ahead = [link("ann", "2025-03-02 08:00", "2025-03-02 20:00")]
    assert changes([unknown("2025-03-01 09:00")], ahead, 1) == [("03-01 09:00", "ann")]
    behind = [link("ann", "2025-02-28 02:00", "2025-02-28 10:00")]
    assert changes([unknown("2025-03-01 09:00")], behind, 1) == [("03-01 09:00", "ann")]


def test_events_of_equal_outcome_in_a_row_are_one_change() -> None:
    links = [link("ann", "2025-03-01 10:00"), link("bob", "2025-03-01 12:00")]
    clocks = ["08:00", "09:00", "11:00", "13:00", "14:00"]
    events = [unknown(f"2025-03-01 {clock}") for clock in clocks]
    # Until 10:00 ann's, then bob's: as the next user at 11:00, as the last one from 13:00 on.
    assert changes(events, links) == [("03-01 08:00", "ann"), ("03-01 11:00", "bob")]


def test_a_stretch_that_nobody_is_linked_to_is_said_aloud_between_others() -> None:
    # With one day's reach: 00:00 is ann's of the day before, 12:00 nobody's, 23:00 bob's.
    links = [link("ann", "2025-02-28 01:00"), link("bob", "2025-03-02 22:00")]
    events = [unknown(f"2025-03-01 {clock}") for clock in ("00:00", "12:00", "23:00")]
    assert changes(events, links, 1) == [
        ("03-01 00:00", "ann"),
        ("03-01 12:00", None),
        ("03-01 23:00", "bob"),
    ]


def test_an_id_that_is_linked_on_one_day_only_has_rows_on_that_day_only() -> None:
    events = [unknown("2025-03-01 09:00"), unknown("2025-03-09 09:00")]
    assert changes(events, [link("ann", "2025-03-02 09:00")], 2) == [("03-01 09:00", "ann")]


def test_each_day_begins_anew() -> None:
    events = [unknown("2025-03-01 09:00"), unknown("2025-03-02 09:00")]
    assert changes(events, [link("ann", "2025-03-03 09:00")]) == [
        ("03-01 09:00", "ann"),
        ("03-02 09:00", "ann"),
    ]


def test_events_with_a_user_and_ids_without_links_have_no_rows() -> None:
    events = [unknown("2025-03-01 09:00", user_id="ann"), unknown("2025-03-01 09:00", "tablet")]
    assert changes(events, [link("ann", "2025-03-01 10:00")]) == []


def test_of_users_linked_at_one_instant_the_run_that_began_first_is_the_next_one() -> None:
    links = [
        link("ann", "2025-03-01 10:00", "2025-03-01 10:00"),
        link("zoe", "2025-03-01 08:00", "2025-03-01 10:00"),
    ]
    assert changes([unknown("2025-03-01 09:00")], links) == [("03-01 09:00", "zoe")]
    alike = [link("zoe", "2025-03-01 10:00"), link("ann", "2025-03-01 10:00")]
    assert changes([unknown("2025-03-01 09:00")], alike) == [("03-01 09:00", "ann")]


def test_of_users_linked_at_one_instant_the_run_that_began_last_is_the_last_one() -> None:
    links = [
        link("zoe", "2025-03-01 08:00", "2025-03-01 10:00"),
        link("ann", "2025-03-01 10:00", "2025-03-01 10:00"),
    ]
    assert changes([unknown("2025-03-01 11:00")], links) == [("03-01 11:00", "ann")]


def test_a_change_says_how_many_events_it_holds_and_whether_they_are_staff_s() -> None:
    links = [
        link("bob", "2025-03-01 10:00", is_staff=True),
        link("ann", "2025-03-01 12:00"),
    ]
    events = [
        unknown("2025-03-01 08:00"),
        unknown("2025-03-01 09:00"),
        unknown("2025-03-01 09:00", event_id="at the same instant"),
        unknown("2025-03-01 11:00"),
    ]
    table = stitches(frame(Events, events), frame(Links, links), stitch_days=30)
    assert_rows(
        table,
        Stitches,
        [
            {"from_ts": EIGHT, "until_ts": ELEVEN, "user_id": "bob", "is_staff": True, "events": 3},
            {"from_ts": ELEVEN, "until_ts": None, "user_id": "ann", "is_staff": False, "events": 1},
        ],
    )


def test_a_stretch_ends_with_its_day_and_its_anonymous_id() -> None:
    links = [
        link("ann", "2025-03-01 12:00", "2025-03-02 12:00"),
        link("bob", "2025-03-01 12:00") | {"anonymous_id": "tablet"},
    ]
    events = [
        unknown("2025-03-01 09:00"),
        unknown("2025-03-02 09:00"),
        unknown("2025-03-01 09:00", "tablet"),
    ]
    table = stitches(frame(Events, events), frame(Links, links), stitch_days=30)
    assert table.collect()["until_ts"].to_list() == [None, None, None]


def test_a_stretch_of_nobody_s_is_not_staff_s() -> None:
    links = [link("bob", "2025-02-28 01:00", is_staff=True)]
    events = [unknown(f"2025-03-01 {clock}") for clock in ("00:00", "12:00")]
    table = stitches(frame(Events, events), frame(Links, links), stitch_days=1)
    assert_rows(
        table,
        Stitches,
        [
            {"user_id": "bob", "is_staff": True, "events": 1},
            {"user_id": None, "is_staff": False, "events": 1},
        ],
    )
