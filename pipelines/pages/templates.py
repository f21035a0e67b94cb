"""Pages made from templates: one HTML file each that loads nothing from anywhere."""

import re
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from jinja2 import Environment

_FOLDER = Path(__file__).parent
_CODE = re.compile(r"``(.+?)``")


def render(template: str, **values: Any) -> str:
    """The page that a template of this folder makes of the values; all text is escaped."""
    return _environment().get_template(template).render(**values)


@cache
def templates_digest() -> bytes:
    """Digest of all templates, style sheets and scripts."""
    files = sorted(path for path in _FOLDER.iterdir() if path.suffix in {".html", ".css", ".js"})
    return sha256(b"".join(path.name.encode() + path.read_bytes() for path in files)).digest()


@cache
def _environment() -> "Environment":
    # Runs that write no page need none of it.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters["marked"] = _marked
    return environment


def _marked(text: str) -> Markup:
    """Text of a docstring, in which double backticks mark code."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))
