"""Feedback and customer profiles against SQL, from rows as they landed, and the laws they keep."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import duckdb
import polars as pl
import pytest
from frames import assert_same, at, collected, day, frame
from homes import LONG
from hypothesis import given, settings
from hypothesis import strategies as st
from lifetime_rows import buy, orders
from oracle.churn_risk import outcomes_oracle
from oracle.compare import assert_equal_tables
from oracle.profiles import feedback_oracle, profiles_oracle
from profile_rows import SETTINGS, mail, named
from revenue_rows import fact, subscribed

from schemas.base import empty
from schemas.churn_models import ChurnModels
from schemas.customer_lifetime_value import CustomerLifetimeValue
from schemas.customer_profiles import CustomerProfiles
from schemas.customers import Customers
from schemas.feedback_monthly import FeedbackMonthly
from schemas.known_users import KnownUsers
from schemas.landed_customers import LandedCustomers
from schemas.landed_surveys import LandedSurveys
from schemas.landed_tickets import LandedTickets
from schemas.mail_days import MailDays
from schemas.staff import Staff
from schemas.survey_responses import SurveyResponses
from schemas.tickets import Tickets
from schemas.user_months import UserMonths
from transforms.churn_models import churn_outcomes
from transforms.churn_risk import ORDERS, SUBSCRIPTIONS
from transforms.customer_profiles import customer_profiles
from transforms.customer_states import Sources
from transforms.customers import customers
from transforms.feedback_monthly import feedback_monthly
from transforms.survey_responses import survey_responses
from transforms.tickets import tickets

FIRST = date(2024, 1, 20)
NAIVE = pl.col(pl.Datetime("us", "UTC")).dt.replace_time_zone(None)
RISK = ["churn_risk", "churn_risk_model"]
SCALES = {"nps": (0.0, 10.0), "csat": (1.0, 5.0), "ces": (1.0, 7.0), "review": (1.0, 3.0)}

days = st.integers(0, 70).map(lambda number: FIRST + timedelta(number))
instants = st.tuples(days, st.integers(0, 23)).map(lambda each: at(f"{each[0]} {each[1]:02}:00"))
people = st.sampled_from(["ann", "bob", "c1", "c2", "u1"])
maybe = st.none() | people
arrived = {
    "landing_date": st.sampled_from([day("2024-05-01"), day("2024-05-02")]),
    "file": st.sampled_from(["a.csv", "b.csv"]),
}


@st.composite
def answers(draw: Any) -> dict[str, Any]:
    kind = draw(st.sampled_from(list(SCALES)))
    low, high = SCALES[kind]
    given_score = draw(st.none() | st.integers(int(low), int(high)).map(float))
    return {
        "response_id": draw(st.sampled_from("abcdefghij")),
        "survey": draw(st.sampled_from(["s", "t"])),
        "kind": kind,
        "score": given_score,
        "scale_min": low,
        "scale_max": high,
        "direction": draw(st.sampled_from(["ease", "effort"])) if kind == "ces" else "ease",
        "respondent_id": draw(maybe),
        "wave": draw(st.sampled_from([None, None, "w"])),
        "channel": draw(st.sampled_from([None, "web"])),
        "topic": draw(st.sampled_from([None, "price"])),
        "comment": draw(st.sampled_from([None, " ", "dear"])),
        "asked_ts": draw(instants) if given_score is None else draw(st.none() | instants),
        "answered_ts": draw(instants) if given_score is not None else None,
        **{name: draw(each) for name, each in arrived.items()},
    }


surveys = st.lists(answers(), max_size=16)
opened = st.fixed_dictionaries(
    {
        "ticket_id": st.sampled_from("abcdef"),
        "customer_id": maybe,
        "opened_ts": instants,
        "resolved_ts": st.none() | instants,
        "closed_ts": st.none() | instants,
        **arrived,
    }
)
known = st.fixed_dictionaries(
    {
        "customer_id": st.sampled_from(["ann", "c1", "c2"]),
        "user_id": st.sampled_from([None, "u1", "ann"]),
        "created_ts": st.none() | instants,
        "country": st.sampled_from([None, "DE"]),
        "segment": st.sampled_from([None, "smb"]),
        "plan": st.sampled_from([None, "free"]),
        **arrived,
    }
)
contracts = st.tuples(
    people,
    st.sampled_from(["pro", "team"]),
    st.integers(1, 3),
    days,
    st.none() | st.integers(1, 60),
    st.sampled_from(["active", "past_due"]),
)
bought = st.tuples(people, days, st.integers(1, 50), st.sampled_from(["purchase", "refund"]))
sources = st.fixed_dictionaries(
    {
        "surveys": surveys,
        "tickets": st.lists(opened, max_size=6),
        "customers": st.lists(known, max_size=4),
        "contracts": st.lists(contracts, max_size=4),
        "orders": st.lists(bought, max_size=6),
        "active": st.lists(st.tuples(people, days), max_size=12, unique=True),
        "named": st.dictionaries(people, days, max_size=3),
        "mailed": st.dictionaries(
            st.tuples(people, days), st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=8
        ),
        "worth": st.dictionaries(people, st.none() | st.integers(0, 9), max_size=3),
    }
)


def numbered(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"event_date": FIRST, "line": line, **row} for line, row in enumerate(rows, 1)]


def as_money(value: int | None) -> Decimal | None:
    return None if value is None else Decimal(value)


def landed(drawn: dict[str, Any]) -> dict[str, pl.LazyFrame]:
    return {
        "landed_surveys": frame(LandedSurveys, numbered(drawn["surveys"])),
        "landed_tickets": frame(LandedTickets, numbered(drawn["tickets"])),
        "landed_customers": frame(LandedCustomers, numbered(drawn["customers"])),
    }


def facts(drawn: dict[str, Any]) -> dict[str, pl.LazyFrame]:
    """The inputs of the transform, as the warehouse makes them."""
    raw = landed(drawn)
    nobody = empty(Staff)
    known_customers = collected(customers(raw["landed_customers"], nobody), Customers).lazy()
    responses = survey_responses(raw["landed_surveys"], known_customers, nobody, timezone="UTC")
    bits: dict[tuple[date, str], int] = {}
    for who, when in drawn["active"]:
        cell = (when.replace(day=1), who)
        bits[cell] = bits.get(cell, 0) | 1 << (when.day - 1)
    months = [
        {"month": month, "user_id": who, "active_days": each, "dimension": "all", "segment": "all"}
        for (month, who), each in bits.items()
    ]
    started = [
        subscribed(
            f"{start}",
            f"{amount}",
            subscription_id=f"s{place}",
            customer_id=who,
            plan=plan,
            status=status,
            **({"ended_ts": f"{start + timedelta(length)}"} if length else {}),
        )
        for place, (who, plan, amount, start, length, status) in enumerate(drawn["contracts"])
    ]
    paid = [
        buy(who, f"{when}", f"{amount if kind == 'purchase' else -amount}", kind=kind)
        for who, when, amount, kind in drawn["orders"]
    ]
    worth = [
        {"customer_id": who, "model": "sbg", "expected_value_amount": as_money(value)}
        for who, value in drawn["worth"].items()
    ]
    return {
        "known_users": frame(KnownUsers, [named(who, f"{d}") for who, d in drawn["named"].items()]),
        "customers": known_customers,
        "subscriptions": fact(*started),
        "orders": orders(*paid),
        "tickets": collected(tickets(raw["landed_tickets"], nobody), Tickets).lazy(),
        "survey_responses": collected(responses, SurveyResponses).lazy(),
        "user_months": frame(UserMonths, months),
        "mail_days": frame(
            MailDays, [mail(f"{d}", who, *n) for (who, d), n in drawn["mailed"].items()]
        ),
        "customer_lifetime_value": frame(CustomerLifetimeValue, worth),
        "churn_models": empty(ChurnModels),
    }


def plain(names: dict[str, Any], rows: list[tuple[Any, ...]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=names, orient="row")


def by_sql(drawn: dict[str, Any], made: dict[str, pl.LazyFrame]) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect(config={"threads": 1})
    for name, rows in landed(drawn).items():
        con.register(name, rows.collect().with_columns(NAIVE).to_arrow())
    who: dict[str, Any] = {"customer_id": pl.String}
    borne = {"plan": pl.String, "mrr_amount": pl.Decimal(18, 4), "status": pl.String}
    ends = {"from_date": pl.Date, "until_date": pl.Date}
    bears = [
        (name, plan, Decimal(amount), status, start, start + timedelta(length) if length else None)
        for name, plan, amount, start, length, status in drawn["contracts"]
    ]
    begun = [(name, start) for name, _, _, start, _, _ in drawn["contracts"]]
    user = {"user_id": pl.String, "day": pl.Date}
    mails = [(name, when, *counts) for (name, when), counts in drawn["mailed"].items()]
    worth = [(name, as_money(value)) for name, value in drawn["worth"].items()]
    tables = {
        "ordered": made["orders"].collect().with_columns(NAIVE),
        "bears": plain({**who, **borne, **ends}, bears),
        "begun": plain({**who, "day": pl.Date}, begun),
        "active": plain(user, drawn["active"]),
        "named": plain(user, list(drawn["named"].items())),
        "mailed": plain({**user, "delivered": pl.Int64, "opened": pl.Int64}, mails),
        "worth": plain({**who, "value": pl.Decimal(18, 4)}, worth),
    }
    for name, rows in tables.items():
        con.register(name, rows.to_arrow())
    return con


def profiles(made: dict[str, pl.LazyFrame], through: date) -> pl.DataFrame:
    return collected(customer_profiles(**made, **SETTINGS, data_through=through), CustomerProfiles)


@settings(max_examples=300 if LONG else 6, deadline=None)
@given(sources, days)
def test_profiles_are_those_of_sql(drawn: dict[str, Any], through: date) -> None:
    made = facts(drawn)
    with by_sql(drawn, made) as con:
        expected = profiles_oracle(con, SETTINGS, through)
    # A score is a hundred times a ratio: its last bits weigh a hundred times as much.
    floats = pl.col(pl.Float64).round(9)
    found = profiles(made, through).drop(RISK)
    assert_equal_tables(
        "customer_profiles", found.with_columns(floats), expected.with_columns(floats)
    )


@pytest.mark.parametrize("model", [SUBSCRIPTIONS, ORDERS])
@settings(max_examples=300 if LONG else 8, deadline=None)
@given(sources, days)
def test_what_the_churn_models_learn_from_is_that_of_sql(
    model: str, drawn: dict[str, Any], through: date
) -> None:
    made = facts(drawn)
    names = ("customers", "subscriptions", "orders", "tickets", "user_months")
    states = Sources(*(made[name] for name in names), timezone="UTC")
    with by_sql(drawn, made) as con:
        profiles_oracle(con, SETTINGS, through)
        for on in (through - timedelta(days=20), through):
            found = churn_outcomes(states, model, on, 30).collect()
            assert_equal_tables(model, found, outcomes_oracle(con, model, on, 30))


@settings(max_examples=300 if LONG else 12, deadline=None)
@given(surveys, st.lists(known, max_size=3), days)
def test_feedback_is_that_of_sql(
    given_answers: list[Any], known_customers: list[Any], through: date
) -> None:
    drawn = {"surveys": given_answers, "tickets": [], "customers": known_customers}
    raw = landed(drawn)
    nobody = empty(Staff)
    people = customers(raw["landed_customers"], nobody)
    made = survey_responses(raw["landed_surveys"], people, nobody, timezone="UTC")
    found = collected(feedback_monthly(made, data_through=through), FeedbackMonthly)
    with duckdb.connect(config={"threads": 1}) as con:
        for name, rows in raw.items():
            con.register(name, rows.collect().with_columns(NAIVE).to_arrow())
        expected = feedback_oracle(con, through)
    assert_equal_tables("feedback_monthly", found, expected)


@settings(max_examples=100 if LONG else 3, deadline=None)
@given(sources, st.randoms())
def test_rows_may_come_in_any_order(drawn: dict[str, Any], random: Any) -> None:
    one = facts(drawn)
    through = FIRST + timedelta(60)
    other = {name: _shuffled(rows.collect(), random).lazy() for name, rows in one.items()}
    assert_same(profiles(one, through), profiles(other, through))


def _shuffled(rows: pl.DataFrame, random: Any) -> pl.DataFrame:
    return rows[random.sample(range(rows.height), rows.height)]
