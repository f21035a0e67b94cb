"""The page ``docs/settings.md``, written from the settings themselves."""

from typing import Any

from pipelines.landing.feeds import Feed
from pipelines.setting_models import Paths, Retention
from pipelines.settings import Settings

_HEAD = """\
# Settings

Keys of `tidemark.toml`. Every key has a default, so the file may be empty or missing; an unknown
key or a bad value is an error that names it. This page is written from the settings themselves:
`python -m pipelines.commands.settings_page > docs/settings.md`.
"""


def settings_page() -> str:
    """The page as Markdown."""
    parts = [
        _HEAD,
        _table("", Settings.model_json_schema()),
        "## `[paths]`\n",
        _table("paths.", Paths.model_json_schema()),
        "## `[[retentions]]`\n",
        _table("", Retention.model_json_schema()),
        "## `[sources.<name>]`, or several as `[[sources.<name>]]`\n",
        "How files are read; [mapping.md](mapping.md) tells what `columns` and `filters` say.\n",
        _table("", Feed.model_json_schema()),
    ]
    return "\n".join(parts)


def _table(prefix: str, schema: dict[str, Any]) -> str:
    required = schema.get("required", [])
    rows = ["| key | default | allowed | meaning |", "| --- | --- | --- | --- |"]
    for name, spec in schema["properties"].items():
        default = "(required)" if name in required else f"`{_toml(spec.get('default'))}`"
        rows.append(
            f"| `{prefix}{name}` | {default} | {_allowed(spec)} | {spec.get('description', '')} |"
        )
    return "\n".join(rows) + "\n"


def _toml(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(_toml(item) for item in value)}]"
    if isinstance(value, dict):
        return "{}" if not value else "see below"
    return f'"{value}"' if isinstance(value, str) else str(value)


def _allowed(spec: dict[str, Any]) -> str:
    if "enum" in spec:
        return ", ".join(f"`{_toml(each)}`" for each in spec["enum"])
    if "anyOf" in spec:
        options = (_allowed(option) for option in spec["anyOf"] if option.get("type") != "null")
        return " or ".join(each for each in options if each)
    if "minimum" in spec or "maximum" in spec:
        return f"{spec.get('minimum', '')} to {spec.get('maximum', '')}"
    kinds = {"array": "list", "string": "text", "object": "table", "boolean": "true, false"}
    kind = str(spec.get("type", ""))
    return kinds.get(kind, kind)


if __name__ == "__main__":
    print(settings_page(), end="")
