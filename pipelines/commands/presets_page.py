"""The page ``docs/presets.md``, written from the presets themselves."""

from pipelines.landing.presets import Preset, load_preset, preset_names

_HEAD = """\
# Presets

A preset holds what `[sources.<name>]` would say of the files that a vendor exports:

```toml
[sources.events]
preset = "segment"

[sources.events.columns]
feature = "properties.area"   # instead of the preset's; the other columns stay
```

Keys beside `preset` hold instead of the preset's, `columns` one by one. Where files of several
vendors land in one source, each feed has a `path`. `tidemark init` looks at what lies in landing
and says which preset fits, and why. JSON is read line by line: a page of results as an interface
answers it is one line (`jq -c .` makes it one), and its rows are unwrapped.

The page that is named is the vendor's description of the format. The presets are tried on records
made up for the tests (`tests/presets`, dirt included), not on exports of the vendors themselves:
look at what `tidemark init` says of the first rows of yours, and at what is refused. A screen of
an app is a `page_view`. Where a vendor's event has a name that means something to Tidemark, it gets
it; all others keep their own. This page is written from the presets:
`python -m pipelines.commands.presets_page > docs/presets.md`.
"""


def presets_page() -> str:
    """The page as Markdown."""
    presets = [load_preset(name) for name in preset_names()]
    rows = ["| preset | source | files | format as of |", "| --- | --- | --- | --- |"]
    rows += [
        f"| [`{each.name}`](../pipelines/landing/presets/{each.name}.toml) | `{each.source}` | "
        f"[{each.vendor}]({each.page}) | {each.format_of} |"
        for each in presets
    ]
    return "\n".join([_HEAD, *rows, "", *map(_section, presets)])


def _section(preset: Preset) -> str:
    columns = ", ".join(f"`{name}`" for name in preset.feed["columns"])
    return f"## `{preset.name}`\n\n{_comment(preset.text)}\n\nFills {columns}.\n"


def _comment(text: str) -> str:
    """What stands above the first table."""
    above = text.split("\n[", 1)[0].splitlines()
    return "\n".join(line.removeprefix("#").strip() for line in above)


if __name__ == "__main__":
    print(presets_page(), end="")
