"""Writing ``bi/report.html`` beside the tables it tells of.

It comes after its publication and turns with it: a publication without its report yet has none, and
never shows that of another. What it takes to draw is imported only when there is something to draw.
"""

from importlib.metadata import version
from pathlib import Path

from pipelines.home import Home
from pipelines.pages.templates import templates_digest
from pipelines.publish.restatements import LOG
from pipelines.publish.shelf import Shelf
from pipelines.warehouse.digests import code_version, digest_of
from pipelines.warehouse.disk import remove, sha256_of, write

REPORT = "report.html"
_DRAWN_BY = ("altair", "vl-convert-python", "jinja2")
_MODULES = (
    "pipelines.pages.words",
    *sorted(f"pipelines.report.{path.stem}" for path in Path(__file__).parent.glob("[!_]*.py")),
)


def refresh_report(home: Home, *, force: bool = False) -> bool:
    """Write the report on what readers see, where it is not there; whether it was written.

    Nothing is written before the first publication, and where the setting ``report`` is off unless
    it is forced. Whoever calls this holds the home's lock.
    """
    shelf = Shelf(home.bi)
    current = shelf.current_id
    if current is None or not (home.settings.report or force):
        return False
    folder = shelf.folder_of(current)
    made_from = _digest(home, folder).hex()
    path = folder / REPORT
    is_there = path.exists() and made_from.encode() in path.read_bytes()
    if not is_there or force:
        fresh = folder / f".{REPORT}.new"
        # What a killed run left may be shared with another publication.
        remove([fresh])
        write(fresh, _page(home, folder, made_from).encode())
        fresh.rename(path)
    shelf.show(REPORT)
    return not is_there or force


def report_after_publication(home: Home) -> str | None:
    """Write the report of what was just published; what went wrong, where something did.

    The tables are published by then, and stay so, also where it is a fault of this page.
    """
    try:
        refresh_report(home)
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
        return f"the tables are published, but {home.bi / REPORT} could not be written: {said}"
    return None


def _digest(home: Home, folder: Path) -> bytes:
    """What the page is made from. The log of restatements is no part of a publication's name."""
    log = folder / LOG
    settings = f"{home.settings.timezone}, {home.settings.currency}"
    engines = ", ".join(f"{name} {version(name)}" for name in _DRAWN_BY)
    parts = [folder.name, settings, engines, sha256_of(log) if log.exists() else ""]
    return digest_of(
        [templates_digest(), code_version(*_MODULES), *(part.encode() for part in parts)]
    )


def _page(home: Home, folder: Path, made_from: str) -> str:
    from pipelines.report.report import report_page

    settings = home.settings
    return report_page(
        folder, timezone=settings.timezone, currency=settings.currency, made_from=made_from
    )
