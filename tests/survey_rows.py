"""Rows of surveys and customers for tests."""

from collections.abc import Iterable
from typing import Any

import polars as pl
from frames import Row, at, day, frame

from schemas.customers import Customers
from schemas.landed_surveys import LandedSurveys
from schemas.staff import Staff
from transforms.survey_responses import survey_responses

SCALES = {"nps": (0.0, 10.0), "csat": (1.0, 5.0), "ces": (1.0, 7.0), "review": (1.0, 5.0)}


def landed(rows: Iterable[Row]) -> pl.LazyFrame:
    """Landed rows: each on a line of its own, with the scale of its kind, unless it says else."""
    made = []
    for line, row in enumerate(rows, 1):
        low, high = SCALES[row.get("kind", "nps")]
        made.append({"response_id": f"r{line}", "line": line, "scale_min": low} | {**row})
        made[-1].setdefault("scale_max", high)
    return frame(
        LandedSurveys,
        made,
        event_date=day("2024-01-01"),
        landing_date=day("2024-06-01"),
        file="a.csv",
        item=1,
        survey="s",
        kind="nps",
        direction="ease",
    )


def customers(rows: Iterable[Row] = ()) -> pl.LazyFrame:
    """Customers that count; a person's id is the customer's own unless the row says else."""
    made = [
        {"user_id": row["customer_id"], "line": line, **row} for line, row in enumerate(rows, 1)
    ]
    return frame(
        Customers,
        made,
        landing_date=day("2024-06-01"),
        file="c.csv",
        item=1,
        fate="counts",
        is_staff=False,
    )


def responses(
    rows: Iterable[Row],
    people: Iterable[Row] = (),
    timezone: str = "UTC",
    staff: Iterable[str] = (),
) -> pl.LazyFrame:
    """The fact table of the rows."""
    ids = frame(Staff, [{"staff_id": each} for each in staff])
    return survey_responses(landed(rows), customers(people), ids, timezone=timezone)


def answer(score: float, when: str = "2024-01-02", **columns: Any) -> dict[str, Any]:
    """An answer at noon of a day, or at the given time."""
    moment = when if " " in when else f"{when} 12:00"
    return {"score": float(score), "answered_ts": at(moment), **columns}


def invitation(when: str = "2024-01-02", **columns: Any) -> dict[str, Any]:
    """A survey that was asked at noon of a day and not answered."""
    return {"asked_ts": at(f"{when} 12:00"), **columns}
