"""Looking at files that nothing is known of: format, vendor, nearest names, paths."""

import gzip
import json
from datetime import date

import pytest
from homes import command, land_bytes, table
from landing_support import file

from pipelines.landing.glimpse import glimpse
from pipelines.landing.proposals import propose, tried
from pipelines.landing.sources import SOURCES

DAY = date(2025, 3, 31)
SHOP = """Order No;Customer;Order Date;Total;Currency
A1;c1;31.03.2025 10:00;12.50;EUR
A2;c2;31.03.2025 11:30;7.00;EUR
"""


def look(tmp_path, name, content):
    return glimpse(file(tmp_path, name, content, DAY))


def proposed(tmp_path, source, **contents):
    files = [file(tmp_path, name, content, DAY) for name, content in contents.items()]
    return propose(files, SOURCES[source])


@pytest.mark.parametrize(
    ("name", "content", "kind", "feed", "columns"),
    [
        ("a.csv", "a,b\n1,2\n", "csv", {}, ("a", "b")),
        ("a.csv", "a;b\n1,5;2\n2,5;3\n", "csv", {"delimiter": ";"}, ("a", "b")),
        ("a.tsv", "a\tb\n1\t2\n", "csv", {}, ("a", "b")),
        ("a.txt", "a|b\n1|2\n", "csv", {"format": "csv", "delimiter": "|"}, ("a", "b")),
        ("a.csv", "\ufeffa,b\n1,2\n", "csv", {}, ("a", "b")),
        ("a.csv", "a,é\n1,2\n".encode("cp1252"), "csv", {"encoding": "cp1252"}, ("a", "é")),
        ("a.csv", "a,é\n1,2\n".encode("utf-16"), "csv", {"encoding": "utf-16"}, ("a", "é")),
        ("a.csv", "1,2025-03-31\n2,2025-04-01\n", "csv", {"header": ["column 1", "column 2"]}, ()),
        ("a.ndjson", '{"a":1}\n{"b":{"c":2}}\n', "ndjson", {}, ("a", "b")),
        ("a", '{"a":1}\n', "ndjson", {"format": "ndjson"}, ("a",)),
        ("a.json.gz", '{"a":1}\n', "ndjson", {}, ("a",)),
    ],
    ids=str,
)
def test_the_format_of_a_file_is_seen(tmp_path, name, content, kind, feed, columns):
    found = look(tmp_path, name, content)
    assert found.problem is None
    assert (found.format, found.feed) == (kind, feed)
    assert found.columns == (columns or tuple(feed["header"]))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.json", '[{"a":1}]', "a JSON array: write one object a line (jq -c '.[]')"),
        ("a.json", '{\n "a": 1\n}\n', "no JSON object on a line of its own"),
        ("a.csv", "", "it is empty"),
        ("a.parquet", "PAR1", "no sound Parquet"),
        ("a.bin", b"PAR1\0", "let its name end in .parquet"),
        ("a.csv.zst", gzip.compress(b"a,b\n"), None),
    ],
    ids=["array", "over lines", "empty", "spoiled", "unnamed", "zst"],
)
def test_what_cannot_be_read_is_told(tmp_path, name, content, said):
    if said is None:
        name, said = "a.csv.gz", "no sound gzip"
        raw = file(tmp_path, "b.csv", "a,b\n", DAY)
        target = raw.path.with_name(name)
        target.write_bytes(b"nothing zipped")
        found = glimpse(type(raw)(DAY, name, target))
    else:
        found = look(tmp_path, name, content)
    assert said in found.problem
    (proposal,) = propose([found.file], SOURCES["orders"])
    assert proposal.kind == "unreadable"


