"""The command line: quick help, from a sample to tables, what ``run`` narrows, ``verify``."""

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from homes import (
    COMMAND,
    ROOT,
    Kept,
    assert_same_state,
    command,
    event,
    land,
    make_home,
    published,
    run_home,
    stored,
    table,
    tidemark,
    warehouse_table,
)

pytestmark = pytest.mark.only_tables("ingest_ledger", "active_users_daily", "lifecycle")
HEAVY = ("dagster", "pandera", "polars", "pyarrow", "duckdb", "pandas", "pydantic")


def days_of_two(root: Path) -> Path:
    days = ("2025-01-30", "2025-01-31", "2025-02-01", "2025-02-02")
    files = {
        day: [event(f"{day}-{user}", f"{day}T10:00:00", user_id=user) for user in ("ada", "bob")]
        for day in days
    }
    return make_home(root, files=files)


@pytest.fixture
def home(folder: Path) -> Path:
    """Four days of two people across a month's end."""
    return days_of_two(folder / "home")


@pytest.fixture(scope="module")
def kept(module_folder: Path) -> Kept:
    root = days_of_two(module_folder / "home")
    run_home(root)
    return Kept(root)


@pytest.fixture
def ran(kept: Kept) -> Path:
    """The same, after a run."""
    return kept.restore()


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["--version"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    script = (
        "import sys\n"
        "from pipelines.cli import cli\n"
        "try:\n    cli(sys.argv[1:])\n"
        "finally:\n    print(sorted(set(sys.modules) & set(sys.stdin.read().split())))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=ROOT,
        input=" ".join(HEAVY),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_help_names_every_command_and_option(folder: Path) -> None:
    for name in ("sample", "run", "status", "verify"):
        assert name in command(folder, "--help").out
    for option in ("--from", "--to", "--select", "--force", "--accept-removed"):
        assert option in command(folder, "run", "--help").out


def test_the_way_from_nothing_to_tables(folder: Path) -> None:
    home = folder / "new"
    made = command(home, "sample", "--days", "9", "--users", "20", "--seed", "3")
    assert (made.status, made.err) == (0, "")
    assert (home / "sample_truths.json").exists()
    ran = tidemark(home, "run")
    assert (ran.status, ran.err) == (0, ""), ran
    for word in ("events", "quarantined", "active_users_daily", "rebuilt", "skipped", "Published"):
        assert word in ran.out
    assert table(home, "active_users_daily").height > 0
    assert command(home, "status").status == 0
    checked = command(home, "verify")
    assert checked.status == 0
    assert "nothing is stale" in checked.out
    again = command(home, "sample")
    assert again.status == 1
    assert again.err.startswith("tidemark: ")
    assert "holds data already" in again.err


def test_the_home_is_taken_from_the_environment(home: Path) -> None:
    done = subprocess.run(
        [str(COMMAND), "run", "--select", "lifecycle"],
        cwd=home.parent,
        env={**os.environ, "TIDEMARK_HOME": "home"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (home / "bi" / "lifecycle.parquet").exists()


def test_a_run_says_how_many_slices_it_built_and_skipped(home: Path) -> None:
    def counted(said: str) -> dict[str, int]:
        lines = [line.split() for line in said.splitlines()]
        titles = next(line for line in lines if line[:2] == ["table", "slices"])
        found = next(line for line in lines if line[:1] == ["user_days"])
        numbers = dict(zip(titles[1:], map(int, found[1:]), strict=True))
        return {name: numbers[name] for name in ("slices", "rebuilt", "skipped", "rows")}

    first = counted(command(home, "run").out)
    assert first == {"slices": 4, "rebuilt": 4, "skipped": 0, "rows": 8}
    land(home, "2025-02-03", [event("n", "2025-01-31T20:00:00", user_id="cyd")])
    second = counted(command(home, "run").out)
    assert second == {"slices": 4, "rebuilt": 1, "skipped": 3, "rows": 9}


def test_a_range_rebuilds_its_days_and_says_what_stays_as_it_was(ran: Path) -> None:
    before = published(ran)
    late = [event(f"late-{day}", f"2025-01-{day}T12:00:00", user_id="cyd") for day in (30, 31)]
    land(ran, "2025-02-02", late, "late.ndjson")
    outcome = command(ran, "run", "--from", "2025-01-31", "--to", "2025-01-31")
    assert outcome.status == 0
    built = warehouse_table(ran, "events").filter(user_id="cyd")["event_date"]
    assert built.to_list() == [date(2025, 1, 31)]
    assert "As they were, because" in " ".join(outcome.out.split())
    assert published(ran) == before
    run_home(ran)
    built = warehouse_table(ran, "events").filter(user_id="cyd")["event_date"]
    assert built.to_list() == [date(2025, 1, 30), date(2025, 1, 31)]
    assert published(ran) != before


def test_ranges_in_any_order_and_then_all_end_as_one_run(home: Path, folder: Path) -> None:
    once = make_home(folder / "once")
    for source in sorted((home / "landing/events").rglob("*.ndjson")):
        day = source.parent.name
        (once / "landing/events" / day).mkdir()
        (once / "landing/events" / day / source.name).write_bytes(source.read_bytes())
    run_home(once)
    for first, last in (("2025-02-01", "2025-02-02"), ("2025-01-30", "2025-01-30")):
        assert command(home, "run", "--from", first, "--to", last).status == 0
    assert command(home, "run", "--from", "2025-01-31").status == 0
    assert command(home, "run").status == 0
    assert_same_state(stored(home), stored(once))


def test_forcing_rebuilds_what_is_fresh_and_changes_no_byte(ran: Path) -> None:
    before = stored(ran)
    report = run_home(ran, force=True)
    assert all(each.rebuilt == each.slices for each in report.built if each.table == "events")
    assert not any(each.changed for each in report.built)
    assert report.publication
    assert report.publication.written == []
    assert_same_state(stored(ran), before)


def test_selected_tables_bring_what_they_are_made_from(home: Path) -> None:
    report = run_home(home, select=["users"])
    assert [each.table for each in report.built][-1] == "users"
    assert {"events", "user_days", "user_months"} <= {each.table for each in report.built}
    assert warehouse_table(home, "users").filter(dimension="all").height == 2
    assert not (home / "bi" / "lifecycle.parquet").exists()


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["run", "--select", "sales"], 1, ["there is no table sales", "lifecycle"]),
        (["run", "--from", "2025-02-02", "--to", "2025-02-01"], 2, ["lies after --to"]),
        (["run", "--from", "yesterday"], 2, ["'yesterday'", "%Y-%m-%d"]),
        (["nonsense"], 2, ["No such command 'nonsense'"]),
        (["sample", "--days", "0"], 2, ["--days"]),
    ],
)
def test_wrong_arguments_are_told_in_a_line(
    home: Path, arguments: list[str], status: int, words: list[str]
) -> None:
    outcome = command(home, *arguments)
    assert outcome.status == status
    assert all(word in outcome.err for word in words), outcome.err
    assert "Traceback" not in outcome.err


def test_a_traceback_is_shown_on_request_only(home: Path) -> None:
    (home / "tidemark.toml").write_text("x")
    assert "Traceback" not in command(home, "run").err
    done = subprocess.run(
        [str(COMMAND), "--debug", "--home", str(home), "run"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Traceback" in done.stderr


def flip_a_bit(path: Path) -> None:
    """Change the content and neither size nor time: what only checksums find."""
    stat = path.stat()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def first_file(home: Path, pattern: str) -> Path:
    return min(home.glob(pattern))


@pytest.mark.parametrize(
    "pattern",
    [
        "warehouse/user_days/*.parquet",
        "warehouse/landed_events/*.parquet",
        "bi/lifecycle.parquet",
        "landing/events/2025-01-30/*",
    ],
)
def test_verify_finds_a_flipped_bit_and_names_the_file(ran: Path, pattern: str) -> None:
    path = first_file(ran, pattern)
    assert command(ran, "verify").status == 0
    flip_a_bit(path)
    outcome = command(ran, "verify")
    assert outcome.status == 1
    assert f"fault: {path} was changed: " in outcome.out
    assert outcome.out.count("fault: ") == 1


@pytest.mark.parametrize(
    "name",
    ["landed_events", "receipts_events", "events", "user_days", "users", "ingest_ledger"],
)
def test_a_deleted_or_cut_file_of_the_warehouse_is_built_again_by_the_next_run(
    home: Path, name: str
) -> None:
    run_home(home)
    before = stored(home)
    path = first_file(home, f"warehouse/{name}/*.parquet")
    for damage in (Path.unlink, lambda file: file.write_bytes(file.read_bytes()[:-1])):
        damage(path)
        outcome = command(home, "verify")
        assert outcome.status == 1
        assert f"fault: {path} " in outcome.out
        assert command(home, "run").status == 0
        assert_same_state(stored(home), before)


def test_a_damaged_file_is_built_again_as_verify_advises(home: Path) -> None:
    land(home, "2025-02-03", [{"event_id": "no", "event_name": "one"}])
    (home / "tidemark.toml").write_text("refused_rows_limit = 1.0\n")
    run_home(home)
    before = stored(home)
    path = first_file(home, "warehouse/quarantine_events/*.parquet")
    flip_a_bit(path)
    assert "delete it, and the next run builds it again" in command(home, "verify").out
    path.unlink()
    assert command(home, "run").status == 0
    assert_same_state(stored(home), before)


def test_verify_and_status_tell_of_what_is_stale(ran: Path) -> None:
    assert "settings or code changed" not in command(ran, "status").out
    (ran / "tidemark.toml").write_text('week_start = "sunday"\n')
    told = " ".join(command(ran, "status").out.split())
    changed = told.split("rebuilds what is stale of: ")[1]
    assert "lifecycle" in changed
    assert "sessions_daily" not in changed.split(" published: ")[0]
    outcome = command(ran, "verify")
    assert outcome.status == 1
    assert "lifecycle: " in outcome.out
    assert "slices are stale" in outcome.out
    land(ran, "2025-02-03", [event("n", "2025-02-03T01:00:00")])
    assert "1 landing dates are new or changed" in command(ran, "status").out


@pytest.mark.usefixtures("whole_house")
def test_verify_checks_what_must_hold_between_tables(home: Path) -> None:
    """A table that is sound in itself, and wrong beside the others."""
    from pipelines.checks import CHECKS, broken
    from pipelines.home import open_home
    from pipelines.session import reading

    subscription = {"subscription_id": "s", "customer_id": "ada", "plan": "pro", "amount": 9}
    terms = {"currency": "EUR", "interval": "month", "started_ts": "2025-01-01T00:00:00Z"}
    land(home, "2025-02-02", [subscription | terms], source="subscriptions")
    order = {"order_id": "o", "customer_id": "ada", "amount": 9, "currency": "EUR"}
    order["ordered_ts"] = "2025-01-31T12:00:00Z"
    land(home, "2025-02-02", [order], source="orders")
    mail = event("mail", "2025-02-01T12:00:00", event_name="email_delivered")
    use = event("use", "2025-02-01T12:00:00", event_name="feature_used", feature="export")
    land(home, "2025-02-01", [mail, use | {"user_id": "ada"}], file="mails.ndjson")
    run_home(home)
    with reading(open_home(home)) as session:
        for check in CHECKS:
            tables = {name: session.scan(name) for name in check.tables}
            assert broken(check, tables) is None
            # Of a model's risks there are none here: they have their own test.
            if len(check.tables) > 1 and check.name != "risks_are_of_models_in_use":
                # What lies in one of the tables has to lie in another: emptied, one is missed.
                empty = [{**tables, name: tables[name].filter(pl.lit(False))} for name in tables]
                said = [told for each in empty if (told := broken(check, each))]
                assert said, check.name
                assert all(told.startswith(f"{check.name}: ") for told in said)


def test_status_tells_gaps_and_late_rows(home: Path) -> None:
    late = event("l", "2025-01-01T00:00:00", received_ts="2025-02-10T00:00:00Z")
    land(home, "2025-02-10", [late])
    run_home(home)
    said = " ".join(command(home, "status").out.split())
    assert "5 landing dates from 2025-01-30 to 2025-02-10" in said
    assert "landing dates without files: 2025-02-03 to 2025-02-09" in said
    assert "a month 1" in said


def test_status_tells_since_when_readers_see_what_they_see(ran: Path) -> None:
    os.utime(ran / "bi" / ".current", (0, 86_400), follow_symlinks=False)
    current = (ran / "bi" / ".current").readlink().name
    said = f"published: {current}, unchanged since 1970-01-02 00:00 UTC"
    assert said in command(ran, "status").out


def test_status_and_the_ledger_tell_of_twins_that_differ(home: Path) -> None:
    at = "2025-02-01T09:00:00"
    rows = [event("t", at, received_ts=f"2025-02-01T10:00:0{i}Z") for i in range(3)]
    rows[2]["platform"] = "ios"
    land(home, "2025-02-01", rows, "twins.ndjson")
    run_home(home)
    said = command(home, "status").out
    assert "  differing 1: of these duplicates" in said
    assert "the last is events/2025-02-01/twins.ndjson:3" in " ".join(said.split())
    ledger = table(home, "ingest_ledger").filter(file="twins.ndjson")
    assert ledger.select("duplicate_rows", "differing_rows").rows() == [(2, 1)]


@pytest.fixture
def in_other_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)


@pytest.mark.usefixtures("in_other_folder")
def test_a_relative_home_gives_the_same_bytes_as_an_absolute_one(home: Path) -> None:
    assert command("home", "run").status == 0
    before = stored(home)
    assert command(home, "run").status == 0
    assert_same_state(stored(home), before)
    assert command("home", "verify").status == 0
