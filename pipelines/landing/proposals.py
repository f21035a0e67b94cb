"""How the files of a source that lie in landing could be mapped, and why.

A file that has the canonical columns needs nothing. A preset fits when the columns that tell its
vendor's files are there and rows land with it: it is tried on the file's first rows. Else a mapping
is put together from the nearest names.
"""

import json
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from pipelines.landing.feeds import Feed
from pipelines.landing.files import RawFile, Unreadable
from pipelines.landing.glimpse import Glimpse, bare_name, glimpse
from pipelines.landing.guesses import guess_mapping
from pipelines.landing.missing import check_header
from pipelines.landing.presets import Preset, load_preset, preset_names
from pipelines.landing.sources import Source
from pipelines.landing.take_in import take_in
from schemas.base import promise_of
from schemas.landed_events import PERSON_NAMED

MOST_FILES = 40
# The share of a preset's signs that a file of its vendor has at the least.
_ENOUGH_SIGNS = 0.6
# Names of events that mean something by default, those that most files have an equivalent of.
_MEANT = frozenset({"page_view", "click", "search", "signup", "purchase", "share", "comment"})
_SHOWN = 8
_EARLIEST = date(1990, 1, 1)


@dataclass(frozen=True)
class Trial:
    """What became of a file's first rows: how many were read, landed and left out, and why not."""

    rows: int = 0
    landed: int = 0
    filtered: int = 0
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Proposal:
    """A feed for some files. ``feed`` is what the settings would say, ``why`` tells of its keys.

    ``kind`` is ``canonical``, ``preset``, ``guess`` or ``unreadable``.
    """

    kind: str
    files: tuple[str, ...]
    feed: dict[str, Any]
    notes: tuple[str, ...]
    why: dict[str, str] = field(default_factory=dict)
    lacking: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()


def propose(files: Sequence[RawFile], source: Source, timezone: str = "UTC") -> list[Proposal]:
    """Proposals for the files of a source, those of the newest landing dates looked at first."""
    newest = sorted(files, key=lambda file: (file.landing_date, file.name), reverse=True)
    known: dict[str, Proposal] = {}
    made: dict[str, Proposal] = {}
    for file in newest[:MOST_FILES]:
        look = glimpse(file)
        shape = json.dumps([look.format, look.feed, look.columns, look.problem])
        if shape not in known:
            known[shape] = _proposal(look, source, timezone)
        found = known[shape]
        key = json.dumps([found.kind, found.feed, found.lacking], sort_keys=True)
        before = made.get(key, replace(found, files=()))
        made[key] = replace(before, files=tuple(dict.fromkeys((*before.files, file.name))))
    return _with_paths(list(made.values()))


def _proposal(look: Glimpse, source: Source, timezone: str) -> Proposal:
    if look.problem:
        return Proposal("unreadable", (), {}, (look.problem,))
    canonical = tried(look, source, look.feed)
    if canonical.landed and 2 * (canonical.landed + canonical.filtered) >= canonical.rows:
        return Proposal("canonical", (), look.feed, ("its columns are canonical", said(canonical)))
    best = max(_presets(look, source), key=lambda each: each[0], default=None)
    if best is not None:
        _, preset, share, trial = best
        signs = (
            f"{share} of the {len(preset.signs)} columns that tell {preset.vendor} are there",
            said(trial),
        )
        return Proposal("preset", (), {"preset": preset.name} | _beside(look, preset), signs)
    guess = guess_mapping(look, source, timezone)
    feed = look.feed | ({"columns": guess.columns} if guess.columns else {})
    notes = (*_other_source(look, source), *_page_notes(look), *_event_notes(look, guess.columns))
    last = _nobody(source, guess.columns) if guess.lacking else said(tried(look, source, feed))
    notes = (*notes, last) if last else notes
    return Proposal("guess", (), feed, notes, guess.why, guess.lacking, tuple(look.values))


def _presets(
    look: Glimpse, source: Source
) -> Iterator[tuple[tuple[float, float, str], Preset, int, Trial]]:
    for name in preset_names():
        preset = load_preset(name)
        if preset.source != source.name or preset.feed.get("format", look.format) != look.format:
            continue
        signs = signs_of(look, preset)
        if signs < _ENOUGH_SIGNS * len(preset.signs):
            continue
        trial = tried(look, source, {"preset": name} | _beside(look, preset))
        if trial.landed:
            score = (signs / len(preset.signs), trial.landed / max(trial.rows, 1), name)
            yield score, preset, signs, trial


def signs_of(look: Glimpse, preset: Preset) -> int:
    """How many of the columns and paths that tell a vendor's files a file has."""
    header = preset.feed.get("header")
    if header is not None:
        return len(preset.signs) if len(look.columns) == len(header) else 0
    there = _names(look.values) | set(look.columns)
    page = preset.feed.get("unwrap")
    if page in look.pages:
        rows = [json.loads(text) for text in look.values[page] if text]
        there |= _names(_inner(rows[0][0])) if rows and rows[0] else set()
    return sum(sign in there for sign in preset.signs)


def _names(paths: Any) -> set[str]:
    """The paths, and what they lie below."""
    return {".".join(path.split(".")[:n]) for path in paths for n in range(1, path.count(".") + 2)}


