"""The page ``docs/settings.md``, written from the settings themselves."""

from typing import Any

from pipelines.landing.feeds import Feed
from pipelines.setting_models import (
    BENCHMARKS,
    Benchmark,
    ExcludedTraffic,
    Funnel,
    FunnelStep,
    Goal,
    HealthLevels,
    HealthWeights,
    Paths,
    Retention,
)
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
        "## `[[excluded_traffic]]`\n",
        "Of `equals`, `contains` and `matches` a rule has one. `excluded_daily` counts by rule.\n",
        _table("", ExcludedTraffic.model_json_schema()),
        "## `[[retentions]]`\n",
        _table("", Retention.model_json_schema()),
        "## `[[goals]]`\n",
        _table("", Goal.model_json_schema()),
        "## `[[funnels]]`\n",
        _table("", Funnel.model_json_schema()),
        "A step in `steps`:\n",
        _table("", FunnelStep.model_json_schema()),
        "## `[benchmarks.<metric>]`\n",
        "What is said of a metric takes the place of its own default; the others stay.\n",
        _table("", Benchmark.model_json_schema()),
        _benchmarks(),
        "## `[health_weights]`\n",
        _table("health_weights.", HealthWeights.model_json_schema()),
        "## `[health_levels]`\n",
        _table("health_levels.", HealthLevels.model_json_schema()),
        "## `[sources.<name>]`, or several as `[[sources.<name>]]`\n",
        "How files are read; [mapping.md](mapping.md) tells what `columns` and `filters` say.\n",
        _table("", Feed.model_json_schema()),
    ]
    return "\n".join(parts)


def _benchmarks() -> str:
    rows = ["| metric | low | high | levels | direction | source |", "| --- " * 6 + "|"]
    for name, each in BENCHMARKS.items():
        ends = ("" if end is None else f"{end:g}" for end in (each.low, each.high))
        levels = "; ".join(f"{level} {at:g}" for level, at in each.levels.items())
        rows.append(
            f"| `{name}` | {' | '.join(ends)} | {levels} | {each.direction} | {each.source} |"
        )
    return "\n".join(rows) + "\n"


def _table(prefix: str, schema: dict[str, Any]) -> str:
    required = schema.get("required", [])
    rows = ["| key | default | allowed | meaning |", "| --- | --- | --- | --- |"]
    for name, spec in schema["properties"].items():
        default = "(required)" if name in required else f"`{_toml(spec.get('default'))}`"
        rows.append(
            f"| `{prefix}{name}` | {default} | {allowed(spec)} | {spec.get('description', '')} |"
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


def allowed(spec: dict[str, Any]) -> str:
    """What a setting may be, from its JSON schema."""
    if "enum" in spec:
        return ", ".join(f"`{_toml(each)}`" for each in spec["enum"])
    if "anyOf" in spec:
        options = (allowed(option) for option in spec["anyOf"] if option.get("type") != "null")
        return " or ".join(each for each in options if each)
    if "minimum" in spec or "maximum" in spec:
        return f"{spec.get('minimum', '')} to {spec.get('maximum', '')}"
    kinds = {"array": "list", "string": "text", "object": "table", "boolean": "true, false"}
    kind = str(spec.get("type", ""))
    return kinds.get(kind, kind)


if __name__ == "__main__":
    print(settings_page(), end="")
