from typing import Any

import pytest
from frames import Row, assert_rows, at, day, frame
from session_rows import seen

from pipelines.errors import TidemarkError
from pipelines.settings import Settings, load_settings
from schemas.base import empty
from schemas.events import Events
from schemas.interaction_days import InteractionDays
from schemas.stitches import Stitches
from transforms.interaction_days import interaction_days

DEFAULT = Settings().interactions


def did(
    name: str, ts: str = "2025-01-31 10:00", user_id: str | None = "ada", **columns: Any
) -> Row:
    return seen(ts, user_id, event_name=name, **columns)


def rows(*actions: tuple[str, str, int, int]) -> list[Row]:
    names = ("event_date", "action", "actions", "users")
    return [dict(zip(names, (day(each[0]), *each[1:]), strict=True)) for each in actions]


def test_events_are_counted_by_day_and_action_and_so_are_the_people_who_did_them() -> None:
    events = [
        did("click"),
        did("click"),
        did("click", user_id="bob"),
        did("click", "2025-02-01 00:00"),
        did("share"),
        did("page_view"),
    ]
    assert_rows(
        interaction_days(frame(Events, events), empty(Stitches), interactions=DEFAULT),
        InteractionDays,
        rows(
            ("2025-01-31", "click", 3, 2),
            ("2025-02-01", "click", 1, 1),
            ("2025-01-31", "share", 1, 1),
        ),
    )


def test_the_usual_actions_are_these() -> None:
    names = ["click", "share", "comment", "survey_answered", "chat_message", "search", "purchase"]
    table = interaction_days(
        frame(Events, [did(name) for name in names]), empty(Stitches), interactions=DEFAULT
    )
    actions = ["click", "share", "comment", "survey", "chat", "search"]
    assert_rows(table, InteractionDays, rows(*(("2025-01-31", each, 1, 1) for each in actions)))


def test_several_events_can_be_one_action_of_which_a_person_is_one() -> None:
    table = interaction_days(
        frame(Events, [did("like"), did("heart"), did("click")]),
        empty(Stitches),
        interactions={"like": "reaction", "heart": "reaction"},
    )
    assert_rows(table, InteractionDays, rows(("2025-01-31", "reaction", 2, 1)))


def test_what_an_anonymous_id_did_is_its_user_s() -> None:
    events = [did("click", user_id=None, anonymous_id="x"), did("click", "2025-01-31 10:05")]
    stitch = {"event_date": day("2025-01-31"), "anonymous_id": "x", "user_id": "ada"}
    stitches = frame(Stitches, [{**stitch, "from_ts": at("2025-01-31 10:00")}])
    table = interaction_days(frame(Events, events), stitches, interactions=DEFAULT)
    assert_rows(table, InteractionDays, rows(("2025-01-31", "click", 2, 1)))


@pytest.mark.parametrize("interactions", [DEFAULT, {}], ids=["usual", "none"])
def test_where_nothing_is_an_action_there_are_no_rows(interactions: dict[str, str]) -> None:
    events = frame(Events, [did("page_view"), *([] if interactions else [did("click")])])
    table = interaction_days(events, empty(Stitches), interactions=interactions)
    assert_rows(table, InteractionDays, [])


def test_an_action_without_a_name_is_refused(tmp_path: Any) -> None:
    path = tmp_path / "tidemark.toml"
    path.write_text('[interactions]\nlike = ""\n', encoding="utf-8")
    with pytest.raises(TidemarkError, match=r"interactions\.like"):
        load_settings(path)
