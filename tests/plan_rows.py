"""Who is on which plan on which day, drawn by Hypothesis, as a spine and as a plain table."""

from collections.abc import Mapping, Sequence
from datetime import date

import polars as pl
from frames import Row, frame
from hypothesis import strategies as st

from schemas.plan_months import PlanMonths

Plans = Mapping[tuple[date, str], str]
COUNTRIES = {"u": "DE", "v": "AT"}


def plans(days: Sequence[date], users: str, *, max_size: int) -> st.SearchStrategy[Plans]:
    """Days with a plan; ``none`` is what a customer without one is on."""
    person_days = st.tuples(st.sampled_from(days), st.sampled_from(users))
    return st.dictionaries(person_days, st.sampled_from(["pro", "team", "none"]), max_size=max_size)


def plan_months(plans: Plans) -> pl.LazyFrame:
    """The spine: a bit for each day."""
    bits: dict[tuple[date, str, str], int] = {}
    for (when, user), plan in plans.items():
        month = (when.replace(day=1), user, plan)
        bits[month] = bits.get(month, 0) | 1 << (when.day - 1)
    rows = [
        {"month": month, "user_id": user, "plan": plan, "plan_days": days}
        | {"country": COUNTRIES.get(user, "unknown")}
        for (month, user, plan), days in bits.items()
    ]
    return frame(PlanMonths, rows)


def plan_days(plans: Plans) -> pl.DataFrame:
    """event_date, user_id, plan, country."""
    rows = [(when, who, plan, COUNTRIES.get(who)) for (when, who), plan in plans.items()]
    names = ["user_id", "plan", "country"]
    return pl.DataFrame(
        rows, schema={"event_date": pl.Date, **dict.fromkeys(names, pl.String)}, orient="row"
    )


def plan_row(month: date, user_id: str, plan: str, until: int) -> Row:
    """A row of plan_months: the plan from the month's first day to the day ``until``."""
    bits = (1 << until) - 1
    return {"month": month, "user_id": user_id, "plan": plan, "plan_days": bits}
