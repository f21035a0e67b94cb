"""When a version of a subscription bears MRR, and how much."""

from decimal import Decimal
from typing import Any

import pytest
from frames import assert_rows, at, collected, day, frame
from revenue_rows import fact, subscribed

from schemas.exchange_rates import ExchangeRates
from schemas.subscriptions import Subscriptions


def stretches(*rows: dict[str, Any], timezone: str = "UTC") -> list[tuple[str, str, str | None]]:
    """Amount, first day and first day after it of whatever bears MRR, in order of days."""
    table = fact(*rows, timezone=timezone).drop_nulls("mrr_from_date").sort("mrr_from_date")
    columns = table.select("mrr_amount", "mrr_from_date", "mrr_until_date").collect()
    return [
        (f"{amount.normalize():f}", str(first), until and str(until))
        for amount, first, until in columns.rows()
    ]


def fates(*rows: dict[str, Any]) -> list[str]:
    return fact(*rows).sort("line").collect()["fate"].to_list()


@pytest.mark.parametrize(
    ("interval", "count", "amount", "quantity", "mrr"),
    [
        ("month", 1, "10", 3, "30"),  # 3 x 10
        ("month", 3, "100", 1, "33.3333"),  # 100 / 3
        ("year", 1, "120", 1, "10"),  # 120 / 12
        ("year", 2, "100", 1, "4.1667"),  # 100 / 24 = 4.16666...
        ("week", 1, "12", 1, "52"),  # 12 x 52 / 12
        ("week", 2, "12", 1, "26"),
        ("day", 1, "12", 1, "365"),  # 12 x 365 / 12
        ("day", 30, "30", 1, "30.4167"),  # 30 x 365 / 360 = 30.41666...
        ("month", 2, "0.0001", 1, "0"),  # 0.00005: the even neighbour is 0
        ("month", 2, "0.0003", 1, "0.0002"),  # 0.00015: the even neighbour is 0.0002
        ("year", 1, "0.01", 5000, "4.1667"),  # rounded once: 50 / 12, not 5,000 x 0.0008
        ("month", 1, "10", 0, "0"),
    ],
)
def test_a_price_is_turned_into_a_price_per_month(
    interval: str, count: int, amount: str, quantity: int, mrr: str
) -> None:
    row = subscribed("2024-01-01", amount, interval=interval, interval_count=count)
    assert stretches({**row, "quantity": quantity}) == [(mrr, "2024-01-01", None)]


def test_cancelled_on_the_10th_but_paid_until_the_30th_ends_on_the_30th() -> None:
    rows = [
        subscribed("2024-04-01"),
        subscribed(
            "2024-04-01", status="canceled", updated_ts="2024-04-10", cancel_at_ts="2024-05-01"
        ),
    ]
    # Until the end of 30 April: 1 May is the first day without.
    assert stretches(*rows) == [
        ("10", "2024-04-01", "2024-04-10"),
        ("10", "2024-04-10", "2024-05-01"),
    ]


def test_a_period_ends_at_the_earliest_of_its_ends() -> None:
    ends = {"ended_ts": "2024-03-03", "cancel_at_ts": "2024-03-02"}
    assert stretches(subscribed("2024-01-01", **ends)) == [("10", "2024-01-01", "2024-03-02")]
    following = subscribed("2024-03-01", "20")
    assert stretches(subscribed("2024-01-01", **ends), following) == [
        ("10", "2024-01-01", "2024-03-01"),
        ("20", "2024-03-01", None),
    ]


def test_a_canceled_row_without_an_end_ends_when_it_was_written() -> None:
    rows = [
        subscribed("2024-01-01"),
        subscribed("2024-01-01", status="canceled", landed="2024-02-05"),
    ]
    assert stretches(*rows) == [("10", "2024-01-01", "2024-02-05")]
    alone = subscribed("2024-01-01", status="canceled", updated_ts="2024-02-03 09:00")
    assert stretches(alone) == [("10", "2024-01-01", "2024-02-03")]


