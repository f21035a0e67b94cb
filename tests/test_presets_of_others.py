"""Presets for subscriptions, surveys, tickets and orders: every canonical column, dirt included."""

import re
import tomllib

import pytest
from homes import ROOT
from preset_rows import RECORDS, canonical, reasons, records, take, take_text
from pydantic import ValidationError

from pipelines.commands.presets_page import presets_page
from pipelines.landing.feeds import Feed, check_feeds, mapping_fingerprint
from pipelines.landing.presets import load_preset, preset_names
from pipelines.landing.sources import SOURCES

PRO = {
    "subscription_id": "si_1a",
    "customer_id": "cus_1",
    "plan": "Pro",
    "amount": "29.0000",  # 2900 cents
    "currency": "EUR",
    "interval": "month",
    "interval_count": 1,
    "quantity": 1,
    "status": "active",
    "started_ts": "2025-01-01 00:00:00",
    "cancel_at_ts": "2025-05-01 00:00:00",  # cancel_at_period_end: current_period_end
}


def test_stripe_takes_the_billing_period_from_the_items_and_from_the_subscription():
    added = {
        "subscription_id": "si_1b",
        "plan": "price_seat",
        "amount": "5.0000",
        "quantity": 3,
        "started_ts": "2025-02-01 00:00:00",  # when the item was added
    }
    before_2025_03_31 = {
        "subscription_id": "si_2",
        "customer_id": "cus_2",
        "plan": "gold-yearly",
        "amount": "1200.0000",
        "interval": "year",
        "status": "past_due",
        "cancel_at_ts": "2026-01-01 00:00:00",
    }
    result = take("stripe", "page.ndjson")
    assert canonical(result, "stripe") == [PRO, PRO | added, PRO | before_2025_03_31]
    # A page of two subscriptions, of two items and one.
    places = result.landed.sort("item").select("line", "item").rows()
    assert places == [(1, 1), (1, 2), (1, 3)]
    assert result.receipts.select("raw_rows", "read_rows").rows() == [(2, 3)]


def test_stripe_one_subscription_a_line():
    plain = {name: value for name, value in PRO.items() if name != "cancel_at_ts"}
    yen = {
        "subscription_id": "si_3",
        "customer_id": "cus_3",  # the whole customer, expanded
        "plan": "jp_month",
        "amount": "980.0000",  # yen have no hundredth
        "currency": "JPY",
        "status": "trialing",
        "trial_end_ts": "2025-04-02 00:00:00",
    }
    ended = {
        "subscription_id": "si_4",
        "customer_id": "cus_4",
        "plan": "price_w",
        "amount": "0.0050",  # half a cent
        "interval": "week",
        "interval_count": 2,
        "status": "canceled",
        "started_ts": "2024-01-01 00:00:00",  # backdated: a year before it was created
        "ended_ts": "2025-03-01 00:00:00",
        "cancel_at_ts": "2025-03-01 00:00:00",
    }
    unpaid = {"subscription_id": "si_5", "customer_id": "cus_5", "status": "past_due"}
    result = take("stripe", "subscriptions.ndjson")
    assert canonical(result, "stripe") == [
        plain | yen,
        plain | ended,
        plain | ended,
        plain | unpaid,
    ]
    # A metered item, and a subscription whose first payment failed.
    assert result.receipts["filtered_rows"].to_list() == [2]
    assert reasons(take("stripe", "refused.ndjson")) == [
        "amount is missing",
        "plan is missing; amount is missing; interval is missing",
        "customer_id is missing",
        "status is none of trialing, active, past_due, paused, canceled",
    ]


def answer(response_id, kind, score, scale, **more):
    low, high = scale
    return {
        "response_id": response_id,
        "survey": f"delighted {kind}",
        "kind": kind,
        "score": score,
        "scale_min": low,
        "scale_max": high,
        "direction": "ease",
        "respondent_id": f"p{response_id}",
        "answered_ts": "2025-03-31 08:00:00",
        **more,
    }


def test_delighted():
    email = {"channel": "Email"}
    good = answer("1", "nps", 9.0, (0.0, 10.0), comment="good", **email)
    result = take("delighted", "responses.ndjson")
    assert canonical(result, "delighted") == [
        good,
        good,
        answer("2", "csat", 4.0, (1.0, 5.0), **email),
        answer("3", "ces", 7.0, (1.0, 7.0), survey="delighted ces7"),
        answer("4", "review", 5.0, (1.0, 5.0), survey="delighted stars_five", **email),
        answer("5", "csat", 1.0, (0.0, 1.0), survey="delighted thumbs", **email),
        answer("7", "nps", 0.0, (0.0, 10.0), **email),
    ]
    assert result.receipts["filtered_rows"].to_list() == [1]  # enps
    outside, bad_time, strange, unanswered = reasons(take("delighted", "refused.ndjson"))
    assert outside == "score lies outside scale_min to scale_max"
    assert bad_time.startswith("answered_ts is not a count of s since 1970; answered_ts is not an")
    assert strange == "kind is not in its table of values"
    assert unanswered == "asked_ts is missing though there is no score"


