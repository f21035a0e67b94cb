"""From events and facts to the tables of campaigns, against SQL, and the laws that they keep."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
from frames import assert_same, at, collected, day, frame
from homes import LONG, event, land, run_home
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle.campaigns import campaigns_oracle, email_oracle, habit_oracle
from oracle.compare import assert_equal_tables

from schemas.ad_days import AdDays
from schemas.base import empty
from schemas.campaign_costs import CampaignCosts
from schemas.campaigns_daily import CampaignsDaily
from schemas.customers import Customers
from schemas.email_campaigns import EmailCampaigns
from schemas.email_habit import EmailHabit
from schemas.events import Events
from schemas.goal_days import GoalDays
from schemas.mail_days import MailDays
from schemas.mail_starts import MailStarts
from schemas.orders import Orders
from schemas.session_days import SessionDays
from schemas.stitches import Stitches
from transforms.ad_days import ad_days
from transforms.campaigns_daily import campaigns_daily
from transforms.email_campaigns import email_campaigns
from transforms.email_habit import email_habit
from transforms.goal_days import goal_days
from transforms.mail_days import mail_days
from transforms.mail_starts import mail_starts

FIRST = at("2024-01-20 00:00")
GOALS = [{"name": "buy", "events": ["purchase", "email_clicked"]}]
NAMES = [
    *(f"email_{kind}" for kind in ("sent", "delivered", "opened", "clicked", "unsubscribed")),
    *("email_bounced", "email_delivered", "ad_impression", "ad_click", "purchase", "page_view"),
]

# Few instants, hours apart and days apart, so that windows end just where something happens.
instants = st.builds(
    lambda days, hours: FIRST + timedelta(days=days, hours=hours),
    st.sampled_from([0, 1, 2, 5, 6, 12, 40, 41, 75]),
    st.sampled_from([0, 10, 20]),
)
people = st.sampled_from("uvw")
campaigns = st.sampled_from([None, "spring", "summer"])
channels = st.sampled_from([None, "ads", "search"])
events = st.lists(
    st.fixed_dictionaries(
        {
            "event_name": st.sampled_from(NAMES),
            "event_ts": instants,
            "user_id": st.sampled_from([None, *"uvw"]),
            "anonymous_id": st.sampled_from("xy"),
            "campaign": campaigns,
            "utm_campaign": campaigns,
            "channel": channels,
            "is_machine_open": st.sampled_from([None, False, True]),
        }
    ),
    max_size=30,
)
orders = st.lists(
    st.fixed_dictionaries(
        {
            "ordered_ts": instants,
            "customer_id": st.sampled_from(["u", "v", "c1", "c2"]),
            "order_id": st.sampled_from("abc"),
            "kind": st.sampled_from(["purchase", "purchase", "refund"]),
            "cents": st.integers(0, 9999),
            "channel": channels,
            "campaign": campaigns,
            "fate": st.sampled_from(["counts", "counts", "duplicate"]),
        }
    ),
    max_size=10,
)
costs = st.lists(
    st.fixed_dictionaries(
        {
            "event_date": instants.map(lambda instant: instant.date()),
            "channel": st.sampled_from(["ads", "search"]),
            "campaign": st.sampled_from(["spring", "summer"]),
            "cents": st.integers(-50, 300),
            "impressions": st.none() | st.integers(0, 20),
            "clicks": st.none() | st.integers(0, 5),
        }
    ),
    max_size=8,
    unique_by=lambda row: (row["event_date"], row["channel"], row["campaign"]),
)
sessions = st.lists(st.tuples(people, instants), max_size=8)
horizons = st.integers(0, 80).map(lambda days: FIRST.date() + timedelta(days))

CUSTOMERS = [
    {"customer_id": "c1", "user_id": "u", "fate": "counts"},
    {"customer_id": "c2", "user_id": "w", "fate": "counts"},
    {"customer_id": "c2", "user_id": "v", "fate": "duplicate"},
]


def event_frame(rows: list[dict[str, Any]]) -> pl.LazyFrame:
    numbered = [
        {**row, "event_id": f"e{number}", "event_date": row["event_ts"].date()}
        for number, row in enumerate(rows)
    ]
    return frame(Events, numbered)


def order_frame(rows: list[dict[str, Any]]) -> pl.LazyFrame:
    full = []
    for number, row in enumerate(rows):
        sign = -1 if row["kind"] == "refund" else 1
        amount = sign * Decimal(row["cents"]) / 100
        plain = {name: value for name, value in row.items() if name != "cents"}
        instant = {"event_date": row["ordered_ts"].date(), "line": number, "line_id": ""}
        full.append({**plain, **instant, "amount": amount})
    return frame(Orders, full)


def cost_frame(rows: list[dict[str, Any]]) -> pl.LazyFrame:
    full = [
        {**row, "cost_amount": Decimal(row["cents"]) / 10_000, "fate": "counts"} for row in rows
    ]
    return frame(CampaignCosts, [{k: v for k, v in row.items() if k != "cents"} for row in full])


def session_frame(rows: list[tuple[str, Any]]) -> pl.LazyFrame:
    return frame(
        SessionDays,
        [
            {"user_id": user, "started_ts": start, "date": start.date(), "session_id": str(number)}
            for number, (user, start) in enumerate(rows)
        ],
    )


def registered(**tables: pl.LazyFrame) -> duckdb.DuckDBPyConnection:
    """A connection with these tables, their instants without a zone."""
    con = duckdb.connect(config={"threads": 1})
    naive = pl.col(pl.Datetime("us", "UTC")).dt.replace_time_zone(None)
    for name, rows in tables.items():
        con.register(name, rows.with_columns(naive).collect().to_arrow())
    return con


def with_people(rows: pl.LazyFrame) -> pl.LazyFrame:
    return rows.with_columns(person=pl.coalesce("user_id", "anonymous_id"))


def spine(transform: Any, model: Any, rows: pl.LazyFrame, **options: Any) -> pl.LazyFrame:
    return collected(transform(rows, empty(Stitches), **options), model).lazy()


@settings(max_examples=300 if LONG else 12, deadline=None)
@given(events, costs, orders, horizons)
def test_campaigns_by_day_are_what_sql_gives(
    seen: list[Any], spent: list[Any], bought: list[Any], through: Any
) -> None:
    rows, lines, paid = event_frame(seen), order_frame(bought), cost_frame(spent)
    ads = spine(ad_days, AdDays, rows)
    found = collected(campaigns_daily(ads, paid, lines, data_through=through), CampaignsDaily)
    with registered(ev=with_people(rows), orders=lines, costs=paid) as con:
        expected = campaigns_oracle(con, data_through=through)
    assert_equal_tables("campaigns_daily", found, expected)


@settings(max_examples=300 if LONG else 12, deadline=None)
@given(events, sessions, orders, st.sampled_from([1, 5, 40]), horizons)
def test_campaigns_of_mails_are_what_sql_gives(
    sent: list[Any], visits: list[Any], bought: list[Any], days: int, through: Any
) -> None:
    rows, lines, starts = event_frame(sent), order_frame(bought), session_frame(visits)
    customers = frame(Customers, CUSTOMERS)
    found = collected(
        email_campaigns(
            spine(mail_days, MailDays, rows),
            starts,
            spine(goal_days, GoalDays, rows, goals=GOALS),
            lines,
            customers,
            attribution_days=days,
            data_through=through,
        ),
        EmailCampaigns,
    )
    visit = starts.select("started_ts", "date", person="user_id")
    with registered(ev=with_people(rows), orders=lines, customers=customers, visit=visit) as con:
        expected = email_oracle(con, goals=GOALS[0]["events"], days=days, data_through=through)
    assert_equal_tables("email_campaigns", found, expected)


def habit(rows: pl.LazyFrame, week_start: str, through: Any) -> pl.DataFrame:
    mails = spine(mail_days, MailDays, rows)
    starts = collected(mail_starts(mails), MailStarts).lazy()
    table = email_habit(mails, starts, week_start=week_start, data_through=through)
    return collected(table, EmailHabit)


@settings(max_examples=300 if LONG else 12, deadline=None)
@given(events, st.sampled_from(["monday", "sunday", "thursday"]), horizons)
def test_the_habit_is_what_sql_gives(sent: list[Any], week_start: str, through: Any) -> None:
    rows = event_frame(sent)
    with registered(ev=with_people(rows)) as con:
        expected = habit_oracle(con, week_start=week_start, data_through=through)
    assert_equal_tables("email_habit", habit(rows, week_start, through), expected)


@settings(max_examples=100 if LONG else 10, deadline=None)
@given(events, orders, st.randoms())
def test_rows_may_come_in_any_order(sent: list[Any], bought: list[Any], random: Any) -> None:
    def tables(rows: pl.LazyFrame, lines: pl.LazyFrame) -> list[pl.DataFrame]:
        through = day("2024-04-01")
        mails, goals = spine(mail_days, MailDays, rows), spine(goal_days, GoalDays, rows, goals=[])
        costs_of_none = empty(CampaignCosts)
        ads = spine(ad_days, AdDays, rows)
        customers = frame(Customers, CUSTOMERS)
        options: dict[str, Any] = {"attribution_days": 40, "data_through": through}
        mailed = email_campaigns(mails, empty(SessionDays), goals, lines, customers, **options)
        by_day = campaigns_daily(ads, costs_of_none, lines, data_through=through)
        return [
            collected(mailed, EmailCampaigns),
            collected(by_day, CampaignsDaily),
            habit(rows, "monday", through),
        ]

    def shuffled(table: pl.LazyFrame) -> pl.LazyFrame:
        rows = table.collect()
        return rows[random.sample(range(rows.height), rows.height)].lazy()

    rows, lines = event_frame(sent), order_frame(bought)
    for one, other in zip(
        tables(rows, lines), tables(shuffled(rows), shuffled(lines)), strict=True
    ):
        assert_same(one, other)


TABLES = ["campaigns_daily", "email_campaigns", "email_habit"]


def test_late_rows_give_the_bytes_of_a_build_from_nothing(folder: Path) -> None:
    """Mails of half a year; one night brings a delivery and an order of long ago."""

    def mail(name: str, when: str, user_id: str, **columns: Any) -> dict[str, Any]:
        happened = {"event_name": name, "user_id": user_id, "campaign": "spring", **columns}
        return event(f"{name}{when}{user_id}", f"{when}T12:00:00", **happened)

    def order(when: str, customer: str) -> dict[str, Any]:
        bought = {"order_id": f"o{when}", "customer_id": customer, "campaign": "spring"}
        return {**bought, "ordered_ts": f"{when}T13:00:00Z", "amount": 7, "currency": "EUR"}

    paid = {"channel": "ads", "campaign": "spring", "cost": 3, "currency": "EUR"}
    days = [f"2024-0{month}-{date}" for month in range(2, 9) for date in ("03", "17", "29")]
    usual = [mail("email_delivered", when, user) for when in days for user in ("ada", "bob")]
    usual += [mail("email_opened", when, "ada") for when in days[::2]]
    usual += [mail("ad_click", when, "bob", channel="ads") for when in days[::3]]
    nights: list[dict[str, list[Any]]] = [
        {
            "events": usual,
            "orders": [order(when, "bob") for when in days[::5]],
            "campaign_costs": [{"cost_day": when, **paid} for when in days],
        },
        {
            "events": [mail("email_delivered", "2024-01-30", "cid")],
            "orders": [order("2024-01-31", "cid"), order("2024-01-30", "bob")],
        },
        {
            "events": [mail("email_opened", "2024-05-03", "bob")],
            "campaign_costs": [{"cost_day": "2024-01-31", **paid}],
        },
    ]
    for root in ("nightly", "at once"):
        for night, files in enumerate(nights, 1):
            for source, rows in files.items():
                land(folder / root, f"2024-09-0{night}", rows, f"{source}.ndjson", source)
            if root == "nightly" or night == len(nights):
                run_home(folder / root, select=TABLES)
    for name in TABLES:
        one, other = ((folder / root / "bi" / f"{name}.parquet") for root in ("nightly", "at once"))
        assert one.read_bytes() == other.read_bytes(), name
    habit = pl.read_parquet(folder / "at once" / "bi" / "email_habit.parquet")
    months = habit.filter(grain="month").select(
        "mailed_customers", "every_period_openers", "some_period_openers"
    )
    # January: cid alone. Until March all three, of whom ada opens in each month; from April on
    # cid's mail is too old. bob's opening in May is seen until July.
    assert (
        months.rows()
        == [(1, 0, 0), *[(3, 1, 1)] * 2, (2, 1, 1), *[(2, 1, 2)] * 3] + [(2, 1, 1)] * 2
    )
