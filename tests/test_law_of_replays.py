"""The law with replays, late links of anonymous ids, and runs that end in the middle.

Whatever was refused at first and by which mapping, whoever an anonymous id turned out to be, and
wherever a run broke off: the end is byte for byte a build from nothing with the mapping as it is.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from homes import (
    LONG,
    Row,
    assert_same_state,
    event,
    land,
    make_home,
    run_home,
    scratch,
    stored,
    table,
    warehouse_table,
)
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from test_law import in_small, write_settings

from pipelines.home import open_home
from pipelines.replay import replay

# How the mapping reads the name of an event, from the first night to the last one that is.
MAPPINGS = {
    "plain": "",
    "either": "columns.event_name = { coalesce = ["
    '{ column = "event_name", optional = true }, { column = "event", optional = true }] }\n',
    "platform": 'columns.event_name = { column = "platform" }\n',
    "filtered": 'filters = [{ column = "event_name", not_null = true }]\n',
}
DAYS = [date(2024, 12, 31), date(2025, 1, 1), date(2025, 1, 31), date(2025, 2, 2)]
PEOPLE = [("ada", None), ("ada", "x"), ("bob", "x"), (None, "x"), (None, "y")]
CHANGES = {"os.rename", "os.remove", "os.link", "os.symlink", "os.mkdir"}
File = tuple[date, str]


class Broken(BaseException):
    """A run that ends here."""


class _Breaker:
    """Ends a run at a change that it makes on the disk; None lets all of them pass."""

    left: int | None = None

    def __call__(self, name: str, _arguments: Any) -> None:
        if self.left is not None and name in CHANGES:
            self.left -= 1
            if self.left == 0:
                self.left = None
                raise Broken


_BREAKER = _Breaker()
sys.addaudithook(_BREAKER)


@contextmanager
def broken_off(step: int | None) -> Iterator[None]:
    """What is run within ends at its ``step``-th change on the disk, if it makes that many."""
    _BREAKER.left = step
    try:
        yield
    except Broken:
        pass
    finally:
        _BREAKER.left = None


@st.composite
def rows(draw: st.DrawFn, number: int) -> tuple[date, Row]:
    """An event with or without a name under the name that the contract has for it."""
    day = draw(st.sampled_from(DAYS))
    user, anonymous = draw(st.sampled_from(PEOPLE))
    row = event(
        f"e{number}",
        f"{day}T{draw(st.sampled_from([0, 9, 23])):02}:00:00",
        user_id=user,
        anonymous_id=anonymous,
        platform=draw(st.sampled_from(["web", "ios"])),
    )
    if draw(st.booleans()):
        row["event"] = row.pop("event_name")
    return day, row


@st.composite
def landings(draw: st.DrawFn) -> dict[File, list[Row]]:
    """Files of events; every anonymous id is linked to a user by a row that lands late."""
    files: dict[File, list[Row]] = {}
    count = draw(st.integers(3, 10))
    made = [draw(rows(number)) for number in range(count)]
    for link, (user, anonymous) in enumerate([("ada", "y"), ("cyd", "x")]):
        day = draw(st.sampled_from(DAYS))
        row = event(f"link{link}", f"{day}T12:00:00", user_id=user, anonymous_id=anonymous)
        made.append((day + timedelta(days=draw(st.sampled_from([1, 5, 40]))), row))
    for day, row in made:
        files.setdefault((day, draw(st.sampled_from(["a.ndjson", "b.ndjson"]))), []).append(row)
    return files


@st.composite
def nights(draw: st.DrawFn, files: Sequence[File]) -> list[tuple[list[File], str, int | None]]:
    """Which files come in, by which mapping they are read, and where the run breaks off."""
    count = draw(st.integers(1, 3))
    order = draw(st.permutations(files))
    cuts = sorted(draw(st.lists(st.integers(0, len(order)), min_size=count, max_size=count)))
    parts = [order[low:high] for low, high in zip([0, *cuts], [*cuts, len(order)], strict=True)]
    steps = st.one_of(st.none(), st.integers(1, 120))
    return [(part, draw(st.sampled_from(sorted(MAPPINGS))), draw(steps)) for part in parts]


def read_by(home: Path, mapping: str) -> None:
    write_settings(home)
    with (home / "tidemark.toml").open("a", encoding="utf-8") as file:
        file.write(f"\n[sources.events]\n{MAPPINGS[mapping]}")


@settings(
    max_examples=200 if LONG else 2,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=(Phase.explicit, Phase.generate),
)
@given(landings(), st.data())
def test_replays_late_links_and_broken_runs_end_as_a_build_from_nothing(
    files: dict[File, list[Row]], data: st.DataObject
) -> None:
    with scratch() as folder, in_small():
        home = make_home(folder / "nights")
        for part, mapping, step in data.draw(nights(sorted(files))):
            for day, name in part:
                land(home, day, files[day, name], name)
            read_by(home, mapping)
            if any(home.glob("landing/events/*/*")):
                with broken_off(step):
                    run_home(home)
        last = data.draw(st.sampled_from(sorted(MAPPINGS)))
        run_home(home)
        before = refused(home)
        read_by(home, last)
        done = replay(open_home(home), "events")
        after = refused(home)
        assert (done.rows_before, done.refused_rows) == (len(before), len(after))
        assert done.landed_rows + done.other_rows == len(before - after)
        assert_ledger_adds_up(home, sum(map(len, files.values())))

        once = make_home(folder / "once")
        for (day, name), part in files.items():
            land(once, day, part, name)
        read_by(once, last)
        run_home(once)
        assert_same_state(stored(home), stored(once))


def refused(home: Path) -> set[tuple[Any, ...]]:
    rows = warehouse_table(home, "quarantine_events").filter(line=0).height
    assert rows == warehouse_table(home, "receipts_events").filter(status="refused").height
    places = warehouse_table(home, "quarantine_events").select("landing_date", "file", "line")
    return {place for place in places.iter_rows() if place[2]}


def assert_ledger_adds_up(home: Path, landed: int) -> None:
    """Every landed row is in the ledger once, but for those of files refused as a whole."""
    ledger = table(home, "ingest_ledger")
    if not ledger.filter(status="refused").height:
        assert ledger["raw_rows"].sum() == landed
    parts = ["accepted_rows", "quarantined_rows", "duplicate_rows"]
    assert ledger["read_rows"].sum() == sum(ledger[name].sum() for name in parts)


def test_a_run_can_be_broken_off_anywhere() -> None:
    with scratch() as folder:
        home = make_home(folder / "home", files={"2025-01-01": [event("a", "2025-01-01T10:00:00")]})
        for step in (1, 30):
            with broken_off(step):
                run_home(home)
                raise AssertionError("the run came to its end")
        run_home(home)
        assert table(home, "active_users_daily").filter(dimension="all")["dau"].to_list() == [1]