def test_nearest_names_are_proposed_with_their_reasons(tmp_path):
    (proposal,) = proposed(tmp_path, "orders", **{"shop.csv": SHOP})
    assert proposal.kind == "guess"
    assert proposal.lacking == ()
    assert proposal.feed == {
        "delimiter": ";",
        "columns": {
            "order_id": "Order No",
            "customer_id": "Customer",
            "ordered_ts": {"column": "Order Date", "format": "%d.%m.%Y %H:%M", "zone": "UTC"},
            "amount": "Total",
            "currency": "Currency",
        },
    }
    assert proposal.why["amount"] == "by its name; 2 of 2 values can be read"
    assert proposal.why["currency"] == "called the same; 2 of 2 values can be read"
    assert proposal.why["ordered_ts"].endswith("they have no offset: is UTC their zone?")
    assert proposal.notes == ("of the first 2 rows 2 land",)


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("2025-03-31T10:00:00Z", "when"),
        ("2025-03-31", "when"),
        ("2025-03-31 10:00:00", {"column": "when", "zone": "UTC"}),
        (1743415200, {"column": "when", "epoch": "s"}),
        (1743415200123, {"column": "when", "epoch": "ms"}),
        (1743415200123456, {"column": "when", "epoch": "us"}),
        ("31/03/2025", {"column": "when", "format": "%d/%m/%Y"}),
        ("03/31/2025 10:00", {"column": "when", "format": "%m/%d/%Y %H:%M", "zone": "UTC"}),
    ],
)
def test_how_times_are_written_is_seen(tmp_path, text, expression):
    row = {"user": {"id": 5}, "when": text, "kind": "click"}
    (proposal,) = proposed(tmp_path, "events", **{"a.ndjson": json.dumps(row)})
    assert proposal.feed["columns"] == {
        "event_name": "kind",
        "event_ts": expression,
        "user_id": "user.id",
    }


def test_values_are_spelled_as_the_contract_has_them(tmp_path):
    rows = (
        "id,customer,plan,price,currency,period,start,state\ns1,c,pro,9,EUR,Monthly,2025-01-01,x\n"
    )
    (proposal,) = proposed(tmp_path, "subscriptions", **{"a.csv": rows})
    interval = {"column": "period", "values": {"Monthly": "month"}, "others": "keep"}
    assert proposal.feed["columns"]["interval"] == interval
    assert proposal.lacking == ()
    assert proposal.notes == ("of the first 1 rows 1 land",)


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("1450.44", "Total"),
        ("1450,44", {"column": "Total", "decimal": ","}),
        ("1.450,44", {"column": "Total", "decimal": ","}),
        ("1,450.44", {"column": "Total", "decimal": "."}),
        ("€ 1.450,44", {"column": "Total", "decimal": ",", "without": ["€"]}),
        ("1450.44 USD", {"column": "Total", "decimal": ".", "without": ["USD"]}),
    ],
)
def test_how_numbers_are_written_is_seen(tmp_path, text, expression):
    rows = f"Order No;Customer;Order Date;Total;Currency\nA1;c1;31.03.2025;{text};EUR\n"
    (proposal,) = proposed(tmp_path, "orders", **{"shop.csv": rows})
    assert proposal.feed["columns"]["amount"] == expression
    assert proposal.notes == ("of the first 1 rows 1 land",)


def test_canonical_names_with_numbers_as_people_write_them_are_mapped_all_the_same(tmp_path):
    rows = "order_id;customer_id;ordered_ts;amount;currency\n1;c;2025-03-31;1,5;EUR\n"
    more = "2;c;2025-03-31;2,5;EUR\n3;c;2025-03-31;2;EUR\n"
    (proposal,) = proposed(tmp_path, "orders", **{"a.csv": rows + more})
    assert proposal.feed["columns"]["amount"] == {"column": "amount", "decimal": ","}


