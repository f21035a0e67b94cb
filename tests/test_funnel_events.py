from typing import Any

import polars as pl
from frames import at, collected, day, frame
from funnel_rows import BUY, TWICE, done

from schemas.events import Events
from schemas.funnel_events import FunnelEvents
from schemas.stitches import Stitches
from transforms.funnel_events import funnel_events


def of_events(rows: list[Any], *funnels: Any, stitches: list[Any] | None = None) -> list[Any]:
    """funnel, step, person and event of each row."""
    table: pl.LazyFrame = funnel_events(
        frame(Events, rows), frame(Stitches, stitches or []), funnels=funnels
    )
    chosen = ["funnel", "step", "user_id", "event_id"]
    return collected(table, FunnelEvents).select(chosen).rows()


def test_an_event_stands_by_the_step_that_it_can_be() -> None:
    rows = [
        done("order", "2024-01-01 08:00", "a"),
        done("view", "2024-01-01 09:00", "b"),
        done("wish", "2024-01-01 10:00", "c"),
        done("search", "2024-01-01 11:00", "d"),
    ]
    assert of_events(rows, BUY) == [
        ("buy", 1, "ada", "b"),
        ("buy", 2, "ada", "c"),
        ("buy", 3, "ada", "a"),
    ]


def test_of_the_first_step_only_the_first_event_of_person_and_day_stands_here() -> None:
    rows = [
        done("view", "2024-01-01 10:00", "a"),
        done("view", "2024-01-01 09:00", "b"),
        done("view", "2024-01-02 09:00", "c"),
        done("view", "2024-01-01 11:00", "d", "bob"),
        done("cart", "2024-01-01 11:00", "e"),
        done("cart", "2024-01-01 12:00", "f"),
    ]
    assert of_events(rows, BUY) == [
        ("buy", 1, "ada", "b"),
        ("buy", 1, "bob", "d"),
        ("buy", 2, "ada", "e"),
        ("buy", 2, "ada", "f"),
        ("buy", 1, "ada", "c"),
    ]


def test_of_two_first_events_at_one_instant_the_smaller_id_is_the_first() -> None:
    rows = [done("view", "2024-01-01 09:00", event_id) for event_id in ("b", "a", "c")]
    assert of_events(rows, BUY) == [("buy", 1, "ada", "a")]


def test_an_event_can_be_two_steps_and_in_two_funnels() -> None:
    rows = [done("view", "2024-01-01 09:00", "a"), done("view", "2024-01-01 10:00", "b")]
    assert of_events(rows, BUY, TWICE) == [
        ("buy", 1, "ada", "a"),
        ("twice", 1, "ada", "a"),
        ("twice", 2, "ada", "a"),
        ("twice", 2, "ada", "b"),
    ]


def test_an_event_named_twice_in_one_step_is_there_once() -> None:
    twice_named = {**BUY, "steps": [BUY["steps"][0], {"name": "c", "events": ["cart", "cart"]}]}
    rows = [done("cart", "2024-01-01 09:00", "a")]
    assert of_events(rows, twice_named) == [("buy", 2, "ada", "a")]


def test_an_anonymous_id_counts_as_the_user_it_is_stitched_to() -> None:
    # Signed out at nine, signed in at ten: one person, whose first view is the one at nine.
    rows = [
        done("view", "2024-01-01 09:00", "a", None, anonymous_id="x"),
        done("view", "2024-01-01 10:00", "b", "ada", anonymous_id="x"),
    ]
    stitch = {
        "event_date": day("2024-01-01"),
        "anonymous_id": "x",
        "from_ts": at("2024-01-01 09:00"),
        "user_id": "ada",
    }
    assert of_events(rows, BUY, stitches=[stitch]) == [("buy", 1, "ada", "a")]


def test_without_funnels_there_are_no_rows() -> None:
    assert of_events([done("view", "2024-01-01 09:00")]) == []
