"""What a command costs, in a process of its own."""

import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Cost:
    """What a process took, by the operating system's account."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int

    def __str__(self) -> str:
        """The three numbers, in columns."""
        return (
            f"{self.seconds:8.1f} s wall {self.cpu_seconds:8.1f} s cpu"
            f" {self.peak_bytes / 2**20:8.0f} MiB peak"
        )


def tidemark(*arguments: str) -> list[str]:
    """The command line of this checkout."""
    return [sys.executable, "-m", "pipelines.cli", *arguments]


def cost_of(command: list[str]) -> Cost:
    """Run a command to its end; its own output is only shown where it fails."""
    started = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    )
    output = process.stdout.read() if process.stdout else b""
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    if status:
        sys.exit(f"{' '.join(command)} failed:\n{output.decode()}")
    return Cost(seconds, usage.ru_utime + usage.ru_stime, _peak_bytes(usage))


def _peak_bytes(usage: resource.struct_rusage) -> int:
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
