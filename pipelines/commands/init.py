"""``tidemark init``: a commented ``tidemark.toml``, with a proposal for what lies in landing."""

from pathlib import Path

from pipelines.commands.settings_file import settings_text
from pipelines.commands.toml_text import assignment, comment, inline, key_text
from pipelines.errors import TidemarkError
from pipelines.home import SETTINGS_FILE, Home
from pipelines.landing.presets import load_preset
from pipelines.landing.proposals import MOST_FILES, Proposal, propose
from pipelines.landing.sources import SOURCES
from pipelines.settings import load_settings
from pipelines.warehouse.arrivals import find_arrivals, find_strays

_SHOWN = 3


def init_home(root: Path) -> str:
    """Write ``tidemark.toml`` into ``root``, a new folder if need be, and say what it holds.

    Raises TidemarkError where there is one already: nothing is ever written over.
    """
    settings = root / SETTINGS_FILE
    if settings.exists():
        raise TidemarkError(
            f"{settings} is there already and stays as it is: to have one proposed, rename it, run "
            "init again and compare the two"
        )
    landing = Home(root).landing
    landing.mkdir(parents=True, exist_ok=True)
    notices = find_strays(landing, SOURCES)
    found = {name: _proposals(landing, name, notices) for name in SOURCES}
    feeds = [_section(name, proposals) for name, proposals in found.items() if proposals]
    settings.write_text("\n".join([settings_text(), *feeds]), encoding="utf-8")
    load_settings(settings)
    told = [line for name, proposals in found.items() for line in _told(name, proposals)]
    return "\n".join([f"{settings} is written.", *told, *notices, _next(root, bool(feeds))])


def _proposals(landing: Path, source: str, notices: list[str]) -> list[Proposal]:
    arrivals = find_arrivals(landing / source, notices)
    files = [file for arrival in arrivals.values() for file in arrival.files]
    if len(files) > MOST_FILES:
        notices.append(f"{source}: {MOST_FILES} of {len(files)} files were looked at, the newest")
    return propose(files, SOURCES[source])


def _section(source: str, proposals: list[Proposal]) -> str:
    """The feeds of a source as they stand in the file, each with its reasons."""
    lines: list[str] = []
    for proposal in proposals:
        told = [f"{source}: {_files(proposal)}", *proposal.notes]
        lines += [f"#: {comment(line)}" for line in told]
        if proposal.kind == "unreadable":
            lines += ["#: nothing can be proposed for it", ""]
        else:
            lines += [*_feed(source, proposal), ""]
    return "\n".join(lines)


def _feed(source: str, proposal: Proposal) -> list[str]:
    lines = [f"[[sources.{source}]]"]
    for key, value in proposal.feed.items():
        if key != "columns":
            lines += assignment(key, value)
    if proposal.kind == "preset":
        lines += _filled(proposal.feed["preset"])
    if proposal.kind == "guess":
        lines += _guessed(source, proposal)
    return lines


def _filled(name: str) -> list[str]:
    """What a preset fills, and how to say otherwise."""
    preset = load_preset(name)
    lines = [
        f"#: The format is described at {preset.page} (as of {preset.format_of}).",
        "#: The preset fills what follows; a key in [sources.NAME.columns] holds instead of its:",
    ]
    line = "#:  "
    for column in preset.feed["columns"]:
        if len(line) + len(column) + 1 > 100:
            lines.append(line)
            line = "#:  "
        line += f" {column}"
    return [*lines, line]


def _guessed(source: str, proposal: Proposal) -> list[str]:
    lines = [
        f"#: {name} is required, and no column looks like it: the files are refused without it"
        for name in proposal.lacking
    ]
    if proposal.lacking:
        lines.append(f"#: columns of the files: {comment(', '.join(proposal.columns))}")
    lines += ["", f"[sources.{source}.columns]"]
    for name, expression in proposal.feed.get("columns", {}).items():
        lines.append(f"{key_text(name)} = {inline(expression)}   # {comment(proposal.why[name])}")
    lines += [f'# {name} = "a column", or {{ constant = "..." }}' for name in proposal.lacking]
    return lines


def _told(source: str, proposals: list[Proposal]) -> list[str]:
    lines = []
    for proposal in proposals:
        what = {
            "canonical": "needs no mapping",
            "preset": f"preset {proposal.feed.get('preset')}",
            "guess": "a mapping by the nearest names; look it over",
            "unreadable": "cannot be read",
        }[proposal.kind]
        lines.append(f"{source}: {_files(proposal)}: {what}")
        lines += [f"  {note}" for note in proposal.notes]
        lines += [f"  nothing was found for {name}, which is required" for name in proposal.lacking]
    return lines


def _files(proposal: Proposal) -> str:
    shown = ", ".join(proposal.files[:_SHOWN])
    more = len(proposal.files) - _SHOWN
    return f"{shown} and {more} more" if more > 0 else shown


def _next(root: Path, any_files: bool) -> str:
    if any_files:
        return f"Next: look it over, then tidemark --home {root} run"
    sources = ", ".join(SOURCES)
    return (
        f"Nothing has landed yet. Next: put files under {root}/landing/SOURCE/YYYY-MM-DD/ "
        f"(sources: {sources}); remove {SETTINGS_FILE} and run init again for a proposal"
    )
