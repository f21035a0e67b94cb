"""What a command costs, in a process of its own."""

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.launcher import OVER

_LAUNCHER = Path(__file__).with_name("launcher.py")


@dataclass(frozen=True)
class Cost:
    """What a process took, with the processes that it waited for, by the system's account.

    ``peak_bytes`` is the most that one process held at once. ``read_bytes`` and ``written_bytes``
    are what went through system calls, the page cache included; None where the system does not
    tell. What is read through a memory map is in neither.
    """

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    read_bytes: int | None = None
    written_bytes: int | None = None

    def __str__(self) -> str:
        """Times and memory, in columns."""
        return (
            f"{self.seconds:8.1f} s wall {self.cpu_seconds:8.1f} s cpu"
            f" {self.peak_bytes / 2**20:8.0f} MiB peak"
        )


class FailedError(Exception):
    """A command that was to be measured ended with an error; it says what it printed."""


def tidemark(*arguments: str) -> list[str]:
    """The command line of this checkout."""
    return [sys.executable, "-m", "pipelines.cli", *arguments]


def cost_of(command: list[str]) -> Cost:
    """Run a command to its end; its own output is only shown where it fails."""
    try:
        return measured(command)[0]
    except FailedError as failure:
        sys.exit(str(failure))


def measured(command: list[str], *, patience: float = 86_400) -> tuple[Cost, str]:
    """The cost of a command, and what it printed.

    Raises FailedError where it does not end well, or not within ``patience`` seconds.
    """
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "cost.json"
        launched = [sys.executable, "-I", str(_LAUNCHER), str(report), str(patience), *command]
        done = subprocess.run(
            launched, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
        output = done.stdout.decode(errors="replace")
        if done.returncode == OVER:
            raise FailedError(f"given up after {patience:,.0f} s")
        if done.returncode:
            raise FailedError(f"{' '.join(command)} failed ({done.returncode}):\n{output}")
        return Cost(**json.loads(report.read_text(encoding="ascii"))), output
