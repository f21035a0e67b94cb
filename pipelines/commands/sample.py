"""``tidemark sample``: a new home with made-up data."""

from pathlib import Path

from pipelines.errors import TidemarkError
from pipelines.home import SETTINGS_FILE
from pipelines.sample import ALL_SOURCES, SampleSummary, write_sample

SETTINGS = """\
# The settings of this home. Every key has a default; what stands here is what the sample needs.
key_features = ["board", "export"]
own_domains = ["tide.example"]

[[excluded_traffic]]
name = "staging"
column = "page_url"
contains = "://staging."

[[goals]]
name = "signup"
events = ["signup"]

[[goals]]
name = "purchase"
events = ["purchase"]

[[goals]]
name = "contact"
events = ["chat_message", "survey_answered"]

[[funnels]]
name = "signup"
steps = ["page_view", "signup"]

[[funnels]]
name = "purchase"
steps = [
    "page_view",
    { name = "interest", events = ["search", "click"] },
    { name = "trial", events = ["feature_used"] },
    "purchase",
]
window_hours = 72

[[retentions]]
name = "buyers"
start_events = ["purchase"]
return_events = ["purchase"]
"""


def fill_new_home(root: Path, *, days: int, users: int, seed: int) -> str:
    """Write a sample into ``root`` and say what it holds.

    Raises TidemarkError where something has landed there before.
    """
    landing = root / "landing"
    if landing.exists() and any(landing.iterdir()):
        raise TidemarkError(f"{root} holds data already: name a new home with --home")
    landing.mkdir(parents=True, exist_ok=True)
    settings = root / SETTINGS_FILE
    if not settings.exists():
        settings.write_text(SETTINGS, encoding="utf-8")
    truths = root / "sample_truths.json"
    summary = write_sample(landing, truths, days=days, users=users, seed=seed, sources=ALL_SOURCES)
    return (
        f"{_said(summary, landing)}\n"
        f"What is true of them stands in {truths}. Next: tidemark --home {root} run"
    )


def _said(summary: SampleSummary, landing: Path) -> str:
    rows = summary.rows + sum(summary.other_rows.values())
    others = ", ".join(f"{rows:,} {source}" for source, rows in summary.other_rows.items())
    return (
        f"{rows:,} rows in {summary.files:,} files under {landing}, landed from "
        f"{summary.first_day} to {summary.last_day}.\n"
        f"events: {summary.events:,} of people, "
        f"{summary.left_out_rows:,} of machines, staff and tests, "
        f"{summary.duplicate_rows:,} twins, {summary.quarantined_rows:,} malformed, "
        f"{summary.late_rows:,} late.\n"
        f"Rows of other sources: {others}."
    )
