import polars as pl
from frames import assert_rows, day, frame
from plan_rows import plan_row
from session_rows import session, visitor

from schemas.base import empty
from schemas.plan_months import PlanMonths
from schemas.session_days import SessionDays
from schemas.visitors import Visitors
from transforms.visitors import visitors

WEB = {"dimension": "platform", "segment": "web"}
IOS = {"dimension": "platform", "segment": "ios"}


def test_a_visitor_is_new_once_in_all_and_once_in_each_segment() -> None:
    table = visitors(
        frame(
            SessionDays,
            [
                session("2025-01-30 10:00", segments="web"),
                session("2025-01-31 10:00", segments="ios"),
                session("2025-02-01 10:00", segments="web"),
                session("2025-02-01 10:00", "bob", segments="ios"),
            ],
        ),
        empty(PlanMonths),
        empty(Visitors),
        dimensions=["platform", "plan"],
    )
    assert_rows(
        table,
        Visitors,
        [
            visitor("2025-01-30"),
            visitor("2025-01-30", **WEB),
            visitor("2025-01-31", **IOS),
            visitor("2025-02-01", "bob"),
            visitor("2025-02-01", "bob", **IOS),
        ],
    )


def test_the_plan_of_the_day_is_a_segment_once_there_are_subscriptions() -> None:
    # ada pays for pro until 2 February, bob for nothing; nobody did in January.
    table = visitors(
        frame(
            SessionDays,
            [
                session("2025-01-31 10:00", "cyd"),
                session("2025-02-02 10:00"),
                session("2025-02-03 10:00"),
                session("2025-02-03 10:00", "bob"),
            ],
        ),
        frame(PlanMonths, [plan_row(day("2025-02-01"), "ada", "pro", 2)]),
        empty(Visitors),
        dimensions=["plan"],
    )
    plan = [
        {**visitor("2025-02-02"), "dimension": "plan", "segment": "pro"},
        {**visitor("2025-02-03"), "dimension": "plan", "segment": "none"},
        {**visitor("2025-02-03", "bob"), "dimension": "plan", "segment": "none"},
    ]
    assert_rows(table.filter(pl.col("dimension") == "plan"), Visitors, plan)


def test_who_came_in_an_earlier_month_is_not_new() -> None:
    earlier = [visitor("2025-01-30"), visitor("2025-01-30", **WEB)]
    table = visitors(
        frame(SessionDays, [session("2025-02-01 10:00", segments="ios")]),
        empty(PlanMonths),
        frame(Visitors, earlier),
        dimensions=["platform"],
    )
    assert_rows(table, Visitors, [visitor("2025-02-01", **IOS)])


def test_without_dimensions_there_is_only_everybody() -> None:
    table = visitors(
        frame(SessionDays, [session("2025-02-01 10:00", segments="")]),
        empty(PlanMonths),
        empty(Visitors),
        dimensions=[],
    )
    assert_rows(table, Visitors, [{"dimension": "all", "first_date": day("2025-02-01")}])
