"""The law: however the files came in and were run, the end is byte for byte a build from nothing.

The whole pipeline in small, in one process. Limits on sizes are lowered, the same for all, so that
a handful of rows makes files of their own, shared files, late parts and several row groups.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from homes import (
    LONG,
    ROOT,
    Row,
    assert_same_state,
    event,
    land,
    land_bytes,
    make_home,
    published,
    run_home,
    scratch,
    stored,
)
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from pipelines import registry
from pipelines.publish import publication
from pipelines.warehouse import arrivals, filing, parquet, small_files
from pipelines.warehouse.bring_up import Days

SETTINGS = """\
refused_rows_limit = 1.0
timezone = "{zone}"
week_start = "{week_start}"
dimensions = ["platform", "country"]
key_features = ["export"]
duplicate_days = {duplicate_days}
stitch_days = 2
session_timeout_minutes = 300
session_max_hours = 4
mau_window_days = 9
wau_window_days = 3
retention_periods = {{days = 5, weeks = 3, months = 2}}

[[retentions]]
name = "buyers"
start_events = ["signup"]
return_events = ["purchase"]
entry = "{entry}"
"""
# Borders of months, weeks and a year, and gaps between them.
DAYS = [
    date(2024, 11, 30),
    date(2024, 12, 30),
    date(2024, 12, 31),
    date(2025, 1, 1),
    date(2025, 1, 2),
    date(2025, 1, 31),
    date(2025, 2, 1),
    date(2025, 3, 9),
]
PEOPLE = [("ada", None), ("bob", "x"), (None, "x"), (None, "y"), ("ada", "y"), ("cyd", None)]
NAMES = ["page_view", "signup", "purchase", "email_opened"]
FLAWS = [*[None] * 12, "nameless", "timeless", "nobody", "future"]
DELAYS = [0, 0, 0, 1, 3, 4, 5, 33, -1]
FILES = ["a.ndjson", "b.ndjson"]


@dataclass(frozen=True)
class Happening:
    """An event, however often and wherever it lands."""

    day: date
    hour: int
    person: tuple[str | None, str | None]
    name: str
    platform: str | None
    feature: str | None
    has_id: bool
    is_bot: bool | None
    flaw: str | None

    def row(self, number: int) -> Row:
        user, anonymous = self.person if self.flaw != "nobody" else (None, None)
        return event(
            f"e{number}" if self.has_id else None,
            f"{self.day}T{self.hour:02}:30:00" if self.flaw != "timeless" else "soon",
            event_name=self.name if self.flaw != "nameless" else None,
            user_id=user,
            anonymous_id=anonymous,
            platform=self.platform,
            feature=self.feature,
            is_bot=self.is_bot,
            value=float(number),
        )


happenings = st.builds(
    Happening,
    day=st.sampled_from(DAYS),
    hour=st.sampled_from([0, 4, 12, 23]),
    person=st.sampled_from(PEOPLE),
    name=st.sampled_from(NAMES),
    platform=st.sampled_from(["web", "ios", None]),
    feature=st.sampled_from([None, "export"]),
    has_id=st.sampled_from([True, True, True, False]),
    is_bot=st.sampled_from([None, None, None, False, True]),
    flaw=st.sampled_from(FLAWS),
)
Landing = dict[tuple[date, str], list[Row]]
Night = tuple[list[tuple[date, str]], list[dict[str, Any]]]


def file_rows(draw: st.DrawFn, rows: Sequence[tuple[date, Row]]) -> Landing:
    """The rows in files; each row comes with the last day on which it can land at the earliest."""
    landing: Landing = {}
    for earliest, row in rows:
        key = earliest + timedelta(days=draw(st.sampled_from(DELAYS))), draw(st.sampled_from(FILES))
        landing.setdefault(key, []).append(row)
    return landing


@st.composite
def landings(draw: st.DrawFn) -> Landing:
    """Files of events, some of which land twice, some with other content under the same id."""
    events = draw(st.lists(happenings, min_size=3, max_size=16))
    rows = []
    for number, each in enumerate(events):
        arrives = each.day - timedelta(days=4) if each.flaw == "future" else each.day
        rows.append((arrives, each.row(number)))
    for number in draw(st.lists(st.integers(0, len(events) - 1), max_size=5)):
        again = events[number]
        moved = again.day + timedelta(days=draw(st.sampled_from([0, 0, 1, 2])))
        other = {**again.row(number), "event_ts": f"{moved}T05:00:00Z"}
        rows.append((moved, other if moved > again.day else again.row(number)))
    return file_rows(draw, rows)


@st.composite
def runs(draw: st.DrawFn) -> dict[str, Any]:
    """Options of a run: a range, some tables, by force, or all of it."""
    first, last = sorted(draw(st.tuples(*[st.sampled_from(DAYS)] * 2)))
    select = draw(st.sampled_from([(), (), ("user_days",), ("active_users_daily",)]))
    days = draw(st.sampled_from([Days(), Days(first, last), Days(first), Days(None, last)]))
    return {"days": days, "select": select, "force": draw(st.booleans())}


@st.composite
def histories(draw: st.DrawFn) -> tuple[Landing, list[Night]]:
    """Files, and nights on which some of them come in and some runs are made."""
    landing = draw(landings())
    count = draw(st.integers(1, 3))
    nights: list[Night] = [([], draw(st.lists(runs(), max_size=2))) for _ in range(count)]
    for key in sorted(landing):
        nights[draw(st.integers(0, count - 1))][0].append(key)
    return landing, nights


@contextmanager
def in_small(
    rows_per_chunk: int | None = None,
    batch_bytes: int | None = None,
    small_rows: int = small_files.SMALL_ROWS,
) -> Iterator[None]:
    """Sizes at which little data behaves like much; the law holds for any chunk and batch.

    It holds as well for any number of rows up to which files are read once and engines work in
    memory.
    """
    before = [spec.chunk_rows for spec in registry.TABLES]
    with (
        patch.object(filing, "SMALL_UNIT_ROWS", 3),
        patch.object(parquet, "ROW_GROUP_ROWS", 4),
        patch.object(small_files, "SMALL_ROWS", small_rows),
        patch.object(arrivals, "_BATCH_BYTES", batch_bytes or arrivals._BATCH_BYTES),
        # The law does not speak of the catalogue, and it takes a quarter of a second.
        patch.object(publication, "replace_catalog", lambda *_: None),
    ):
        try:
            _set_chunks([rows_per_chunk or rows for rows in before])
            yield
        finally:
            _set_chunks(before)


def _set_chunks(sizes: list[int]) -> None:
    for spec, rows in zip(registry.TABLES, sizes, strict=True):
        object.__setattr__(spec, "chunk_rows", rows)


def write_settings(home: Path, **changes: Any) -> None:
    values = {"zone": "UTC", "week_start": "monday", "duplicate_days": 1, "entry": "first_time"}
    text = SETTINGS.format(**{**values, **changes})
    (home / "tidemark.toml").write_text(text, encoding="utf-8")


def from_nothing(root: Path, landing: Landing, **changes: Any) -> Path:
    make_home(root)
    write_settings(root, **changes)
    for (day, file), rows in landing.items():
        land(root, day, rows, file)
    with in_small():
        run_home(root)
    return root


@settings(max_examples=200 if LONG else 5)
@given(
    history=histories(),
    rows_per_chunk=st.sampled_from([1, 6, None]),
    batch_bytes=st.sampled_from([300, None]),
    small_rows=st.sampled_from([0, 3, 1000]),
    zone=st.sampled_from(["UTC", "America/New_York"]),
)
def test_nights_ranges_and_repeats_in_any_order_end_as_a_build_from_nothing(
    history: tuple[Landing, list[Night]],
    rows_per_chunk: int | None,
    batch_bytes: int | None,
    small_rows: int,
    zone: str,
) -> None:
    landing, nights = history
    with scratch() as folder:
        home = make_home(folder / "nights")
        write_settings(home, zone=zone)
        with in_small(rows_per_chunk, batch_bytes, small_rows):
            for arriving, attempts in nights:
                for day, file in arriving:
                    land(home, day, landing[day, file], file)
                for options in attempts if any(home.glob("landing/events/*/*")) else []:
                    run_home(home, **options)
            run_home(home)
            assert_same_state(
                stored(home), stored(from_nothing(folder / "once", landing, zone=zone))
            )


@st.composite
def replaced_histories(draw: st.DrawFn) -> tuple[Landing, Landing, Landing]:
    """What landed at first, what lies there in the end, and what came in between."""
    first, last = draw(landings()), draw(landings())
    kept = draw(st.lists(st.sampled_from(sorted(first)), unique=True))
    last = {**{key: first[key] for key in kept}, **last}
    between = {key: rows[:1] for key, rows in draw(landings()).items()}
    return first, last, between


def replace_landing(home: Path, landing: Landing) -> None:
    """Landing holds these files, and no others; what is in place already is not touched."""
    wanted = {home / "landing" / "events" / str(day) / file for day, file in landing}
    for path in set(home.glob("landing/events/*/*")) - wanted:
        path.unlink()
    for (day, file), rows in landing.items():
        land(home, day, rows, file)


@settings(max_examples=100 if LONG else 3, phases=(Phase.explicit, Phase.generate))
@given(
    history=replaced_histories(),
    before=st.fixed_dictionaries(
        {},
        optional={
            "zone": st.just("Asia/Kolkata"),
            "week_start": st.just("sunday"),
            "duplicate_days": st.just(3),
            "entry": st.just("recurring"),
        },
    ),
)
def test_files_that_change_or_go_and_settings_that_change_leave_no_trace(
    history: tuple[Landing, Landing, Landing], before: dict[str, Any]
) -> None:
    first, last, between = history
    with scratch() as folder:
        home = make_home(folder / "changing")
        write_settings(home, **before)
        with in_small():
            for landing in (first, between, last):
                replace_landing(home, landing)
                if landing is last:
                    write_settings(home)
                run_home(home, accept_removed=True)
            assert_same_state(stored(home), stored(from_nothing(folder / "once", last)))


@st.composite
def refilings(draw: st.DrawFn) -> tuple[Landing, Landing]:
    """The same rows under two sets of landing dates: one content per id, none from the future."""
    events = draw(st.lists(happenings, min_size=3, max_size=16))
    rows = [(each.day, each.row(number)) for number, each in enumerate(events) if not each.flaw]
    twins = [row for row in rows if "event_id" in row[1]][: draw(st.integers(0, 4))]
    horizon = {(date(2025, 5, 1), "last.ndjson"): [event("end", "2025-03-01T00:00:00")]}
    return (
        {**file_rows(draw, rows + twins), **horizon},
        {**file_rows(draw, rows + twins), **horizon},
    )


@settings(max_examples=60 if LONG else 2)
@given(landing=refilings())
def test_rows_filed_under_other_landing_dates_give_the_same_metric_tables(
    landing: tuple[Landing, Landing],
) -> None:
    with scratch() as folder:
        one, other = (
            published(from_nothing(folder / str(number), files))
            for number, files in enumerate(landing)
        )
    # These tell of landings: the ledger, alerts on its rows, and examples of the two.
    told = ("ingest_ledger.parquet", "metric_alerts.parquet", "publication.json", "dictionary.html")
    for name in told:
        del one[name], other[name]
    assert one.keys() == other.keys()
    assert [name for name in one if one[name] != other[name]] == []


BUILD = """
import hashlib, json, sys
from pathlib import Path
from homes import published, run_home, stored

