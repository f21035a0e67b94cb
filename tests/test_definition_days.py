from typing import Any

import polars as pl
from frames import assert_rows, at, collected, day, frame

from schemas.base import empty
from schemas.definition_days import DefinitionDays
from schemas.events import Events
from schemas.stitches import Stitches
from transforms.definition_days import definition_days

BUY = {"name": "buy", "start_events": ["cart"], "return_events": ["order"], "entry": "recurring"}
ANY = {"name": "any", "start_events": [], "return_events": ["order"], "entry": "first_time"}


def event(name: str, clock: str, event_id: str = "e", **rest: Any) -> dict[str, Any]:
    return {
        "event_name": name,
        "event_ts": at(f"2024-01-01 {clock}"),
        "event_date": day("2024-01-01"),
        "event_id": event_id,
        "user_id": "u",
        **rest,
    }


def days(
    rows: list[dict[str, Any]], *retentions: dict[str, Any], stitches: list[Any] | None = None
) -> pl.LazyFrame:
    return definition_days(
        frame(Events, rows),
        frame(Stitches, stitches or []),
        retentions=retentions,
        active_events=[],
        dimensions=["platform"],
    )


def test_a_day_tells_of_starts_and_returns_and_where_the_first_start_was() -> None:
    rows = [
        event("order", "08:00", "a", platform="ios"),
        event("cart", "09:00", "b", platform="web"),
        event("cart", "10:00", "c", platform="ios"),
    ]
    assert_rows(
        days(rows, BUY),
        DefinitionDays,
        [
            {
                "event_date": day("2024-01-01"),
                "definition": "buy",
                "user_id": "u",
                "is_start": True,
                "is_return": True,
                "segments": "web",
            }
        ],
    )


def test_a_day_without_a_start_has_no_segments() -> None:
    row = collected(days([event("order", "08:00")], BUY), DefinitionDays).row(0, named=True)
    assert (row["is_start"], row["is_return"], row["segments"]) == (False, True, None)


def test_an_empty_list_of_events_means_any_active_event() -> None:
    # a mail that was opened by itself makes nobody active
    rows = [event("search", "08:00"), event("email_opened", "09:00", user_id="v")]
    people = collected(days(rows, ANY), DefinitionDays)
    assert people.select("user_id", "is_start", "is_return").rows() == [("u", True, False)]


def test_named_events_need_not_be_active_ones() -> None:
    mail = {**BUY, "start_events": ["email_opened"]}
    people = collected(days([event("email_opened", "09:00")], mail), DefinitionDays)
    assert people["is_start"].to_list() == [True]


def test_ties_go_to_the_smaller_event_id_and_a_missing_value_is_unknown() -> None:
    rows = [event("cart", "09:00", "b", platform="web"), event("cart", "09:00", "a")]
    assert collected(days(rows, BUY), DefinitionDays)["segments"].item() == "unknown"


def test_an_anonymous_id_counts_as_the_user_it_is_stitched_to() -> None:
    rows = [event("cart", "09:00", user_id=None, anonymous_id="x")]
    stitch = {
        "event_date": day("2024-01-01"),
        "anonymous_id": "x",
        "from_ts": at("2024-01-01 09:00"),
        "user_id": "u",
    }
    people = collected(days(rows, BUY, stitches=[stitch]), DefinitionDays)
    assert people["user_id"].item() == "u"


def test_no_definitions_give_no_rows() -> None:
    assert days([event("cart", "09:00")]).collect().equals(empty(DefinitionDays).collect())
