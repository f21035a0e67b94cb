"""Tidemark and what people would use instead: ``python -m benchmarks.suite``.

*stored*: metric tables from stored events, each with its person. Tidemark starts from a home in
which events and stitches are up to date and nothing else is, and takes the way of any run: checks
of staleness, promises, publication. The others start from one Parquet file a day.

*parquet*, *ndjson*, *csv*: the same tables from landed files, all included.

Each contender has a process of its own; rounds go through all of them in turn. What it reads was
read once before, so that it lies in the page cache. The tables of a contender's first round are
compared with Tidemark's cell by cell before its time counts. Every measurement is kept under
build/bench: what was broken off goes on where it was, and only what has changed is measured again.
Tidemark's page of charts is not drawn: none of the others has one.

Last, where the time of Tidemark goes is asked of ``benchmarks.profile_run``, once for *stored* and
for *parquet*.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.cost import FailedError, measured, tidemark
from benchmarks.inputs import Inputs, Size, copy_of, new_home
from benchmarks.measurements import OURS, Measurements, Record, code_of
from benchmarks.outputs import SELECTED, assert_agree, tidemark_tables
from pipelines.sample.options import LAST_DAY

QUESTIONS = ("stored", "parquet", "ndjson", "csv")
PROFILES = {question: f"profile {question}" for question in ("stored", "parquet")}
# Spark and ClickHouse have an environment of their own: pandera would import what it finds of them.
OTHER_PYTHON = Path("build/bench/venv/bin/python")


class Contender(NamedTuple):
    """What runs, on which questions, from which order of stored events, and what it needs."""

    name: str
    questions: tuple[str, ...] = ("stored",)
    order: str = "by_time"
    package: str = ""


CONTENDERS = (
    Contender("tidemark", QUESTIONS),
    Contender("duckdb_usual", QUESTIONS),
    Contender("duckdb_best", QUESTIONS, "by_person"),
    Contender("plain_polars"),
    Contender("spark", package="pyspark"),
    Contender("clickhouse", package="chdb"),
    Contender("floor"),
)


class Suite:
    """All contenders on one size of data."""

    def __init__(self, folder: Path, size: Size, patience: float) -> None:
        self._folder = folder
        self._inputs = Inputs(folder, size)
        self._size = size
        self._patience = patience
        self._measurements = Measurements(folder)

    def run(
        self, questions: Sequence[str], contenders: Sequence[Contender], rounds: int, again: bool
    ) -> None:
        """Measure what has not been measured yet, question by question, in turns."""
        for question in questions:
            chosen = [each for each in contenders if question in each.questions and _is_there(each)]
            failed: set[str] = set()
            for number in range(1, rounds + 1):
                for contender in chosen:
                    is_new = again or not self._measurements.has(
                        self._question(question), contender.name, number, _code(contender)
                    )
                    if is_new and contender.name not in failed:
                        failed |= self._round(question, contender, number)

    def profile(self, questions: Sequence[str], again: bool) -> None:
        """Keep what the phases of a run of Tidemark took, where that is not known."""
        out, told = self._folder / "out" / "profile", self._folder / "out" / "phases.json"
        for question in (each for each in questions if each in PROFILES):
            key = self._question(PROFILES[question]), "tidemark", 1
            if again or not self._measurements.has(*key, OURS):
                print(f"{PROFILES[question]:<31}", end=" ", flush=True)
                home = self._home(question, out)
                module = [sys.executable, "-m", "benchmarks.profile_run", str(home)]
                cost, _ = measured([*module, "--json", str(told), "--select", *SELECTED])
                print(cost, flush=True)
                phases = json.loads(told.read_text(encoding="utf-8"))
                self._measurements.add(*key, OURS, cost, phases=phases)
                shutil.rmtree(out)

    def _question(self, question: str) -> dict[str, Any]:
        return {"kind": question, **self._size._asdict()}

    def _round(self, question: str, contender: Contender, number: int) -> set[str]:
        """Measure once; the names of those that failed and need not be tried again."""
        print(f"{question:<8} {contender.name:<14} round {number}", end=" ", flush=True)
        out = self._folder / "out" / contender.name
        shutil.rmtree(out, ignore_errors=True)
        command, given = self._command(question, contender, out)
        more: dict[str, Any] = {}
        cost = None
        _warm(given)
        try:
            cost, _ = measured(command, patience=self._patience)
            if number == 1:
                self._compare(question, contender, out)
        except (FailedError, AssertionError) as error:
            cost, more = None, {"failed": str(error)[-2000:]}
        said = cost or more["failed"].strip().splitlines()[-1]
        print(said, flush=True)
        key = self._question(question), contender.name, number
        self._measurements.add(*key, _code(contender), cost, **more)
        shutil.rmtree(out, ignore_errors=True)
        return set() if cost else {contender.name}

    def _command(
        self, question: str, contender: Contender, out: Path
    ) -> tuple[list[str], Sequence[Path]]:
        """The command line, and the folders that it reads."""
        if contender.name == "tidemark":
            return self._tidemark(question, out)
        through = LAST_DAY.isoformat()
        python = str(OTHER_PYTHON) if contender.package else sys.executable
        module = [python, "-m", "benchmarks.contenders", contender.name]
        if contender.name == "floor":
            given = self._inputs.stored_home() / "warehouse" / "events"
            return [*module, "stored", str(given), str(out), through], [given]
        if question == "stored":
            given = self._inputs.stored_events(contender.order)
            return [*module, "stored", str(given), str(out), through], [given]
        given = self._inputs.landing(question)
        return [*module, "landed", str(given), str(out), through, question], [given]

    def _tidemark(self, question: str, out: Path) -> tuple[list[str], Sequence[Path]]:
        home = self._home(question, out)
        selected = [option for name in SELECTED for option in ("--select", name)]
        given = [home / "warehouse"] if question == "stored" else [home / "landing"]
        return tidemark("--home", str(home), "run", *selected), given

    def _home(self, question: str, home: Path) -> Path:
        if question == "stored":
            copy_of(self._inputs.stored_home(), home)
        else:
            new_home(home, self._inputs.landing(question))
        (home / "tidemark.toml").write_text("report = false\n")
        return home

    def _compare(self, question: str, contender: Contender, out: Path) -> None:
        """Tidemark's tables are kept for the others to be compared with."""
        kept = self._folder / "expected" / f"{question}-{self._size.name}"
        if contender.name == "tidemark":
            shutil.rmtree(kept, ignore_errors=True)
            kept.mkdir(parents=True)
            for name, table in tidemark_tables(out).items():
                table.sink_parquet(kept / f"{name}.parquet")
        elif contender.name != "floor":
            if not kept.exists():
                sys.exit("Tidemark comes first: the tables of the others are compared with its own")
            assert_agree(kept, out)


