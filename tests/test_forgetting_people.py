"""Who a person is in a home, and the list of those who were forgotten."""

import gzip
import json
import re

import polars as pl
import pytest
from homes import command, event, land, land_bytes, make_home, run_home, scratch, warehouse_table

from pipelines.errors import TidemarkError
from pipelines.forgetting.contents import holds
from pipelines.forgetting.forget import look_for
from pipelines.forgetting.matching import Ids
from pipelines.forgetting.requests import FILE, Requests
from pipelines.home import open_home


def test_requests_name_nobody_and_open_with_any_of_their_ids(tmp_path):
    Requests.of(tmp_path).begun({"zoe", "anon-1"}).write()
    text = (tmp_path / FILE).read_text()
    # Neither id can be read out of hexadecimal digits by chance.
    assert not re.search("zoe|anon-1", text)
    again = Requests.of(tmp_path)
    assert again.ids_of("anon-1") == {"zoe", "anon-1"}
    assert again.ids_of("bob") == set()
    again.done({"zoe", "anon-1"}).write()
    done = Requests.of(tmp_path)
    assert not done.is_pending
    assert done.ids_of("zoe") == set()
    assert done.tombstones.forgotten(pl.Series(["zoe", None, "bob"])).to_list() == [1, 0, 0]


def test_without_its_list_of_the_forgotten_a_home_takes_nothing_in(tmp_path):
    home = make_home(tmp_path / "h", files={"2025-01-01": [event("e1", "2025-01-01T10:00:00")]})
    (home / FILE).write_text('{"format": 1}')
    with pytest.raises(TidemarkError, match=r"forgotten\.json, which says who was forgotten"):
        run_home(home)


def test_an_anonymous_id_of_two_users_stays_with_the_other(tmp_path):
    both = [
        event("e1", "2025-01-01T10:00:00", user_id="u1", anonymous_id="own"),
        event("e2", "2025-01-01T10:00:00", user_id="u1", anonymous_id="kitchen"),
        event("e3", "2025-01-01T11:00:00", user_id="u2", anonymous_id="kitchen"),
        event("e4", "2025-01-01T12:00:00", user_id=None, anonymous_id="kitchen"),
    ]
    home = open_home(make_home(tmp_path / "h", files={"2025-01-01": both}))
    person = look_for(home, "u1")
    assert (person.ids, person.shared, person.users) == ({"u1", "own"}, ["kitchen"], [])
    assert person.rows == {"events": 2}
    device = look_for(home, "kitchen")
    assert (device.ids, device.users) == ({"kitchen"}, ["u1", "u2"])


def test_a_person_is_all_customers_and_users_that_are_mapped_to_each_other(tmp_path):
    home = make_home(tmp_path / "h", files={"2025-01-01": [event("e1", "2025-01-01T10:00:00")]})
    mapped = [("c1", "ada"), ("c2", "ada"), ("c2", "older"), ("c3", None), ("c4", "bob")]
    pairs = [{"customer_id": c} | ({"user_id": u} if u else {}) for c, u in mapped]
    land(home, "2025-01-01", pairs, source="customers")
    for one in ("ada", "c1", "older"):
        assert look_for(open_home(home), one).ids == {"ada", "c1", "c2", "older"}


def test_an_unknown_id_is_kept_out_from_now_on(tmp_path):
    home = make_home(tmp_path / "h")
    said = command(home, "forget", "u1", "--yes")
    assert said.status == 0
    assert "There is nothing of u1 here; it will not be let in." in said.out
    land(home, "2025-01-01", [event("e1", "2025-01-01T10:00:00", user_id="u1")])
    result = look_for(open_home(home), "u1")
    assert result.rows == {}
    assert warehouse_table(home, "receipts_events")["forgotten_rows"].to_list() == [1]


def test_ids_that_a_mapping_makes_are_found_where_landing_has_them_otherwise(tmp_path):
    settings_text = (
        '[sources.orders.columns]\ncustomer_id = { concat = [{ constant = "shop:" }, "who"] }\n'
    )
    home = make_home(tmp_path / "h", settings_text)
    text = "order_id,who,ordered_ts,amount,currency\n" + "".join(
        f"o{n},{who},2025-01-01T10:00:00Z,12,EUR\n" for n, who in enumerate((12, 13))
    )
    land_bytes(home, "2025-01-01", text.encode(), "o.csv", "orders")
    person = look_for(open_home(home), "shop:12")
    assert person.rows == {"orders": 1}
    assert [each.path.name for each in person.files] == ["o.csv"]


def test_a_file_that_cannot_be_read_to_its_end_is_named():
    with scratch() as folder:
        day = "2025-01-01"
        home = make_home(folder / "h", files={day: [event("e1", f"{day}T10:00:00", user_id="u2")]})
        cut = land_bytes(home, day, gzip.compress(b"u3" * 500, mtime=0)[:-9], "cut.csv.gz")
        found = look_for(open_home(home), "u1")
        assert list(found.unreadable) == [cut]
        said = command(home, "forget", "u1", "--yes")
        assert said.status == 1
        assert f"{cut} cannot be read and may hold the person" in said.err
        assert "run the same command again" in said.err


def test_where_tables_hold_pseudonyms_the_ids_of_landing_go(monkeypatch):
    with scratch() as folder:
        monkeypatch.setenv("TIDEMARK_PSEUDONYM_KEY", "0123456789abcdef0123456789abcdef")
        seen = [
            event(f"e{n}", "2025-01-01T10:00:00", user_id=user, anonymous_id=f"anon-{user}")
            for n, user in enumerate(("u1", "u10"))
        ]
        seen.append(event("e3", "2025-01-01T10:00:00", user_id=None, anonymous_id="anon-u1"))
        home = make_home(folder / "h", "pseudonymize_ids = true\n", {"2025-01-01": seen})
        run_home(home)
        pseudonyms = set(warehouse_table(home, "landed_events")["user_id"].drop_nulls())
        said = command(home, "forget", "u1", "--yes")
        assert (said.status, said.err) == (0, "")
        assert "other ids of this person: anon-u1" in said.out
        (line,) = (home / "landing/events/2025-01-01/events.ndjson").read_text().splitlines()
        assert json.loads(line)["user_id"] == "u10"
        (left,) = warehouse_table(home, "landed_events")["user_id"].to_list()
        (gone,) = pseudonyms - {left}
        for path in home.rglob("*.parquet"):
            assert not holds(path, Ids([gone]))
