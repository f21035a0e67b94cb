"""Ids of a person in texts, however a format writes them.

An id is found as a whole: not within a longer run of letters, digits, ``_`` and ``-``, nor as part
of an e-mail address that is another, nor as digits of a number with a point. A number of up to
seven digits may mean anything, so that it is an id only where a column says so.
"""

import re
from collections.abc import Collection

from pipelines.landing.sources import SOURCES
from pipelines.landing.tombstones import BLANK, is_number, unescaped

PERSON_COLUMNS = frozenset(name for each in SOURCES.values() for name in each.person_ids)
_LONGEST_ESCAPE = 8
_AROUND = 320
_BEFORE = re.compile(
    r"(?:\\u(?P<unicode>[0-9a-f]{4})|%(?P<percent>[0-9a-f]{2})|(?<!\\)\\[nrtbf]|(?P<plain>.))\Z",
    re.DOTALL | re.IGNORECASE,
)
_AFTER = re.compile(
    r"\\u(?P<unicode>[0-9a-f]{4})|%(?P<percent>[0-9a-f]{2})|(?P<plain>.)",
    re.DOTALL | re.IGNORECASE,
)
_ADDRESS = re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)*")
_RUN_BEFORE, _RUN_AFTER = re.compile(r"[\w.+%@-]*\Z"), re.compile(r"[\w.+%@-]*")
_KEY_BEFORE = re.compile(r'"\s*:\s*\Z')
_JSON_BEFORE, _JSON_AFTER = re.compile(r"[:\[,]\s*\Z"), re.compile(r"\s*[,}\]]")


class Ids:
    """The ids of a person, to be found and blanked."""

    def __init__(self, ids: Collection[str]) -> None:
        self.all = frozenset(ids)
        self.numbers = frozenset(each for each in ids if is_number(each))
        self.findable = sorted(self.all - self.numbers, key=lambda each: (-len(each), each))
        self._patterns = [re.compile("".join(map(_forms, each))) for each in self.findable]

    def stand_in(self, text: str, column: str = "") -> bool:
        """Whether any of them stands in a text; a number only as a value of a person's column."""
        if column in PERSON_COLUMNS and text in self.all:
            return True
        return self._may_stand_in(text) and any(
            self._is_whole(text, found, which)
            for which, pattern in enumerate(self._patterns)
            for found in pattern.finditer(text)
        )

    def blanked(self, text: str, *, is_json: bool = False) -> str:
        """The text without them. A bare number in JSON stays a value of JSON."""
        if not self._may_stand_in(text):
            return text
        for which, pattern in enumerate(self._patterns):
            text = pattern.sub(lambda found, each=which: self._blank(found, each, is_json), text)  # type: ignore[misc]
        return text

    def _may_stand_in(self, text: str) -> bool:
        """A quick look: whether their characters follow one another anywhere."""
        if any(each in text for each in self.findable):
            return True
        if "\\" not in text and "%" not in text and '""' not in text:
            return False
        plain = unescaped(text.replace('""', '"').replace('\\"', '"').replace("\\\\", "\\"))
        return any(each in plain for each in self.findable)

    def _blank(self, found: re.Match[str], which: int, is_json: bool) -> str:
        text = found.string
        if not self._is_whole(text, found, which):
            return found[0]
        before = text[max(0, found.start() - _LONGEST_ESCAPE) : found.start()]
        after = text[found.end() : found.end() + _LONGEST_ESCAPE]
        if found[0].isdigit() and _JSON_AFTER.match(after):
            if is_json and _JSON_BEFORE.search(before):
                return f'"{BLANK}"'
            if _KEY_BEFORE.search(before):
                return "null"
        return BLANK

    def _is_whole(self, text: str, found: re.Match[str], which: int) -> bool:
        start, end, each = found.start(), found.end(), self.findable[which]
        before = _character(_BEFORE.search(text[max(0, start - _LONGEST_ESCAPE) : start]))
        after = _character(_AFTER.match(text, end))
        if _is_inner(before) or _is_inner(after):
            return False
        left, right = text[max(0, start - _AROUND) : start], text[end : end + _AROUND]
        if each.isdigit() and (
            re.search(r"\d\.\Z", left) is not None or re.match(r"\.\d", right) is not None
        ):
            return False
        run = _run_before(left) + each + _run_after(right)
        return not (_ADDRESS.fullmatch(run.strip(".")) and run.strip(".") != each.strip("."))


def _run_before(text: str) -> str:
    found = _RUN_BEFORE.search(unescaped(text))
    return found[0] if found else ""


def _run_after(text: str) -> str:
    found = _RUN_AFTER.match(unescaped(text))
    return found[0] if found else ""


def _character(found: re.Match[str] | None) -> str:
    """The character beside an id, read if it is escaped; a blank where there is none."""
    if found is None:
        return " "
    groups = found.groupdict()
    digits = groups.get("unicode") or groups.get("percent")
    return chr(int(digits, 16)) if digits else groups.get("plain") or " "


def _is_inner(character: str) -> bool:
    return character.isalnum() or character in "_-"


def _forms(character: str) -> str:
    """A pattern of a character as it is, and as JSON, CSV and addresses of pages write it."""
    units = character.encode("utf-16-be", errors="surrogatepass").hex()
    unicode = "".join(f"\\\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
    octets = character.encode(errors="surrogatepass")
    percent = "".join(f"%{octet:02x}" for octet in octets)
    special = {'"': ['""', '\\\\"'], "/": ["\\\\/"], "\\": ["\\\\\\\\"]}.get(character, [])
    forms = [*special, re.escape(character), f"(?i:{unicode})", f"(?i:{percent})"]
    return f"(?:{'|'.join(forms)})"
