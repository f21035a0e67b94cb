"""``tidemark forget``: what a home holds of a person, taking it out, and the proof."""

import sys

import click

from pipelines.commands.console import console, errors
from pipelines.commands.report import report_after_run
from pipelines.commands.run import progress_bars
from pipelines.errors import FAILED, TidemarkError
from pipelines.forgetting.forget import Forgotten, forget, look_for, look_only, sweep
from pipelines.forgetting.person import Person
from pipelines.home import Home
from pipelines.landing.tombstones import BLANK, is_number


def forget_person(home: Home, person_id: str, *, is_sure: bool, dry_run: bool) -> int:
    """Forget a person; the exit status."""
    if not person_id.strip() or person_id == BLANK:
        raise TidemarkError("an id is needed: `tidemark forget ID`")
    if dry_run:
        _tell(home, person_id, look_only(home, person_id))
        return 0
    with progress_bars() as progress:
        person = look_for(home, person_id, progress)
    _tell(home, person_id, person)
    if not is_sure:
        _confirm()
    with progress_bars() as progress:
        done = forget(home, person, progress)
    return _conclude(home, done)


def sweep_landing(home: Home) -> int:
    """Take rows of forgotten people out of files that landed later; the exit status."""
    if not home.forgotten.hashes:
        console.print("Nobody was forgotten in this home.")
        return 0
    with progress_bars() as progress:
        done = sweep(home, progress)
    return _conclude(home, done)


def _confirm() -> None:
    if not sys.stdin.isatty():
        raise TidemarkError("nothing was changed: to forget without being asked, add --yes")
    click.confirm("This cannot be undone. Forget this person?", abort=True)


def _tell(home: Home, person_id: str, person: Person) -> None:
    if not person.rows and not person.files:
        console.print(f"There is nothing of {person_id} here; it will not be let in.")
    for source, count in person.rows.items():
        console.print(f"{source}: {count:,} rows")
    others = sorted(person.ids - {person_id})
    if others:
        console.print(f"other ids of this person: {', '.join(others)}")
    for shared in person.shared:
        console.print(
            f"{shared}: shared with another user, stays: rows of it with this one are removed"
        )
    if person.users:
        console.print(
            f"{person_id} was seen with {', '.join(person.users)}, who stays: forget that id too "
            "to remove the whole person"
        )
    if any(map(is_number, person.ids)):
        console.print(
            "An id that is a short number may mean anything: it is looked for in the columns that "
            "name a person, not in other text"
        )
    for each in person.files:
        name = each.path.relative_to(home.landing)
        stray = "" if each.file else " (no run reads it: ids are blanked, its lines stay)"
        console.print(f"to be rewritten: {home.landing.name}/{name}{stray}")
    for path, why in person.unreadable.items():
        console.print(f"cannot be looked into: {path}: {why}")


def _conclude(home: Home, done: Forgotten) -> int:
    proof = done.proof
    for problem in (*done.problems, *(proof.found if proof else ())):
        errors.print(problem)
    if proof is None or not done.is_done:
        errors.print("The person is not forgotten yet: mend this, and run the same command again.")
        return FAILED
    console.print(
        f"{done.landing_files:,} files of landing were rewritten. Scanned {proof.files:,} files, "
        f"{proof.bytes:,} bytes: the ids of this person are nowhere; {done.changed:,} files were "
        f"rewritten or removed, {done.kept:,} kept their checksums."
    )
    # Drawn of tables that have just been proved to hold nothing of the person.
    report_after_run(home)
    return 0