def test_what_no_column_is_called_like_is_found_in_other_ways(tmp_path):
    rows = "Ticket No,Customer No,Wann,Was\n1,c,31.03.2025 10:00,x\n"
    (proposal,) = proposed(tmp_path, "tickets", **{"a.csv": rows})
    assert proposal.feed["columns"] == {
        "ticket_id": "Ticket No",
        "customer_id": "Customer No",
        "opened_ts": {"column": "Wann", "format": "%d.%m.%Y %H:%M", "zone": "UTC"},
    }
    assert proposal.why["opened_ts"].startswith("no other column holds times; 1 of 1 values")
    sales = "Order No,Customer,Date,Total Amount (CHF)\n1,c,2025-03-31,5\n"
    (proposal,) = proposed(tmp_path, "orders", **{"a.csv": sales})
    assert proposal.feed["columns"]["amount"] == "Total Amount (CHF)"
    assert proposal.feed["columns"]["currency"] == {"constant": "CHF"}
    answers = "id,customer,How likely are you to recommend us?,Date\n1,c,9,2025-03-31\n"
    (proposal,) = proposed(tmp_path, "surveys", **{"autumn-2025.csv": answers})
    assert proposal.feed["columns"]["survey"] == {"constant": "autumn"}
    assert proposal.feed["columns"]["kind"] == {"constant": "nps"}
    assert proposal.feed["columns"]["score"] == "How likely are you to recommend us?"


def test_values_tell_what_names_in_another_language_do_not(tmp_path):
    sales = "Belegnr;Datum;Kundennr;Betrag;Waehrung\nR1;31.03.2025;K1;1.450,44 €;EUR\n"
    sales += "R2;31.03.2025;K1;19,90 €;CHF\n"
    (proposal,) = proposed(tmp_path, "orders", **{"a.csv": sales})
    amount = {"column": "Betrag", "decimal": ",", "without": ["€"]}
    assert proposal.feed["columns"]["amount"] == amount
    assert proposal.why["amount"].startswith("no other column holds numbers; 2 of 2 values")
    assert proposal.feed["columns"]["currency"] == "Waehrung"
    assert proposal.lacking == ("order_id", "customer_id")
    two = "Belegnr;Datum;Kundennr;Menge;Betrag\nR1;31.03.2025;K1;2;19,90\n"
    (proposal,) = proposed(tmp_path, "orders", **{"a.csv": two})
    assert "amount" in proposal.lacking


def test_that_nobody_is_named_is_said_before_the_first_run(tmp_path):
    rows = "Zeit;Nutzer;Aktion\n31.03.2025 10:00;ada;Klick\n"
    (proposal,) = proposed(tmp_path, "events", **{"a.csv": rows})
    assert proposal.lacking == ("event_name",)
    assert proposal.notes[-1].startswith("nobody is named: say which column is user_id")
    (proposal,) = proposed(tmp_path, "events", **{"a.csv": rows.replace("Nutzer", "user")})
    assert not [note for note in proposal.notes if "nobody" in note]
    (proposal,) = proposed(tmp_path, "orders", **{"a.csv": rows})
    assert not [note for note in proposal.notes if "nobody" in note]


def test_what_few_values_have_is_no_id(tmp_path):
    rows = "Contract,customerID,plan,MonthlyCharges,currency,interval,started_ts\n"
    rows += "".join(f"yearly,c{i},a,5,EUR,month,2025-03-31\n" for i in range(20))
    (proposal,) = proposed(tmp_path, "subscriptions", **{"a.csv": rows})
    assert proposal.lacking == ("subscription_id",)
    assert proposal.feed["columns"]["amount"] == "MonthlyCharges"


def test_of_two_ways_to_read_a_date_the_one_that_reads_more_is_proposed(tmp_path):
    days = "".join(f"{i},c,03/{i:02d}/2025,5,EUR\n" for i in [*range(1, 13)] * 8 + [13])
    rows = f"id,customer,date,total,currency\n{days}"
    (proposal,) = proposed(tmp_path, "orders", **{"a.csv": rows})
    assert proposal.feed["columns"]["ordered_ts"] == {"column": "date", "format": "%m/%d/%Y"}