from pipelines.warehouse import small_files

small_files.SMALL_ROWS = int(sys.argv[2])
run_home(Path(sys.argv[1]))
state = stored(Path(sys.argv[1]))
# The order in which the manifest names things is that of the writing.
said = [(n, sorted(v.items()) if isinstance(v, dict) else v) for n, v in sorted(state.items())]
print(hashlib.sha256(repr(said).encode()).hexdigest())
print(json.dumps(sorted(state["files"])))
"""


def test_threads_morsels_and_the_engine_do_not_show_in_a_byte(folder: Path) -> None:
    from pipelines.sample import ALL_SOURCES, write_sample

    landing = folder / "landing"
    truths = folder / "truths.json"
    write_sample(landing, truths, days=4, users=30, seed=3, sources=ALL_SOURCES)
    said = set()
    streaming, in_memory = 0, small_files.SMALL_ROWS
    sizes = [(1, None, in_memory), (8, 7, streaming)]
    for number, (threads, morsel, small_rows) in enumerate(sizes):
        home = folder / str(number)
        make_home(home, f'[paths]\nlanding = "{landing}"\n')
        environment = {"POLARS_MAX_THREADS": str(threads), "PYTHONPATH": "tests"}
        if morsel:
            environment["POLARS_IDEAL_MORSEL_SIZE"] = str(morsel)
        said.add(build_elsewhere(home, environment, small_rows))
    assert len(said) == 1


def build_elsewhere(home: Path, environment: Mapping[str, str], small_rows: int) -> str:
    """Run a home in a process of its own; what it stored."""
    done = subprocess.run(
        [sys.executable, "-c", BUILD, str(home), str(small_rows)],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_zero_that_becomes_a_negative_zero_is_no_change(folder: Path) -> None:
    day = date(2025, 1, 2)
    home = from_nothing(
        folder / "home", {(day, FILES[0]): [event("a", f"{day}T00:00:00", value=0)]}
    )
    negative = {(day, FILES[0]): [event("a", f"{day}T00:00:00", value=-0.0)]}
    replace_landing(home, negative)
    with in_small():
        run_home(home)
        assert_same_state(stored(home), stored(from_nothing(folder / "once", negative)))


def test_a_broken_file_that_is_mended_later_is_as_if_it_had_never_been_broken(
    folder: Path,
) -> None:
    rows = [event(f"e{number}", "2025-01-01T10:00:00") for number in range(4)]
    home = make_home(folder / "mended", files={"2025-01-02": [event("z", "2025-01-02T01:00:00")]})
    write_settings(home)
    land_bytes(home, "2025-01-02", b"PAR1 is all of it", "broken.parquet")
    with in_small():
        assert run_home(home).refused_files == ["events/2025-01-02/broken.parquet"]
        (home / "landing/events/2025-01-02/broken.parquet").unlink()
        land(home, "2025-01-02", rows, "whole.ndjson")
        run_home(home, accept_removed=True)
        landing = {
            (date(2025, 1, 2), "events.ndjson"): [event("z", "2025-01-02T01:00:00")],
            (date(2025, 1, 2), "whole.ndjson"): rows,
        }
        assert_same_state(stored(home), stored(from_nothing(folder / "once", landing)))
