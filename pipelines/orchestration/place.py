"""Which home Dagster works on."""

import os
from pathlib import Path

from pipelines.home import Home


def home_of_environment() -> Home:
    """The home of TIDEMARK_HOME, else ./home; it need not be there yet."""
    return Home(Path(os.environ.get("TIDEMARK_HOME") or "home").absolute())
