"""The part of the results that tells where the time of Tidemark goes, and what would be needed."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks.measurements import Record
from benchmarks.suite import PROFILES

_SHOWN = 15
_SPENT = ("compute", "promise", "write", "rest")
_HEAD = """## Where the time of Tidemark goes

CPU seconds by table, the dearest first: *compute* is reading and computing, *promise* the check of
what was built against its schema, *write* checksums, sorting, encoding, syncing, *rest* all else.
Landing reads in a thread of its own while it files, so that its kinds are not told apart.
"""
_NEEDED = """## What would be needed

To come nearer to the targets that are missed:

- **From stored events**: people as numbers. Each spine sorts and joins its people as text again; a
  number for each person, kept for good, would leave runs over sorted integers. Sessions are stored
  twice, as a spine by day and as a table by month, and could be published from the spine.
- **From landed files**: landed rows and `events` are both written in full, each hashed, sorted and
  encoded with all columns. One of them could hold only what it changes of the other.
- **A night after years**: a published table is one file, of which a month changes: publication
  reads, checks and writes all the others again. What is one slice
  (`cohort_retention`, `email_campaigns`, `survey_scores`, `clv_monthly`) is made anew from its
  whole input by any change.
- **Peak memory**: a chunk is whole days, and a month of sessions is held once while it is filed.
  With hundreds of thousands of events a day both would have to be done in parts, by person.
"""


def profile_sections(records: Sequence[Record]) -> Iterator[str]:
    """Markdown: the largest size of each question that was looked into, then what is needed."""
    for place, (question, found) in enumerate(_largest(records).items()):
        if place == 0:
            yield _HEAD
        asked = found["question"]
        yield f"**{question}**, {asked['events']:,} events over {asked['days']:,} days\n"
        yield _table(found["phases"])
    yield _NEEDED


def _largest(records: Sequence[Record]) -> dict[str, Record]:
    """What was measured of each question at its largest size."""
    found: dict[str, Record] = {}
    for question, kind in PROFILES.items():
        of_kind = [each for each in records if each["question"]["kind"] == kind]
        if of_kind:
            found[question] = max(of_kind, key=lambda each: each["question"]["events"])
    return found


def _table(phases: Sequence[Mapping[str, Any]]) -> str:
    columns = ["cpu", "wall", *_SPENT]
    shown, others = phases[:_SHOWN], phases[_SHOWN:]
    lines = [f"| | {' | '.join(columns)} |", f"| --- |{' ---: |' * len(columns)}"]
    lines += [_line(each["phase"], [each]) for each in shown]
    lines += [_line(f"{len(others)} others", others)] if others else []
    return "\n".join([*lines, _line("together", phases), ""])


def _line(name: str, phases: Sequence[Mapping[str, Any]]) -> str:
    sums = [f"{sum(each[kind] for each in phases):.1f}" for kind in ("cpu", "wall", *_SPENT)]
    return f"| {name} | {' | '.join(sums)} |"
