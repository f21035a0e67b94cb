"""The text of a new ``tidemark.toml``: every setting, commented out, at its default."""

from typing import Any

from pipelines.commands.settings_page import allowed
from pipelines.commands.toml_text import assignment, inline
from pipelines.settings import Settings

_HEAD = """\
#: The settings of this home. Every key has a default, at which it stands here, commented out: take
#: away the "# " before what you want to change. Lines with "#:" tell what it is. Keys that stand
#: alone must come before the first [table]. An unknown key or a bad value is an error.
"""
# Feeds are no defaults; they are written as they are.
_ELSEWHERE = {"sources"}


def settings_text() -> str:
    """All settings as comments; keys that stand alone first, as TOML needs them."""
    properties = Settings.model_json_schema()["properties"]
    defaults = Settings().model_dump(mode="python")
    names = [name for name in properties if name not in _ELSEWHERE]
    keys = [name for name in names if not isinstance(defaults[name], dict)]
    tables = [name for name in names if isinstance(defaults[name], dict)]
    parts = [_HEAD]
    parts += [_key(name, properties[name], defaults[name]) for name in keys]
    parts += [_table(name, properties[name], defaults[name]) for name in tables]
    return "\n".join(parts)


def _key(name: str, spec: dict[str, Any], default: Any) -> str:
    said = _wrapped(f"{spec.get('description', name)}{_range(spec)}")
    if default is None:
        return "\n".join([*said, f"# {name} =", ""])
    return "\n".join([*said, *(f"# {line}" for line in assignment(name, default)), ""])


def _table(name: str, spec: dict[str, Any], default: dict[str, Any]) -> str:
    lines = [*_wrapped(spec.get("description", name)), f"# [{name}]"]
    for key, value in default.items():
        lines += [f"# {line}" for line in assignment(key, value)]
    return "\n".join([*lines, ""])


def _range(spec: dict[str, Any]) -> str:
    said = allowed(spec).replace("`", "")
    plain = {"", "text", "list", "table", "true, false", "number", "integer", "boolean"}
    shown = "" if said in plain else f"{said}"
    if spec.get("default", ...) is None:
        return f" ({shown}; default: none)" if shown else " (default: none)"
    return f" ({shown}; default: {inline(spec['default'])})" if shown else ""


def _wrapped(text: str) -> list[str]:
    lines, line = [], "#:"
    for word in text.split():
        if len(line) + len(word) + 1 > 100:
            lines.append(line)
            line = "#:"
        line += f" {word}"
    return [*lines, line]
