"""Where commands speak: results on standard output, problems and progress on standard error."""

import sys

from rich.console import Console

_PIPE_WIDTH = 120

# Without markup: what landed, and names such as [sources.events], stand as they are.
console = Console(
    highlight=False,
    markup=False,
    emoji=False,
    soft_wrap=True,
    width=None if sys.stdout.isatty() else _PIPE_WIDTH,
)
errors = Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)