def _code(contender: Contender) -> str:
    """Digest of what a measurement stands on."""
    if contender.name == "tidemark":
        return OURS
    own = ["benchmarks/names.py", f"benchmarks/contenders/{contender.name}.py"]
    if len(contender.questions) > 1:
        own.append("benchmarks/contenders/landed_events.py")
    return code_of(*own)


def is_current(record: Record) -> bool:
    """Whether a measurement, of this suite or of growth, was made with this checkout's code."""
    kind = record["question"]["kind"]
    if kind in PROFILES.values():
        return bool(record["code"] == OURS)
    if kind in QUESTIONS:
        by_name = {each.name: each for each in CONTENDERS}
        contender = by_name.get(record["contender"])
        return contender is not None and record["code"] == _code(contender)
    return bool(record["code"] == growth_code())


def growth_code() -> str:
    """Digest of what a measurement of growth stands on."""
    return OURS + code_of("benchmarks/growth.py")


def _is_there(contender: Contender) -> bool:
    """Whether what a contender needs is in place; says so where it is not."""
    if not contender.package:
        return True
    command = [str(OTHER_PYTHON), "-c", f"import {contender.package}"]
    if OTHER_PYTHON.exists() and not subprocess.run(command, capture_output=True).returncode:
        return True
    print(f"{contender.name} is left out: {contender.package} is missing (`make bench-others`)")
    return False


def _warm(folders: Sequence[Path]) -> None:
    """Read files once, so that nobody waits for the disk, and nobody's writes are under way."""
    for folder in folders:
        for path in folder.resolve().rglob("*"):
            if path.is_file():
                with path.open("rb") as stream:
                    while stream.read(1 << 22):
                        pass
    os.sync()


def options(description: str | None) -> argparse.ArgumentParser:
    """What can be asked of every measurement."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path("build/bench"))
    parser.add_argument("--again", action="store_true", help="also what has been measured")
    return parser


def main() -> None:
    """Measure, and say what came out."""
    parser = options(__doc__)
    parser.add_argument("--events", type=int, default=2_000_000)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--users", type=int, default=50_000)
    parser.add_argument("--questions", nargs="*", choices=QUESTIONS, default=QUESTIONS)
    known = [each.name for each in CONTENDERS]
    parser.add_argument("--contenders", nargs="*", choices=known, default=known)
    parser.add_argument("--patience", type=float, default=3600, help="seconds for one process")
    parser.add_argument(
        "--profile", action=argparse.BooleanOptionalAction, default=True, help="of Tidemark"
    )
    said = parser.parse_args()
    suite = Suite(said.folder, Size(said.events, said.days, said.users), said.patience)
    chosen = [each for each in CONTENDERS if each.name in said.contenders]
    suite.run(said.questions, chosen, said.rounds, said.again)
    if said.profile and "tidemark" in said.contenders:
        suite.profile(said.questions, said.again)


if __name__ == "__main__":
    main()