def test_delighted_as_csv_has_its_times_in_three_ways():
    result = take("delighted", "responses.csv")
    assert canonical(result, "delighted") == [
        answer("21", "nps", 10.0, (0.0, 10.0), comment="Quick, and\nfriendly"),
        # 08:00 at +02:00.
        answer("22", "ces", 2.0, (1.0, 5.0), answered_ts="2025-03-31 06:00:00"),
        answer("23", "csat", 3.0, (1.0, 3.0), survey="delighted csat3"),
    ]


def test_typeform():
    nps = {
        "response_id": "tok1",
        "survey": "exit/recommend",  # of the file responses_exit.json
        "kind": "nps",
        "score": 9.0,
        "scale_min": 0.0,
        "scale_max": 10.0,
        "direction": "ease",
        "respondent_id": "u-1",
        "asked_ts": "2025-03-31 07:00:00",
        "answered_ts": "2025-03-31 07:01:30",
    }
    rating = {"survey": "exit/support", "kind": "csat", "scale_min": 1.0, "scale_max": 5.0}
    third = {"response_id": "tok3", "score": 0.0, "respondent_id": "33", "channel": "email"}
    fourth = nps | rating | {"response_id": "tok4", "survey": "f2/support", "score": 5.0}
    del fourth["respondent_id"]
    result = take("typeform", "responses_exit.json")
    assert canonical(result, "typeform") == [
        nps,
        nps | rating | {"score": 4.0},
        nps | third | {"answered_ts": "2025-03-31 07:02:00"},
        fourth,
    ]
    # A text, and a form that was not sent.
    assert result.receipts["filtered_rows"].to_list() == [2]
    outside, no_time, no_list = reasons(take("typeform", "refused_exit.json"))
    assert outside == "score lies outside scale_min to scale_max"
    assert no_time == "answered_ts is missing though there is a score"
    assert no_list.startswith("answers is not a list; ")


def test_zendesk():
    ticket = {
        "ticket_id": "1",
        "customer_id": "901",
        "channel": "email",
        "opened_ts": "2025-03-30 10:00:00",
        "first_reply_ts": "2025-03-30 10:42:00",  # 42 minutes later
        "reopened_count": 0,
        "updated_ts": "2025-03-31 10:00:00",
    }
    solved = {
        "ticket_id": "2",
        "customer_id": "902",
        "first_reply_ts": "2025-03-30 10:00:00",
        "resolved_ts": "2025-03-31 09:00:00",
        "reopened_count": 2,
    }
    closed = {
        "ticket_id": "3",
        "opened_ts": "2025-03-30 10:00:00",
        "resolved_ts": "2025-03-31 07:00:00",  # 08:00 at +01:00
        "closed_ts": "2025-03-31 09:30:00",
        "reopened_count": 1,
        "updated_ts": "2025-03-31 10:00:00",
    }
    bare = {
        "ticket_id": "4",
        "customer_id": "904",
        "channel": "email",
        "opened_ts": "2025-03-30 10:00:00",
    }
    result = take("zendesk", "tickets.json")
    assert canonical(result, "zendesk") == [ticket, ticket | solved, closed, bare, ticket]
    assert result.receipts["filtered_rows"].to_list() == [1]
    no_id, bad_time, bad_minutes = reasons(take("zendesk", "refused.json"))
    assert no_id == "ticket_id is missing"
    assert bad_time.startswith("opened_ts is not an ISO 8601 timestamp")
    assert bad_minutes == "first_reply_ts has a length of time that is no number"


def test_zendesk_a_tier_of_ones_own_is_a_custom_field(tmp_path):
    tier = {"find": "custom_fields", "where": {"id": 360}, "take": "value"}
    text = records("zendesk", "tickets.json").splitlines()[-1]
    result = take_text(tmp_path, "zendesk", "a.json", text, columns={"tier": tier})
    assert result.landed["tier"].to_list() == ["gold"]
    assert result.landed["ticket_id"].to_list() == ["1"]


