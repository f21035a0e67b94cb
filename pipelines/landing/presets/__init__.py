"""Presets: what ``[sources.<name>]`` would say of the files that a vendor exports.

Each is a TOML file in this folder: ``[about]`` says what it is for, ``[feed]`` is a feed as
``tidemark.toml`` would have it.
"""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from pipelines.landing.nearest import did_you_mean

_ENDING = ".toml"


class Preset(BaseModel):
    """A packaged mapping, and what tells that files are of its kind."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    source: str = Field(description="The source whose columns it maps to")
    vendor: str = Field(description="Whose files, and which")
    page: str = Field(description="The vendor's page that describes the format")
    format_of: str = Field(description="Year, or day, of the format as the preset knows it")
    signs: tuple[str, ...] = Field(description="Columns, or paths, that tell the vendor's files")
    feed: dict[str, Any] = Field(description="What [sources.<name>] would say")
    text: str = Field(description="The file itself, with its comments")


@cache
def preset_names() -> tuple[str, ...]:
    """Names of all presets, in alphabetical order."""
    found = (each.name for each in files(__name__).iterdir())
    return tuple(sorted(name.removesuffix(_ENDING) for name in found if name.endswith(_ENDING)))


@cache
def load_preset(name: str) -> Preset:
    """The preset of a name; ValueError with the nearest one where there is none."""
    if name not in preset_names():
        raise ValueError(f"there is no preset {name!r}; {did_you_mean(name, preset_names())}")
    text = files(__name__).joinpath(name + _ENDING).read_text(encoding="utf-8")
    said = tomllib.loads(text)
    return Preset(name=name, text=text, feed=said["feed"], **said["about"])


def over_preset(given: dict[str, Any]) -> dict[str, Any]:
    """A feed that names a preset, with what the preset says and the feed does not.

    Columns are taken one by one, all other keys whole.
    """
    name = given.get("preset")
    if not isinstance(name, str):
        return given
    feed = load_preset(name).feed
    own = given.get("columns", {})
    columns = feed.get("columns", {}) | own if isinstance(own, dict) else own
    return feed | given | {"columns": columns}