def _inner(row: Any, before: str = "") -> set[str]:
    if not isinstance(row, dict):
        return set()
    names = {f"{before}{key}" for key in row}
    return names.union(*(_inner(value, f"{before}{key}.") for key, value in row.items()))


def _beside(look: Glimpse, preset: Preset) -> dict[str, Any]:
    """What must be said of the file beside the preset."""
    return {key: value for key, value in look.feed.items() if key not in preset.feed}


def tried(look: Glimpse, source: Source, said: dict[str, Any]) -> Trial:
    """Take in the first rows of a file with a feed; nothing is kept."""
    feed = Feed.model_validate(said)
    try:
        if look.format != "ndjson" and feed.header is None:
            check_header(source, feed, look.columns)
    except Unreadable as error:
        return Trial(reasons=(str(error),))
    with tempfile.TemporaryDirectory(prefix="tidemark-") as folder:
        name = bare_name(look.file.name)
        path = Path(folder, Path(name).name)
        path.write_bytes(look.sample)
        taken = take_in(
            [RawFile(look.file.landing_date, name, path)],
            source,
            # The sample is UTF-8, whatever the file is.
            [feed.model_copy(update={"path": "**/*", "encoding": "utf-8"})],
            timezone="UTC",
            earliest_event_date=_EARLIEST,
        )
    (receipt,) = taken.receipts.rows(named=True)
    reasons = taken.quarantined["reasons"].value_counts(sort=True)["reasons"].head(3)
    return Trial(
        receipt["read_rows"] + receipt["filtered_rows"],
        receipt["landed_rows"],
        receipt["filtered_rows"],
        tuple(reasons),
    )


def said(trial: Trial) -> str:
    """What a trial showed, as a sentence."""
    left_out = f", {trial.filtered} are left out by its filters" if trial.filtered else ""
    refused = trial.rows - trial.landed - trial.filtered
    why = f", {refused} are refused ({'; '.join(trial.reasons)})" if refused else ""
    return f"of the first {trial.rows} rows {trial.landed} land{left_out}{why}"


def _other_source(look: Glimpse, source: Source) -> Iterator[str]:
    for name in preset_names():
        preset = load_preset(name)
        fits = signs_of(look, preset) >= _ENOUGH_SIGNS * len(preset.signs)
        if preset.source != source.name and fits and look.format == preset.feed.get("format"):
            yield f"it looks like {preset.vendor}: such files belong under landing/{preset.source}"


def _page_notes(look: Glimpse) -> tuple[str, ...]:
    if look.rows > 3 or not look.pages:
        return ()
    return tuple(f"its rows seem to lie in {key}: then say unwrap = {key!r}" for key in look.pages)


def _event_notes(look: Glimpse, columns: dict[str, Any]) -> Iterator[str]:
    """Names of events of which none means anything by default."""
    said = columns.get("event_name")
    names = sorted({value for value in look.values.get(said, []) if value}) if said else []
    if names and not {*names} & _MEANT:
        meant = ", ".join(sorted(_MEANT))
        yield (
            f"its events are called {', '.join(names[:_SHOWN])}{' ...' * (len(names) > _SHOWN)}; "
            f"names that tables know are {meant}: say which of yours are these, as event_name = "
            f'{{ column = "{said}", values = {{ "{names[0]}" = "page_view" }}, others = "keep" }}'
        )


def _nobody(source: Source, columns: dict[str, Any]) -> str:
    """What else refuses every row, which a trial cannot show while a required column is missing."""
    is_needed = PERSON_NAMED in promise_of(source.contract).rules
    if not is_needed or {"user_id", "anonymous_id"} & set(columns):
        return ""
    return "nobody is named: say which column is user_id, a known person, or anonymous_id, a device"


def _with_paths(proposals: list[Proposal]) -> list[Proposal]:
    """Each with a path of its own, where there are several; a path may need several feeds."""
    if len(proposals) < 2:
        return proposals
    return [
        replace(each, feed={"path": path} | each.feed, files=tuple(files))
        for each in proposals
        for path, files in _paths(each, proposals)
    ]


def _paths(proposal: Proposal, all_of_them: list[Proposal]) -> Iterator[tuple[str, list[str]]]:
    others = [name for each in all_of_them if each is not proposal for name in each.files]
    left = list(proposal.files)
    while left:
        path = next(
            path
            for path in _globs(left[0])
            if path == _exact(left[0]) or not any(Feed(path=path).takes(name) for name in others)
        )
        takes = [name for name in left if Feed(path=path).takes(name)]
        yield path, takes
        left = [name for name in left if name not in takes]


def _globs(name: str) -> Iterator[str]:
    """Patterns for a name, the widest first."""
    if "/" in name:
        yield _exact(name.split("/", 1)[0]) + "/**/*"
    yield re.sub(r"[0-9A-Za-z]*\d[0-9A-Za-z]*(?:[-_.:][0-9]+)*", "*", _exact(name))
    yield re.sub(r"\d+", "*", _exact(name))
    yield _exact(name)


def _exact(name: str) -> str:
    return re.sub(r"[\[\]*?]", "?", name)
