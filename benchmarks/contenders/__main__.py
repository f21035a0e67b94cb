"""``python -m benchmarks.contenders NAME stored|landed INPUT OUT THROUGH [FORM]``."""

import importlib
import sys
from datetime import date
from pathlib import Path

if __name__ == "__main__":
    name, question, given, out, through, *form = sys.argv[1:]
    module = importlib.import_module(f"benchmarks.contenders.{name}")
    Path(out).mkdir(parents=True, exist_ok=True)
    answer = getattr(module, question)
    answer(Path(given), *form, Path(out), date.fromisoformat(through))
