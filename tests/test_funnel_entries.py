from typing import Any

from frames import at, collected, day, frame
from funnel_rows import BUY, TWICE, step

from schemas.funnel_entries import FunnelEntries
from schemas.funnel_events import FunnelEvents
from transforms.funnel_entries import funnel_entries


def entries(rows: list[Any], *funnels: Any) -> list[Any]:
    """Day of entry, person, step, day on which it was reached, seconds since the one before."""
    table = funnel_entries(frame(FunnelEvents, rows), funnels=funnels or (BUY,))
    return [
        (str(entered)[5:], person, number, str(reached)[5:], took and took / 1_000_000)
        for entered, _, person, number, reached, took in collected(table, FunnelEntries).rows()
    ]


def test_steps_are_reached_one_after_the_other() -> None:
    # ada goes all the way: 60 s, then 600 s; bob only looks.
    rows = [
        step(1, "2024-01-01 09:00", "a"),
        step(2, "2024-01-01 09:01", "b"),
        step(3, "2024-01-01 09:11", "c"),
        step(1, "2024-01-01 09:00", "d", "bob"),
    ]
    assert entries(rows) == [
        ("01-01", "ada", 1, "01-01", None),
        ("01-01", "ada", 2, "01-01", 60.0),
        ("01-01", "ada", 3, "01-01", 600.0),
        ("01-01", "bob", 1, "01-01", None),
    ]


def test_a_step_before_the_one_that_it_follows_does_not_count() -> None:
    # Ordered before looking; and put in the cart only after the second order.
    rows = [
        step(3, "2024-01-01 08:00", "a"),
        step(1, "2024-01-01 09:00", "b"),
        step(3, "2024-01-01 10:00", "c"),
        step(2, "2024-01-01 11:00", "d"),
    ]
    assert [row[2] for row in entries(rows)] == [1, 2]


def test_the_earliest_event_after_the_step_before_counts() -> None:
    # The cart at 09:00 is before the entry; of those at 10 and 12 the one at 10 is taken, and the
    # order at 11 follows it.
    rows = [
        step(2, "2024-01-01 09:00", "a"),
        step(1, "2024-01-01 09:30", "b"),
        step(2, "2024-01-01 10:00", "c"),
        step(3, "2024-01-01 11:00", "d"),
        step(2, "2024-01-01 12:00", "e"),
        step(3, "2024-01-01 13:00", "f"),
    ]
    assert [row[2:] for row in entries(rows)] == [
        (1, "01-01", None),
        (2, "01-01", 1800.0),
        (3, "01-01", 3600.0),
    ]


def test_the_last_instant_of_the_window_is_in_it() -> None:
    # 24 hours after 09:00; a microsecond later is too late.
    first = step(1, "2024-01-01 09:00", "a")
    assert len(entries([first, step(2, "2024-01-02 09:00", "b")])) == 2
    assert len(entries([first, step(2, "2024-01-02 09:00:00.000001", "b")])) == 1


def test_the_window_runs_from_the_first_step_for_all_of_them() -> None:
    # The cart comes after 23 hours, the order two hours later, 25 hours after the entry.
    rows = [
        step(1, "2024-01-01 09:00", "a"),
        step(2, "2024-01-02 08:00", "b"),
        step(3, "2024-01-02 10:00", "c"),
    ]
    assert [row[2:4] for row in entries(rows)] == [(1, "01-01"), (2, "01-02")]


def test_ties_go_by_the_event_id() -> None:
    # At one instant: b comes after a, and before it does not.
    same = "2024-01-01 09:00"
    assert len(entries([step(1, same, "a"), step(2, same, "b")])) == 2
    assert len(entries([step(1, same, "b"), step(2, same, "a")])) == 1
    three = [step(1, same, "a"), step(2, same, "c"), step(3, same, "b"), step(3, same, "d")]
    assert [row[4] for row in entries(three)] == [None, 0.0, 0.0]


def test_one_event_is_never_two_steps_of_one_entry() -> None:
    # A view is both steps: the first one enters, and only another one is the second step.
    def views(*times: str) -> list[Any]:
        first = [step(1, times[0], times[0], funnel="twice")]
        return first + [step(2, time, time, funnel="twice") for time in times]

    assert len(entries(views("2024-01-01 09:00"), TWICE)) == 1
    assert [row[4] for row in entries(views("2024-01-01 09:00", "2024-01-01 09:05"), TWICE)] == [
        None,
        300.0,
    ]


def test_who_enters_on_two_days_has_two_entries_and_an_event_may_serve_both() -> None:
    # The cart on the second day at 08:00 is 23 hours after the first entry, and before the second.
    rows = [
        step(1, "2024-01-01 09:00", "a"),
        step(2, "2024-01-02 08:00", "b"),
        step(1, "2024-01-02 07:30", "c"),
    ]
    assert entries(rows) == [
        ("01-01", "ada", 1, "01-01", None),
        ("01-01", "ada", 2, "01-02", 23 * 3600.0),
        ("01-02", "ada", 1, "01-02", None),
        ("01-02", "ada", 2, "01-02", 1800.0),
    ]


def test_an_hour_is_an_hour_when_clocks_change() -> None:
    # Berlin, 30 March 2024, 12:00 local: the next day has 23 hours, and its noon is 23 hours later.
    # 24 hours end at 13:00 local, which is 11:00 UTC.
    first = step(1, "2024-03-30 11:00", "a")
    assert len(entries([first, step(2, "2024-03-31 11:00", "b")])) == 2
    assert len(entries([first, step(2, "2024-03-31 11:00:01", "b")])) == 1


def test_the_day_of_entry_is_that_of_the_reporting_time_zone() -> None:
    # 23:30 UTC is tomorrow in Berlin: the day comes with the event.
    rows = [step(1, "2024-01-01 23:30", "a", event_date=day("2024-01-02"))]
    assert entries(rows) == [("01-02", "ada", 1, "01-02", None)]


def test_people_and_funnels_do_not_mix() -> None:
    rows = [
        step(1, "2024-01-01 09:00", "a"),
        step(2, "2024-01-01 10:00", "b", "bob"),
        step(2, "2024-01-01 10:00", "c", funnel="twice"),
    ]
    assert entries(rows, BUY, TWICE) == [("01-01", "ada", 1, "01-01", None)]


def test_each_funnel_has_its_own_window() -> None:
    rows = [
        step(number, time, f"{funnel}{number}", funnel=funnel)
        for funnel in ("buy", "twice")
        for number, time in ((1, "2024-01-01 09:00"), (2, "2024-01-01 11:00"))
    ]
    table = funnel_entries(frame(FunnelEvents, rows), funnels=[BUY, {**TWICE, "window_hours": 1}])
    reached = collected(table, FunnelEntries).select("funnel", "step").rows()
    assert reached == [("buy", 1), ("buy", 2), ("twice", 1)]


def test_times_are_kept_to_the_microsecond() -> None:
    later = {"event_ts": at("2024-01-01 09:00:00.000001")}
    rows = [step(1, "2024-01-01 09:00", "b"), step(2, "2024-01-01 09:00", "a", **later)]
    table = funnel_entries(frame(FunnelEvents, rows), funnels=[BUY])
    took = collected(table, FunnelEntries)["microseconds_from_previous"]
    assert took.to_list() == [None, 1]


def test_nothing_in_gives_nothing_out() -> None:
    assert entries([]) == []
