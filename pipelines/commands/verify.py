"""``tidemark verify``: whether everything on the disk is what it should be."""

from collections.abc import Iterator
from pathlib import Path

from pipelines import registry
from pipelines.checks import CHECKS
from pipelines.commands.console import console
from pipelines.home import Home
from pipelines.landing.files import path_of
from pipelines.landing.take_in import UNREADABLE
from pipelines.run import broken_checks
from pipelines.session import Session, reading
from pipelines.warehouse.disk import sha256_of


def verify_home(home: Home) -> int:
    """Print every fault that is found; 0 where there is none, else 1."""
    with reading(home) as session:
        faults = [
            *_unfinished(home),
            *_files(session),
            *_landing(session),
            *_published(session),
            *_stale(session),
        ]
        # Checks read the tables, so that they say nothing of use where files are damaged.
        if not faults:
            faults = broken_checks(session)
        counted = len(session.manifest.files)
    for fault in faults:
        console.print(f"fault: {fault}")
    if faults:
        return 1
    console.print(
        f"{counted} warehouse files and {len(registry.PUBLISHED)} published tables have their "
        f"checksums, nothing is stale, {len(CHECKS)} checks hold."
    )
    return 0


def _unfinished(home: Home) -> Iterator[str]:
    if home.forgotten.is_pending:
        yield home.forgotten.said()


def _files(session: Session) -> Iterator[str]:
    for stored in session.manifest.files.values():
        yield from _differs(
            session.home.warehouse / stored.path,
            stored.sha256,
            "delete it, and the next run builds it again",
        )


def _landing(session: Session) -> Iterator[str]:
    for (source, day), files in session.manifest.landing_files.items():
        for name, landed in files.items():
            path = path_of(session.home.landing / source / day.isoformat(), name)
            if not path.exists() and landed.sha256 != UNREADABLE:
                yield (
                    f"{path} was taken in and is gone: put it back, or `tidemark run "
                    "--accept-removed` takes its rows out of every table"
                )
                continue
            yield from _differs(
                path,
                landed.sha256,
                "it is not what was taken in; the next run takes in what it is now",
            )


def _published(session: Session) -> Iterator[str]:
    for name, published in session.manifest.published.items():
        yield from _differs(
            session.shelf.path_of(f"{name}.parquet"),
            published.sha256,
            f"delete it, and `tidemark run` publishes {name} again",
        )


def _stale(session: Session) -> Iterator[str]:
    for table, count in session.stale().items():
        if count:
            yield f"{table}: {count} slices are stale: `tidemark run` brings them up to date"


def _differs(path: Path, checksum: str, remedy: str) -> Iterator[str]:
    try:
        if sha256_of(path) != checksum:
            yield f"{path} was changed: {remedy}"
    except OSError as error:
        # What the run could not read either is told by its account.
        if checksum != UNREADABLE:
            yield f"{path} cannot be read ({error.strerror}): {remedy}"
