"""The page, put together from its sections."""

from datetime import date
from pathlib import Path

from pipelines.pages.templates import render
from pipelines.pages.words import listed, plain_day
from pipelines.report.activity import activity
from pipelines.report.channels import channels
from pipelines.report.lifecycle import lifecycle
from pipelines.report.orders import orders
from pipelines.report.published import Published
from pipelines.report.quality import quality
from pipelines.report.retention import retention
from pipelines.report.revenue import revenue
from pipelines.report.scorecard import scorecard
from pipelines.report.sections import Section
from pipelines.report.surveys import surveys


def report_page(folder: Path, *, timezone: str, currency: str, made_from: str = "") -> str:
    """The report on the publication in ``folder``: of its files alone, and the same each time.

    ``timezone`` and ``currency`` name what days and money are in.
    """
    published = Published(folder)
    days = published.data_through
    return render(
        "report.html",
        sections=sections_of(published, currency),
        through=plain_day(max(days.values())) if days else "no day",
        reaches=_reaches(published),
        timezone=timezone,
        currency=currency,
        publication=published.id,
        made_from=made_from,
    )


def sections_of(published: Published, currency: str) -> list[Section]:
    """The sections in the order of the page."""
    return [
        scorecard(published, currency),
        activity(published),
        retention(published),
        lifecycle(published),
        revenue(published, currency),
        orders(published, currency),
        surveys(published),
        channels(published),
        quality(published),
    ]


def _reaches(published: Published) -> list[tuple[str, str]]:
    """Tables that do not reach the last day, by how far they reach, the nearest first."""
    days = published.data_through
    last = max(days.values(), default=date.min)
    earlier = sorted({day for day in days.values() if day < last}, reverse=True)
    return [
        (plain_day(day), listed(sorted(name for name, through in days.items() if through == day)))
        for day in earlier
    ]
