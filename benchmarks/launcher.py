"""Runs one command and tells what it took: ``python -I launcher.py REPORT PATIENCE COMMAND ...``.

A process of its own, and a small one: what its parent holds in memory when it is started counts as
a command's own peak on Linux. The report is JSON; the exit status is the command's, 124 where the
patience of so many seconds was at an end.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

OVER = 124


def main(report: str, patience: str, *command: str) -> int:
    """Run, wait, write the report."""
    started = time.perf_counter()
    process = subprocess.Popen(command, start_new_session=True)
    alarm = threading.Timer(float(patience), os.killpg, (process.pid, signal.SIGKILL))
    alarm.start()
    read, written = _input_and_output(process.pid)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    is_over = not alarm.is_alive()
    alarm.cancel()
    said = {
        "seconds": seconds,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "peak_bytes": usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
        "read_bytes": read,
        "written_bytes": written,
    }
    Path(report).write_text(json.dumps(said), encoding="ascii")
    return OVER if is_over else abs(os.waitstatus_to_exitcode(status))


def _input_and_output(pid: int) -> tuple[int | None, int | None]:
    """Bytes of a process that has ended, before it is waited for: then they are complete."""
    account = Path(f"/proc/{pid}/io")
    if not account.exists():
        return None, None
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    said = dict(line.split(": ") for line in account.read_text(encoding="ascii").splitlines())
    return int(said["rchar"]), int(said["wchar"])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
