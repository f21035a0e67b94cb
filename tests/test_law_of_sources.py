"""The law for every source: nights in any order end in the bytes of a build from nothing."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from homes import LONG, assert_same_state, event, land, make_home, run_home, scratch, stored
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.warehouse.bring_up import Days

SETTINGS = """\
currency = "EUR"
refused_rows_limit = 1.0
churn_inactivity_days = 20
clv_holdout_weeks = 4
"""
DAYS = [date(2024, 1, 30), date(2024, 1, 31), date(2024, 2, 1), date(2024, 2, 29), date(2024, 3, 1)]
DELAYS = [0, 0, 1, 5, 40]
days = st.sampled_from(DAYS)
people = st.sampled_from(["ada", "bob", "cyd"])
currencies = st.sampled_from(["EUR", "EUR", "USD", "XAU"])
amounts = st.integers(1, 50).map(lambda cents: cents / 4)
ids = st.sampled_from("123")
Row = dict[str, Any]
File = tuple[str, date, str]


def noon(day: date) -> str:
    return f"{day}T12:00:00Z"


def rows(source: str, **columns: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[str, Row]]:
    return st.fixed_dictionaries(columns).map(lambda row: (source, row))


landed_rows = st.one_of(
    st.tuples(days, people, ids).map(
        lambda drawn: ("events", event(f"e{drawn[2]}{drawn[1]}", noon(drawn[0]), user_id=drawn[1]))
    ),
    rows(
        "orders",
        order_id=ids,
        customer_id=people,
        ordered_ts=days.map(noon),
        amount=amounts,
        currency=currencies,
        kind=st.sampled_from(["purchase", "purchase", "refund"]),
    ),
    rows(
        "subscriptions",
        subscription_id=ids,
        customer_id=people,
        plan=st.sampled_from(["pro", "basic"]),
        amount=amounts,
        currency=currencies,
        interval=st.sampled_from(["month", "year"]),
        status=st.sampled_from(["active", "paused", "canceled"]),
        started_ts=days.map(noon),
        updated_ts=st.one_of(st.none(), days.map(noon)),
    ),
    rows(
        "surveys",
        response_id=ids,
        survey=st.just("relation"),
        kind=st.sampled_from(["nps", "csat"]),
        score=st.sampled_from([None, 1, 5, 9]),
        respondent_id=people,
        wave=st.sampled_from([None, "spring"]),
        asked_ts=days.map(noon),
        answered_ts=days.map(noon),
    ),
    rows(
        "tickets",
        ticket_id=ids,
        opened_ts=days.map(noon),
        resolved_ts=st.one_of(st.none(), days.map(noon)),
        updated_ts=st.one_of(st.none(), days.map(noon)),
    ),
    rows(
        "social_posts",
        platform=st.just("web"),
        account=st.just("us"),
        post_id=ids,
        posted_ts=st.just(noon(DAYS[0])),
        snapshot_day=days.map(str),
        likes=st.integers(0, 9),
    ),
    rows(
        "campaign_costs",
        cost_day=days.map(str),
        channel=st.just("ads"),
        campaign=ids,
        cost=amounts,
        currency=currencies,
    ),
    rows("exchange_rates", day=days.map(str), currency=st.just("XAU"), rate=st.integers(1, 4)),
    rows("customers", customer_id=people, country=st.sampled_from([None, "DE", "FR"])),
)


@st.composite
def landings(draw: st.DrawFn) -> dict[File, list[Row]]:
    """Rows of all sources in files, some of them weeks after they happened."""
    files: dict[File, list[Row]] = {}
    for source, row in draw(st.lists(landed_rows, min_size=4, max_size=30)):
        day = draw(days) + timedelta(days=draw(st.sampled_from(DELAYS)))
        files.setdefault((source, day, draw(st.sampled_from("ab"))), []).append(row)
    return files


def land_files(home: Any, files: Mapping[File, list[Row]], chosen: list[File]) -> None:
    for source, day, name in chosen:
        land(home, day, files[source, day, name], f"{name}.ndjson", source)


@settings(
    max_examples=60 if LONG else 4, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
@given(landings(), st.data())
def test_nights_of_all_sources_end_as_a_build_from_nothing(
    files: dict[File, list[Row]], data: st.DataObject
) -> None:
    order = data.draw(st.permutations(sorted(files)))
    cut = data.draw(st.integers(0, len(order)))
    first, last = sorted(data.draw(st.tuples(days, days)))
    with scratch() as folder:
        nights = make_home(folder / "nights", SETTINGS)
        land_files(nights, files, order[:cut])
        if cut:
            run_home(nights, days=data.draw(st.sampled_from([Days(), Days(first, last)])))
        land_files(nights, files, order[cut:])
        run_home(nights, days=Days(first, last))
        run_home(nights)

        at_once = make_home(folder / "once", SETTINGS)
        land_files(at_once, files, order)
        run_home(at_once)
        assert_same_state(stored(nights), stored(at_once))
