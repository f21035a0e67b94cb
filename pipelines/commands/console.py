"""Where commands speak: results on standard output, problems and progress on standard error."""

import sys

from rich.console import Console

_PIPE_WIDTH = 120

console = Console(
    highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else _PIPE_WIDTH
)
errors = Console(stderr=True, highlight=False, soft_wrap=True)