def test_a_pause_bears_nothing_from_its_update_and_what_was_before_stays() -> None:
    rows = [
        subscribed("2024-01-01"),
        subscribed("2024-01-01", status="paused", updated_ts="2024-02-10 12:00"),
        subscribed("2024-01-01", status="active", updated_ts="2024-04-02 12:00"),
    ]
    expected = [("10", "2024-01-01", "2024-02-10"), ("10", "2024-04-02", None)]
    assert stretches(*rows) == expected
    # Known only since it is paused: it was paid for until then.
    assert stretches(rows[1]) == [("10", "2024-01-01", "2024-02-10")]


def test_a_trial_bears_nothing_before_its_end() -> None:
    trial = subscribed("2024-01-10", status="trialing", trial_end_ts="2024-01-24 10:00")
    assert stretches(trial) == [("10", "2024-01-24", None)]
    assert stretches({**trial, "trial_end_ts": None}) == []
    assert stretches({**trial, "status": "active"}) == [("10", "2024-01-24", None)]
    assert stretches({**trial, "ended_ts": at("2024-01-20 00:00")}) == []
    # The trial is made longer before it is over: the later word holds from then on.
    longer = {**trial, "updated_ts": at("2024-01-20 00:00"), "trial_end_ts": at("2024-02-01 00:00")}
    assert stretches(trial, longer) == [("10", "2024-02-01", None)]


def test_past_due_counts() -> None:
    assert stretches(subscribed("2024-01-01", status="past_due")) == [("10", "2024-01-01", None)]


def test_price_quantity_and_plan_change_from_the_version_that_says_so() -> None:
    rows = [
        subscribed("2024-01-01"),
        subscribed("2024-01-01", quantity=3, updated_ts="2024-02-15 08:00"),
    ]
    assert stretches(*rows) == [("10", "2024-01-01", "2024-02-15"), ("30", "2024-02-15", None)]


def test_an_end_that_a_later_version_takes_back_never_was() -> None:
    rows = [
        subscribed("2024-01-01", cancel_at_ts="2024-02-01"),
        subscribed("2024-01-01", updated_ts="2024-03-01"),
    ]
    assert stretches(*rows) == [("10", "2024-01-01", "2024-03-01"), ("10", "2024-03-01", None)]
    # One that was carried out, as the status says, was one until the customer came back.
    gone = subscribed("2024-01-01", status="canceled", updated_ts="2024-02-01")
    assert stretches(subscribed("2024-01-01"), gone, rows[1]) == [
        ("10", "2024-01-01", "2024-02-01"),
        ("10", "2024-03-01", None),
    ]


def test_an_end_that_only_the_last_version_names_holds_for_all_before_it() -> None:
    rows = [
        subscribed("2024-01-01"),
        subscribed("2024-01-01", ended_ts="2024-02-20", updated_ts="2024-03-05"),
    ]
    assert stretches(*rows) == [("10", "2024-01-01", "2024-02-20")]


def test_of_one_version_the_row_that_landed_last_counts() -> None:
    first = subscribed("2024-01-01", updated_ts="2024-01-02")
    second = subscribed("2024-01-01", "12", updated_ts="2024-01-02", landed="2024-01-05")
    assert fates(first, second) == ["duplicate", "counts"]
    assert stretches(first, second) == [("12", "2024-01-01", None)]
    assert fates(second, first) == ["counts", "duplicate"]


def test_a_full_export_of_every_day_is_one_version() -> None:
    every_day = [subscribed("2024-01-01", landed=f"2024-01-{number:02}") for number in range(1, 8)]
    assert fates(*every_day) == ["counts"] + 6 * ["duplicate"]
    assert stretches(*every_day) == [("10", "2024-01-01", None)]
    # What changed and changed back is three versions, each since noon of its landing date.
    changed = subscribed("2024-01-01", "11", landed="2024-01-08")
    back = subscribed("2024-01-01", landed="2024-01-09")
    assert fates(*every_day, changed, back)[-2:] == ["counts", "counts"]
    assert stretches(*every_day, changed, back)[1:] == [
        ("11", "2024-01-08", "2024-01-09"),
        ("10", "2024-01-09", None),
    ]


def test_a_period_without_a_day_s_end_bears_nothing() -> None:
    assert stretches(subscribed("2024-01-05", ended_ts="2024-01-05")) == []
    assert stretches(subscribed("2024-01-05", ended_ts="2024-01-03")) == []
    within = subscribed("2024-01-05 08:00", ended_ts="2024-01-05 23:59:59.999999")
    assert stretches(within) == []
    # Up to midnight holds at the day's last instant.
    until_midnight = subscribed("2024-01-05 08:00", ended_ts="2024-01-06 00:00")
    assert stretches(until_midnight) == [("10", "2024-01-05", "2024-01-06")]


