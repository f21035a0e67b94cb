from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from campaign_rows import mail, mails
from frames import assert_rows, at, collected, day, frame
from lifetime_rows import buy, orders
from session_rows import session

from schemas.customers import Customers
from schemas.email_campaigns import EmailCampaigns
from schemas.goal_days import GoalDays
from schemas.session_days import SessionDays
from transforms.email_campaigns import email_campaigns

SENT = "2025-03-01 10:00"
OUTCOMES = ("mailed_users", "visiting_users", "converting_users", "revenue_amount")


def goal(when: str, user_id: str = "ada") -> dict[str, Any]:
    return {"event_date": day(when[:10]), "user_id": user_id, "event_ts": at(when)}


def paid(when: str, amount: str, customer: str = "ada", **columns: Any) -> dict[str, Any]:
    return buy(customer, when[:10], amount, ordered_ts=at(when), **columns)


def of(
    *rows: dict[str, Any],
    sessions: list[Any] | None = None,
    goals: list[Any] | None = None,
    bought: list[Any] | None = None,
    customers: list[Any] | None = None,
    days: int = 90,
    through: str = "2025-12-31",
) -> pl.LazyFrame:
    return email_campaigns(
        mails(*rows),
        frame(SessionDays, sessions or []),
        frame(GoalDays, goals or []),
        orders(*(bought or [])),
        frame(Customers, customers or [], fate="counts"),
        attribution_days=days,
        data_through=day(through),
    )


def outcomes(table: pl.LazyFrame) -> list[tuple[Any, ...]]:
    return collected(table, EmailCampaigns).select(OUTCOMES).rows()


def test_two_hundred_open_and_fifty_click() -> None:
    # Delivered to 400: opened 200 / 400 = 0.5, clicked 50 / 400 = 0.125, of openers 50 / 200
    people = [
        mail("sent delivered" + " opened" * (n < 200) + " clicked" * (n < 50), SENT, f"p{n}")
        for n in range(400)
    ]
    assert_rows(
        of(*people),
        EmailCampaigns,
        [
            {
                "campaign": "spring",
                "sent": 400,
                "delivered": 400,
                "opened": 200,
                "clicked": 50,
                "open_rate": 0.5,
                "click_through_rate": 0.125,
                "click_to_open_rate": 0.25,
            }
        ],
    )


def test_a_mail_opened_twice_is_one_person_who_opened() -> None:
    # ada: twice on one day and once on the next; bob once
    table = of(
        mail("delivered opened opened", SENT),
        mail("opened", "2025-03-02 10:00"),
        mail("delivered opened", SENT, "bob"),
    )
    names = ["delivered", "delivered_mails", "opened", "opened_mails", "open_rate"]
    assert collected(table, EmailCampaigns).select(names).rows() == [(2, 2, 2, 4, 1.0)]


def test_openings_by_machines_are_left_out_and_counted() -> None:
    table = of(
        mail("delivered opened machine_opened", SENT),
        mail("delivered machine_opened machine_opened", SENT, "bob"),
    )
    names = ["opened", "opened_mails", "machine_opened", "machine_opened_mails", "open_rate"]
    assert collected(table, EmailCampaigns).select(names).rows() == [(1, 1, 2, 3, 0.5)]


def test_a_click_without_an_opening_makes_none() -> None:
    # Three click, of whom one opened: 3 / 1
    table = of(
        mail("delivered opened clicked", SENT),
        mail("delivered clicked", SENT, "bob"),
        mail("delivered machine_opened clicked", SENT, "cid"),
        mail("delivered clicked", SENT, "dan", "summer"),
    )
    names = ["campaign", "opened", "clicked", "click_through_rate", "click_to_open_rate"]
    assert collected(table, EmailCampaigns).select(names).rows() == [
        ("spring", 1, 3, 1.0, 3.0),
        ("summer", 0, 1, 1.0, None),
    ]


def test_who_unsubscribes_or_cannot_be_reached_is_counted() -> None:
    table = of(
        mail("sent delivered unsubscribed", SENT),
        mail("sent bounced", SENT, "bob"),
        mail("sent bounced", SENT, "cid"),
        mail("sent bounced", "2025-03-02 10:00", "cid"),
    )
    names = ["sent", "sent_mails", "delivered", "unsubscribed", "unsubscribed_mails"]
    names += ["bounced", "bounced_mails", "mailed_users"]
    assert collected(table, EmailCampaigns).select(names).rows() == [(3, 4, 1, 1, 1, 2, 3, 1)]


def test_campaigns_have_rows_of_their_own() -> None:
    table = of(mail("sent", SENT), mail("sent", SENT, campaign="(none)"))
    assert collected(table, EmailCampaigns)["campaign"].to_list() == ["(none)", "spring"]


def test_without_deliveries_those_sent_to_are_mailed_and_rates_are_not_known() -> None:
    table = of(mail("sent opened", SENT), mail("sent", SENT, "bob"))
    names = ["delivered", "open_rate", "click_through_rate", "mailed_users"]
    assert collected(table, EmailCampaigns).select(names).rows() == [(0, None, None, 2)]


def test_whom_no_mail_reached_does_not_visit_by_it() -> None:
    # bob's mail came back, of cid only a click is known
    table = of(
        mail("sent delivered", SENT),
        mail("sent bounced", SENT, "bob"),
        mail("clicked", SENT, "cid"),
        sessions=[session("2025-03-01 11:00", user) for user in ("ada", "bob", "cid")],
        bought=[paid("2025-03-01 11:00", "5", user) for user in ("ada", "bob", "cid")],
    )
    assert outcomes(table) == [(1, 1, 1, Decimal(5))]


