from typing import Any

from activity_rows import EVERYBODY, IOS, WEB, bits
from frames import assert_rows, day, frame

from schemas.definition_days import DefinitionDays
from schemas.definition_months import DefinitionMonths
from transforms.definition_months import definition_months


def on(text: str, segments: str | None, *, is_return: bool = False) -> dict[str, Any]:
    return {
        "event_date": day(text),
        "definition": "buy",
        "user_id": "u",
        "is_start": segments is not None,
        "is_return": is_return,
        "segments": segments,
    }


def test_starts_stand_in_the_segment_they_began_in_and_returns_with_everybody() -> None:
    days = [
        on("2024-01-01", "web"),
        on("2024-01-30", "ios", is_return=True),
        on("2024-01-31", None, is_return=True),
        on("2024-02-01", "web"),
    ]
    january = {"month": day("2024-01-01"), "definition": "buy", "user_id": "u"}
    february = {**january, "month": day("2024-02-01")}
    assert_rows(
        definition_months(frame(DefinitionDays, days), dimensions=["platform", "plan"]),
        DefinitionMonths,
        [
            {**january, **EVERYBODY, "start_days": bits(1, 30), "return_days": bits(30, 31)},
            {**january, **WEB, "start_days": bits(1), "return_days": 0},
            {**january, **IOS, "start_days": bits(30), "return_days": 0},
            {**february, **EVERYBODY, "start_days": bits(1), "return_days": 0},
            {**february, **WEB, "start_days": bits(1), "return_days": 0},
        ],
    )


def test_without_dimensions_there_is_everybodys_row_only() -> None:
    row = {"month": day("2024-01-01"), "definition": "buy", "user_id": "u", **EVERYBODY}
    assert_rows(
        definition_months(frame(DefinitionDays, [on("2024-01-01", "")]), dimensions=[]),
        DefinitionMonths,
        [{**row, "start_days": bits(1), "return_days": 0}],
    )
