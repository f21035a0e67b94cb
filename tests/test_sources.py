"""What each source takes in, fills in and refuses."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from frames import at
from landing_support import LANDED, file, receipt, refused, rows, taken

from pipelines.landing.results import TakenIn
from pipelines.landing.sources import (
    CUSTOMERS,
    EXCHANGE_RATES,
    ORDERS,
    SOURCES,
    SUBSCRIPTIONS,
    SURVEYS,
    TICKETS,
    Source,
)
from schemas.base import dtypes

TS = "2024-03-05T12:00:00Z"
SUBSCRIPTION = "subscription_id,customer_id,plan,amount,currency,interval,started_ts"


def csv(folder: Path, source: Source, text: str, *feeds: dict[str, object]) -> TakenIn:
    return taken(file(folder, "a.csv", text), *feeds, source=source)


def test_an_order_is_a_purchase_of_one_line_unless_it_says_otherwise(tmp_path: Path) -> None:
    text = f"order_id,customer_id,ordered_ts,amount,currency\n1,ada,{TS},10.5,eur\n"
    found = rows(csv(tmp_path, ORDERS, text), "order_id", "line_id", "kind", "amount", "currency")
    assert found == [("1", "", "purchase", Decimal("10.5"), "EUR")]


def test_money_is_exact_and_rounded_half_to_even_below_four_decimals(tmp_path: Path) -> None:
    amounts = ["0.1", "0.30000000000000004", "0.00005", "0.00015", "1e3", "-2.5", " 7 "]
    lines = "".join(f"{i},ada,{TS},{amount},EUR\n" for i, amount in enumerate(amounts))
    result = csv(tmp_path, ORDERS, f"order_id,customer_id,ordered_ts,amount,currency\n{lines}")
    expected = ["0.1", "0.3", "0", "0.0002", "1000", "-2.5", "7"]
    assert [row[0] for row in rows(result, "amount")] == [Decimal(text) for text in expected]


@pytest.mark.parametrize("amount", ["ten", "1,5", "NaN", "inf", "1e15"])
def test_what_is_no_amount_is_refused(tmp_path: Path, amount: str) -> None:
    text = f'order_id,customer_id,ordered_ts,amount,currency\n1,ada,{TS},"{amount}",EUR\n'
    result = csv(tmp_path, ORDERS, text)
    assert [reasons for _, _, reasons in refused(result)] == ["amount is not a number below 10^14"]


def test_a_currency_that_is_none_is_refused_with_every_other_reason(tmp_path: Path) -> None:
    text = f"order_id,customer_id,ordered_ts,amount,currency,kind\n1,,{TS},1,Euro,gift\n"
    assert [reasons for _, _, reasons in refused(csv(tmp_path, ORDERS, text))] == [
        "customer_id is missing; currency does not match ^[A-Z]{3}$; "
        "kind is none of purchase, refund"
    ]


def test_a_file_without_a_column_that_a_row_cannot_do_without_is_refused(tmp_path: Path) -> None:
    result = csv(
        tmp_path, ORDERS, f"order,customer_id,ordered_ts,amount,currency\n1,a,{TS},1,EUR\n"
    )
    assert [reasons for _, _, reasons in refused(result)] == [
        "the file has no column order_id, which [sources.orders] does not map either; "
        "did you mean order?"
    ]


def test_rows_without_an_id_can_be_given_one_by_what_they_say(tmp_path: Path) -> None:
    feed = {"columns": {"order_id": {"content": True}}}
    text = (
        f"customer_id,ordered_ts,amount,currency\nada,{TS},1,EUR\nbob,{TS},1,EUR\nada,{TS},1,EUR\n"
    )
    result = csv(tmp_path, ORDERS, text, feed)
    (first,), (other,), (again,) = rows(result, "order_id")
    assert again == f"{first}-2"
    assert len({first, other, again}) == 3
    (one,), (two,), (same,) = rows(
        csv(tmp_path, ORDERS, text, {**feed, "identical_rows": "drop"}), "order_id"
    )
    assert (one, two, same) == (first, other, first)


def test_an_id_from_content_takes_the_place_of_a_default(tmp_path: Path) -> None:
    feed = {"columns": {"line_id": {"content": True}}}
    head = "order_id,customer_id,ordered_ts,amount,currency"
    text = f"{head}\n1,ada,{TS},1,EUR\n1,ada,{TS},2,EUR\n1,ada,{TS},1,EUR\n"
    lines = {line for (line,) in rows(csv(tmp_path, ORDERS, text, feed), "line_id")}
    assert len(lines) == 3
    assert "" not in lines


def test_a_subscription_is_one_active_unit_of_one_interval(tmp_path: Path) -> None:
    result = csv(tmp_path, SUBSCRIPTIONS, f"{SUBSCRIPTION}\ns,ada,pro,9,usd,Month,{TS}\n")
    found = rows(result, "interval", "interval_count", "quantity", "status", "currency")
    assert found == [("month", 1, 1, "active", "USD")]


def test_an_interval_or_price_out_of_range_is_refused(tmp_path: Path) -> None:
    text = f"{SUBSCRIPTION},interval_count\ns,ada,pro,-9,USD,fortnight,{TS},0\n"
    assert [reasons for _, _, reasons in refused(csv(tmp_path, SUBSCRIPTIONS, text))] == [
        "amount is below 0; interval is none of day, week, month, year; interval_count is below 1"
    ]


def test_a_price_that_can_only_be_a_mistake_is_refused(tmp_path: Path) -> None:
    text = f"{SUBSCRIPTION},quantity\ns,ada,pro,1000000,USD,day,{TS},1000001\n"
    assert [reasons for _, _, reasons in refused(csv(tmp_path, SUBSCRIPTIONS, text))] == [
        "amount x quantity is above 1000000000000"
    ]
    assert refused(csv(tmp_path, SUBSCRIPTIONS, text.replace("1000001", "1000000"))) == []


@pytest.mark.parametrize(
    ("kind", "ends"), [("nps", (0, 10)), ("CSAT", (1, 5)), ("ces", (1, 7)), ("review", (1, 5))]
)
def test_each_kind_of_survey_has_its_scale(
    tmp_path: Path, kind: str, ends: tuple[int, int]
) -> None:
    text = f"response_id,survey,kind,score,answered_ts\n1,rel,{kind},3,{TS}\n"
    found = rows(csv(tmp_path, SURVEYS, text), "kind", "scale_min", "scale_max", "direction")
    assert found == [(kind.lower(), *ends, "ease")]


def test_a_survey_that_was_not_answered_counts_from_the_day_it_was_asked(tmp_path: Path) -> None:
    text = "response_id,survey,kind,score,asked_ts,answered_ts\n1,rel,nps,,2024-03-04T12:00:00Z,\n"
    assert rows(csv(tmp_path, SURVEYS, text), "score", "event_date") == [(None, date(2024, 3, 4))]


def test_a_score_needs_its_time_and_its_scale(tmp_path: Path) -> None:
    text = (
        "response_id,survey,kind,score,asked_ts,answered_ts\n"
        f"1,rel,nps,11,,{TS}\n2,rel,nps,5,{TS},\n3,rel,nps,,,{TS}\n4,rel,nps,0,,{TS}\n"
    )
    result = csv(tmp_path, SURVEYS, text)
    assert [reasons for _, _, reasons in refused(result)] == [
        "score lies outside scale_min to scale_max",
        "answered_ts is missing though there is a score",
        "asked_ts is missing though there is no score",
    ]
    assert rows(result, "response_id") == [("4",)]


def test_a_customer_without_a_time_is_filed_under_the_landing_date(tmp_path: Path) -> None:
    text = f"customer_id,created_ts\nada,\nbob,{TS}\n"
    assert rows(csv(tmp_path, CUSTOMERS, text), "customer_id", "event_date") == [
        ("ada", LANDED),
        ("bob", date(2024, 3, 5)),
    ]


def test_a_rate_is_above_zero(tmp_path: Path) -> None:
    text = "day,currency,rate\n2024-03-05,usd,1.08321\n2024-03-05,GBP,0\n"
    result = csv(tmp_path, EXCHANGE_RATES, text)
    assert rows(result, "currency", "rate") == [("USD", Decimal("1.08321"))]
    assert [reasons for _, _, reasons in refused(result)] == ["rate is not above 0"]


def test_late_is_what_happens_not_what_is_exported_whole(tmp_path: Path) -> None:
    old = "2024-02-01T12:00:00Z"
    order = f"order_id,customer_id,ordered_ts,amount,currency\n1,ada,{old},1,EUR\n"
    ticket = f"ticket_id,opened_ts\n1,{old}\n"
    assert receipt(csv(tmp_path, ORDERS, order), "late_30d_rows") == {"late_30d_rows": 1}
    assert receipt(csv(tmp_path, TICKETS, ticket), "late_30d_rows") == {"late_30d_rows": 0}


@pytest.mark.parametrize("source", SOURCES.values(), ids=lambda source: source.name)
def test_every_source_takes_rows_of_its_canonical_columns(tmp_path: Path, source: Source) -> None:
    values: dict[object, object] = {
        pl.String: "USD",
        pl.Int64: 1,
        pl.Float64: 1.0,
        pl.Boolean: True,
    }
    values |= {
        pl.Date: date(2024, 3, 5),
        pl.Decimal(18, 4): Decimal(1),
        pl.Decimal(18, 8): Decimal(1),
    }
    fixed = {
        "kind": "nps" if source is SURVEYS else "purchase",
        "interval": "month",
        "status": "active",
        "direction": "ease",
        "properties": "{}",
        "scale_max": 5.0,
        "scroll_depth": 0.5,
    }
    types = dtypes(source.contract)
    row = {name: fixed.get(name, values.get(dtype, at(TS[:-1]))) for name, dtype in types.items()}
    path = file(tmp_path, "a.parquet", b"")
    pl.DataFrame([row], schema=types).write_parquet(path.path)
    result = taken(path, source=source)
    assert refused(result) == []
    (landed,) = result.landed.select(list(types)).rows(named=True)
    assert landed == row