def test_shopify():
    order = {
        "order_id": "1",
        "line_id": "",
        "customer_id": "7001",
        "ordered_ts": "2025-03-30 13:00:00",  # 09:00 at -04:00
        "amount": "50.0000",
        "currency": "EUR",
        "kind": "purchase",
    }
    second = order | {"order_id": "2", "customer_id": "7002"}
    refund = {"kind": "refund", "line_id": "91", "amount": "10.0000"}
    later = {"kind": "refund", "line_id": "93", "amount": "5.5000"}
    result = take("shopify", "orders.json")
    assert canonical(result, "shopify") == [
        order,
        # Once for each of three refunds; the void and the refund without money make no row. The
        # purchase is one: same order, line and kind.
        second,
        second | refund | {"ordered_ts": "2025-03-31 10:00:00"},
        second,
        second,
        second | later | {"ordered_ts": "2025-03-31 11:00:00"},
        second,
        order | {"order_id": "3", "customer_id": "c3@example.org", "amount": "12.0000"},
        order,
    ]
    assert reasons(take("shopify", "refused.json")) == [
        "customer_id is missing",
        "currency does not match ^[A-Z]{3}$",
        "amount is missing",
    ]


def test_shopify_orders_exported_to_csv_are_told_by_their_first_line():
    order = {
        "order_id": "#1001",
        "line_id": "",
        "customer_id": "ann@example.org",
        "ordered_ts": "2025-03-14 14:02:11",  # 10:02:11 at -0400
        "amount": "45.0000",
        "currency": "EUR",
        "kind": "purchase",
    }
    second = {
        "order_id": "#1002",
        "customer_id": "bob@example.org",
        "ordered_ts": "2025-03-15 07:00:00",
        "amount": "10.0000",
        "currency": "USD",
    }
    result = take("shopify_csv", "orders_export_1.csv")
    assert canonical(result, "shopify_csv") == [order, order | second]
    assert result.receipts["filtered_rows"].to_list() == [2]
    assert reasons(take("shopify_csv", "refused.csv")) == [
        "customer_id is missing",
        "amount is not a number below 10^14",
        "ordered_ts is not a timestamp in the format %Y-%m-%d %H:%M:%S %z",
    ]


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_has_records_and_a_page_and_maps_what_its_source_needs(name):
    preset = load_preset(name)
    feed = Feed(preset=name)
    check_feeds(SOURCES[preset.source], [feed])
    assert any((RECORDS / name).iterdir())
    assert preset.page.startswith("https://")
    assert re.fullmatch(r"20\d\d(-\d\d-\d\d)?", preset.format_of)
    assert preset.text.startswith("# ")
    source = SOURCES[preset.source]
    given = {*source.defaults, source.content_id, source.received}
    columns = source.contract.to_schema().columns
    needed = {column for column, spec in columns.items() if not spec.nullable} - given
    assert needed <= feed.columns.keys()


def test_a_preset_and_the_same_written_out_have_one_fingerprint():
    written_out = tomllib.loads(load_preset("stripe").text)["feed"]
    preset, plain = Feed(preset="stripe"), Feed.model_validate(written_out)
    assert mapping_fingerprint([preset]) == mapping_fingerprint([plain])
    other = Feed(preset="stripe", columns={"plan": "items.data.price.id"})
    assert mapping_fingerprint([other]) != mapping_fingerprint([plain])


def test_own_keys_hold_instead_of_the_presets_and_columns_one_by_one():
    feed = Feed(preset="segment", filters=[], columns={"feature": "properties.area"})
    assert feed.filters == ()
    assert feed.columns["feature"].column == "properties.area"
    assert feed.columns["event_id"].column == "messageId"


def test_a_preset_that_is_not_there_or_of_another_source_is_told():
    with pytest.raises(ValidationError, match=r"no preset 'segmnt'; did you mean segment\?"):
        Feed(preset="segmnt")
    with pytest.raises(ValueError, match=r"preset stripe is one of \[sources.subscriptions\]"):
        check_feeds(SOURCES["events"], [Feed(preset="stripe")])


def test_presets_are_part_of_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    globs = project["tool"]["setuptools"]["package-data"]["pipelines.landing.presets"]
    folder = ROOT / "pipelines" / "landing" / "presets"
    shipped = {path.stem for glob in globs for path in folder.glob(glob)}
    assert shipped == {*preset_names()}
    assert (folder / "__init__.py").exists()


def test_the_page_of_presets_is_written_from_the_presets():
    assert (ROOT / "docs" / "presets.md").read_text(encoding="utf-8") == presets_page()
