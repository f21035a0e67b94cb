from typing import Any

from activity_rows import EVERYBODY, IOS, WEB, bits
from frames import assert_rows, collected, day, frame

from schemas.definition_months import DefinitionMonths
from schemas.definition_users import DefinitionUsers
from transforms.definition_users import definition_users


def starts(text: str, *days: int, **where: str) -> dict[str, Any]:
    return {
        "month": day(f"{text}-01"),
        "definition": "buy",
        "user_id": "u",
        "start_days": bits(*days),
        "return_days": 0,
        **(where or EVERYBODY),
    }


def test_the_first_start_is_filed_with_its_segment_only() -> None:
    months = [
        starts("2024-01", 10, 20),
        starts("2024-01", 20, **WEB),
        starts("2024-01", 10, **IOS),
        starts("2024-02", 1),
        starts("2024-02", 1, **WEB),
    ]
    row = {
        "first_month": day("2024-01-01"),
        "definition": "buy",
        "user_id": "u",
        "first_date": day("2024-01-10"),
    }
    assert_rows(
        definition_users(frame(DefinitionMonths, months), frame(DefinitionUsers)),
        DefinitionUsers,
        [{**row, **EVERYBODY}, {**row, **IOS}],
    )


def test_who_started_in_an_earlier_month_is_not_new_in_any_segment() -> None:
    earlier = {
        "first_month": day("2023-12-01"),
        "definition": "buy",
        "user_id": "u",
        "first_date": day("2023-12-31"),
        **EVERYBODY,
    }
    months = [starts("2024-01", 1), starts("2024-01", 1, **WEB)]
    table = definition_users(frame(DefinitionMonths, months), frame(DefinitionUsers, [earlier]))
    assert collected(table, DefinitionUsers).is_empty()


def test_a_month_with_returns_only_starts_nothing() -> None:
    months = [{**starts("2024-01"), "return_days": bits(1)}]
    table = definition_users(frame(DefinitionMonths, months), frame(DefinitionUsers))
    assert collected(table, DefinitionUsers).is_empty()