def test_days_are_those_of_the_reporting_time_zone_when_clocks_change() -> None:
    # Berlin: the 31st of March 2024 ends at 22:00 UTC (23 hours), the 27th of October at 23:00.
    spring = subscribed("2024-03-30 22:59:59", ended_ts="2024-03-31 22:00")
    assert stretches(spring, timezone="Europe/Berlin") == [("10", "2024-03-30", "2024-04-01")]
    autumn = subscribed("2024-10-26 22:00", ended_ts="2024-10-27 22:59:59.999999")
    assert stretches(autumn, timezone="Europe/Berlin") == []
    longer = subscribed("2024-10-26 22:00", ended_ts="2024-10-27 23:00")
    assert stretches(longer, timezone="Europe/Berlin") == [("10", "2024-10-27", "2024-10-28")]


def test_amounts_are_at_the_rate_of_the_start_day_and_wait_where_there_is_none() -> None:
    rates = frame(
        ExchangeRates,
        [
            {"day": day("2024-01-01"), "currency": "USD", "rate": Decimal("1.25")},
            {"day": day("2024-01-08"), "currency": "USD", "rate": Decimal("2")},
        ],
        fate="counts",
    )
    dollars = {"currency": "USD", "updated_ts": "2024-02-01"}
    table = fact(
        subscribed("2024-01-07", "100", **dollars),  # 100 / 1.25
        subscribed("2024-01-16", "100", subscription_id="s2", **dollars),  # eight days after one
        rates=rates,
    )
    assert_rows(
        table,
        Subscriptions,
        [
            {"subscription_id": "s1", "fate": "counts", "mrr_amount": Decimal(80)}
            | {"mrr_from_date": day("2024-01-07")},
            {"subscription_id": "s2", "fate": "awaiting_rate", "mrr_amount": None}
            | {"mrr_from_date": None},
        ],
    )


def test_a_version_that_waits_for_a_rate_still_ends_the_one_before() -> None:
    rows = [subscribed("2024-01-01"), subscribed("2024-01-01", currency="XAF", landed="2024-02-01")]
    assert stretches(*rows) == [("10", "2024-01-01", "2024-02-01")]


def test_a_subscription_may_be_known_before_it_starts() -> None:
    ahead = subscribed("2024-03-01", updated_ts="2024-01-05", landed="2024-01-05")
    cheaper = subscribed("2024-03-01", "8", updated_ts="2024-02-05", landed="2024-02-05")
    assert stretches(ahead, cheaper) == [("8", "2024-03-01", None)]


def test_a_time_of_day_that_is_missing_is_noon_of_the_reporting_time_zone() -> None:
    table = collected(fact(subscribed("2024-07-01"), timezone="Asia/Tokyo"), Subscriptions)
    assert table["version_ts"].to_list() == [at("2024-07-01 03:00")]
    # Samoa left 30 December 2011 out.
    nowhere = fact(subscribed("2011-12-30"), timezone="Pacific/Apia").collect()
    assert nowhere["version_ts"].to_list() == [at("2011-12-30 12:00")]


def test_leap_days_are_days() -> None:
    row = subscribed("2024-02-29", ended_ts="2024-03-01")
    assert stretches(row) == [("10", "2024-02-29", "2024-03-01")]


def test_a_version_of_staff_bears_nothing_and_still_ends_the_one_before() -> None:
    rows = [
        subscribed("2024-01-01", updated_ts="2024-01-01"),
        subscribed("2024-01-01", customer_id="bob", updated_ts="2024-02-01"),
    ]
    assert_rows(
        fact(*rows, staff="bob"),
        Subscriptions,
        [
            {
                "customer_id": "ann",
                "fate": "counts",
                "mrr_amount": Decimal(10),
                "mrr_from_date": day("2024-01-01"),
                "mrr_until_date": day("2024-02-01"),
            },
            {
                "customer_id": "bob",
                "fate": "excluded",
                "mrr_amount": None,
                "mrr_from_date": None,
                "mrr_until_date": None,
            },
        ],
    )