@pytest.mark.parametrize(
    ("when", "is_within"),
    [
        ("2025-03-01 09:59:59.999999", False),
        ("2025-03-01 10:00", True),
        ("2025-03-31 10:00", True),
        ("2025-03-31 10:00:00.000001", False),
    ],
)
def test_a_window_has_both_its_ends(when: str, is_within: bool) -> None:
    # Thirty days of 24 hours from 1 March 10:00 end on the 31st at 10:00.
    row = mail("delivered", SENT)
    start = session("2025-03-01 10:00", started_ts=at(when), date=day(when[:10]))
    number = int(is_within)
    assert outcomes(of(row, sessions=[start], days=30)) == [(1, number, 0, Decimal(0))]
    assert outcomes(of(row, goals=[goal(when)], days=30)) == [(1, 0, number, Decimal(0))]
    assert outcomes(of(row, bought=[paid(when, "7")], days=30)) == [
        (1, 0, number, Decimal(7 * number))
    ]


def test_the_window_begins_with_the_first_mail_of_the_campaign() -> None:
    # The visit is 31 days after spring's first mail to ada and 11 after its second.
    table = of(
        mail("delivered", SENT),
        mail("delivered", "2025-03-21 10:00"),
        mail("delivered", "2025-03-21 10:00", campaign="summer"),
        sessions=[session("2025-04-01 10:00")],
        days=30,
    )
    names = ["campaign", "visiting_users"]
    assert collected(table, EmailCampaigns).select(names).rows() == [("spring", 0), ("summer", 1)]


def test_visits_before_the_mail_do_not_hide_one_after_it() -> None:
    table = of(
        mail("delivered", SENT),
        sessions=[
            session("2025-02-01 10:00"),
            session("2025-03-05 10:00"),
            session("2025-03-06 10:00"),
            session("2025-03-05 10:00", "eve"),
        ],
    )
    assert outcomes(table) == [(1, 1, 0, Decimal(0))]


def test_a_visit_between_two_windows_follows_neither_campaign() -> None:
    # Windows of thirty days from 1 March and from 1 June: of ada's two visits one lies between
    # them and one in the second, bob's one visit lies in the first.
    table = of(
        mail("delivered", SENT),
        mail("delivered", "2025-06-01 10:00", campaign="summer"),
        mail("delivered", SENT, "bob"),
        sessions=[
            session("2025-05-01 10:00"),
            session("2025-06-02 10:00"),
            session("2025-03-02 10:00", "bob"),
        ],
        goals=[goal("2025-05-01 10:00"), goal("2025-06-02 10:00")],
        days=30,
    )
    names = ["campaign", "mailed_users", "visiting_users", "converting_users"]
    rows = collected(table, EmailCampaigns).select(names).rows()
    assert rows == [("spring", 2, 1, 0), ("summer", 1, 1, 1)]


def test_revenue_is_what_is_bought_less_what_comes_back_within_the_window() -> None:
    # ada: 20 + 5 - 4 = 21 and not the 90 before and the 70 after; bob: 0.0001
    lines = [
        paid("2025-02-28 10:00", "90"),
        paid("2025-03-02 10:00", "20", order_id="o", line_id="1"),
        paid("2025-03-02 10:00", "5", order_id="o", line_id="2"),
        paid("2025-03-09 10:00", "-4", kind="refund"),
        paid("2025-07-01 10:00", "70"),
        paid("2025-03-03 10:00", "0.0001", "bob"),
        paid("2025-03-03 10:00", "100", "eve"),
        paid("2025-03-04 10:00", "100", fate="duplicate"),
    ]
    table = of(mail("delivered", SENT), mail("delivered", SENT, "bob"), bought=lines)
    assert outcomes(table) == [(2, 0, 2, Decimal("21.0001"))]


def test_a_refund_alone_is_no_conversion() -> None:
    table = of(mail("delivered", SENT), bought=[paid("2025-03-02 10:00", "-4", kind="refund")])
    assert outcomes(table) == [(1, 0, 0, Decimal(-4))]


def test_a_customer_s_orders_are_those_of_the_person() -> None:
    # ada is known to the shop by two numbers.
    lines = [paid("2025-03-02 10:00", "3", "c1"), paid("2025-03-02 10:00", "4", "c2")]
    ids = [{"customer_id": name, "user_id": "ada"} for name in ("c1", "c2")]
    table = of(mail("delivered", SENT), bought=lines, customers=ids)
    assert outcomes(table) == [(1, 0, 1, Decimal(7))]


def test_an_order_within_the_windows_of_two_campaigns_stands_in_both() -> None:
    rows = [mail("delivered", SENT), mail("delivered", SENT, campaign="summer")]
    table = of(*rows, bought=[paid("2025-03-02 10:00", "3")])
    assert outcomes(table) == [(1, 0, 1, Decimal(3)), (1, 0, 1, Decimal(3))]


def test_what_lies_after_the_horizon_is_not_known_yet() -> None:
    table = of(
        mail("delivered", SENT),
        mail("delivered opened", "2025-03-02 10:00", "bob"),
        sessions=[session("2025-03-02 10:00")],
        goals=[goal("2025-03-02 10:00")],
        bought=[paid("2025-03-02 10:00", "3")],
        through="2025-03-01",
    )
    found = collected(table, EmailCampaigns)
    assert found.select("delivered", "opened", *OUTCOMES).rows() == [(1, 0, 1, 0, 0, Decimal(0))]


def test_no_mails_are_no_campaigns() -> None:
    assert collected(of(), EmailCampaigns).is_empty()
