"""What a command costs, in a process of its own."""

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

_ENDED = getattr(os, "WEXITED", 0) | getattr(os, "WNOWAIT", 0)


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
    started = time.perf_counter()
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    alarm = threading.Timer(patience, os.killpg, (process.pid, signal.SIGKILL))
    alarm.start()
    output = process.stdout.read().decode(errors="replace") if process.stdout else ""
    read, written = _input_and_output(process.pid)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - started
    alarm.cancel()
    if seconds >= patience:
        raise FailedError(f"given up after {patience:,.0f} s")
    if process.returncode:
        raise FailedError(f"{' '.join(command)} failed ({process.returncode}):\n{output}")
    cpu = usage.ru_utime + usage.ru_stime
    return Cost(seconds, cpu, _peak_bytes(usage), read, written), output


def _input_and_output(pid: int) -> tuple[int | None, int | None]:
    """Bytes of a process that has ended, before it is waited for: then they are complete."""
    account = Path(f"/proc/{pid}/io")
    if not account.parent.exists():
        return None, None
    os.waitid(os.P_PID, pid, _ENDED)
    said = dict(line.split(": ") for line in account.read_text(encoding="ascii").splitlines())
    return int(said["rchar"]), int(said["wchar"])


def _peak_bytes(usage: resource.struct_rusage) -> int:
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