def test_events_that_no_table_knows_by_name_are_told(tmp_path):
    rows = "user,time,action\nu,2025-03-31T10:00:00Z,View\nu,2025-03-31T10:00:00Z,Buy\n"
    (proposal,) = proposed(tmp_path, "events", **{"a.csv": rows})
    assert proposal.notes[0].startswith("its events are called Buy, View; names that tables know")
    (proposal,) = proposed(tmp_path, "events", **{"a.csv": rows.replace("View", "page_view")})
    assert proposal.notes == ("of the first 2 rows 2 land",)


def test_a_column_whose_values_cannot_be_read_is_not_proposed(tmp_path):
    rows = "order_id,customer_id,ordered_ts,amount,currency\n1,c,2025-03-31,lots,EUR\n"
    (proposal,) = proposed(tmp_path, "orders", **{"a.csv": rows})
    assert proposal.lacking == ("amount",)
    assert "amount" not in proposal.feed["columns"]


def test_files_of_another_source_are_told_where_they_belong(tmp_path):
    row = {"id": "x", "object": "subscription", "customer": "c", "items": {"data": []}}
    row |= {"start_date": 1, "cancel_at_period_end": False, "collection_method": "x"}
    (proposal,) = proposed(tmp_path, "orders", **{"a.ndjson": json.dumps(row)})
    assert proposal.kind == "guess"
    assert proposal.notes[0] == (
        "it looks like Stripe: subscription objects as NDJSON: such files belong under "
        "landing/subscriptions"
    )


def test_paths_tell_files_of_different_kinds_apart(tmp_path):
    canonical = (
        '{"order_id":"1","customer_id":"c","ordered_ts":"2025-03-31","amount":1,"currency":"EUR"}'
    )
    found = proposed(
        tmp_path,
        "orders",
        **{
            "shop-1.csv": SHOP,
            "shop-2.csv": SHOP,
            "till_2025-03-31.ndjson": canonical,
            "till_2025-04-01.ndjson": canonical,
        },
    )
    paths = {(each.kind, each.feed["path"]): each.files for each in found}
    assert paths == {
        ("canonical", "till_*.ndjson"): ("till_2025-04-01.ndjson", "till_2025-03-31.ndjson"),
        ("guess", "shop-*.csv"): ("shop-2.csv", "shop-1.csv"),
    }


def test_where_patterns_would_take_each_others_files_names_are_written_out(tmp_path):
    other = SHOP.replace("Order No", "Invoice")
    found = proposed(tmp_path, "orders", **{"x1.csv": SHOP, "x2.csv": other})
    assert {each.feed["path"] for each in found} == {"x1.csv", "x2.csv"}


def test_a_proposal_that_lacks_something_loads_and_a_run_says_what(tmp_path):
    text = "who,when\nann,2025-03-31T10:00:00Z\n"
    land_bytes(tmp_path, "2025-03-31", text.encode(), "a.csv", "events")
    done = command(tmp_path, "init")
    assert done.status == 0, done.err
    assert "nothing was found for event_name, which is required" in done.out
    written = (tmp_path / "tidemark.toml").read_text(encoding="utf-8")
    assert 'event_ts = "when"   # by its name; 1 of 1 values can be read' in written
    assert "#: columns of the files: who, when" in written
    (refused,) = tried(look(tmp_path, "a.csv", text), SOURCES["events"], {}).reasons
    assert refused.startswith("the file has no column event_")


def test_a_mapping_that_init_proposed_is_run_as_it_stands(tmp_path):
    land_bytes(tmp_path, "2025-03-31", SHOP.encode(), "shop.csv", "orders")
    assert command(tmp_path, "init").status == 0
    ran = command(tmp_path, "run", "--select", "ingest_ledger")
    assert ran.status == 0, ran.out + ran.err
    assert table(tmp_path, "ingest_ledger")["accepted_rows"].to_list() == [2]


def test_folders_that_are_no_source_are_told(tmp_path):
    land_bytes(tmp_path, "2025-03-31", b"{}\n", "a.ndjson", "stripe")
    done = command(tmp_path, "init")
    assert "landing/stripe was not read: the folders of landing are named by source" in done.out
