"""Measure one NVIDIA card, row by row: what agrees with a CPU, and how fast trajectories, trainings and DirectPred are.

    python -m experiments.bench.gpu --out DIR [--only doctor ensemble resnet18 lanes directpred] [--minutes M]
    python -m experiments.bench.gpu --out DIR --tiny    # the same code on a CPU, small: tests it

DIR/gpu.json holds a row for each measurement, written as it is made; a second call keeps those that are done, and makes
the others. NOTES.md beside this file says what the rows hold. Exit status: 0 all made or skipped for want of time, 2
usage, 3 a folder or record that cannot be read or written, 4 where a row failed or does not agree.
"""

import argparse
import os
import sys
import time
from datetime import date
from pathlib import Path

PARTS = ("doctor", "ensemble", "resnet18", "lanes", "directpred")
MEMORY = "XLA_PYTHON_CLIENT_MEM_FRACTION"


def main() -> int:
    """The command line; see the head of the file."""
    began = time.monotonic()
    a = asked()
    os.environ.setdefault(MEMORY, "0.6")  # PyTorch's processes share the card
    import jax

    from experiments.bench.gpu import directpred, doctor, ensemble, lanes, resnet18
    from experiments.bench.gpu.record import Clock, Record, make
    from experiments.networks.memory import keep_memory
    from linbyol import claims
    from linbyol.checks import InputError

    keep_memory()
    if jax.default_backend() == "cpu" and not a.tiny:
        print("There is no accelerator here; --tiny runs the same code on a CPU.", file=sys.stderr)
        return 2
    try:
        machine = claims.environment() | {"date": date.today().isoformat()}
        record = Record(a.out, {"tiny": a.tiny, "environment": machine})
    except (OSError, InputError) as error:
        print(f"{error}", file=sys.stderr)
        return 3
    clock = Clock(began + 60 * a.minutes)
    parts = {
        "doctor": lambda: doctor.rows(a.tiny),
        "ensemble": lambda: ensemble.rows(a.tiny),
        "resnet18": lambda: resnet18.rows(a.tiny, a.torch_python),
        "lanes": lambda: lanes.rows(a.tiny),
        "directpred": lambda: directpred.rows(a.tiny, a.out, record),
    }
    rows = [row for part in PARTS if part in a.only for row in parts[part]()]
    rows = [row._replace(needs=0.0) for row in rows] if a.tiny else rows
    found = make(rows, record, clock, lambda text: print(text, file=sys.stderr, flush=True))
    print(record.path.read_text(), end="")
    return 4 if any(row["status"] == "failed" or row.get("ok") is False for row in found) else 0


def asked(argv: list[str] | None = None) -> argparse.Namespace:
    """What the command line says."""
    ask = argparse.ArgumentParser(prog="python -m experiments.bench.gpu", description=__doc__.splitlines()[0])
    ask.add_argument("--out", type=Path, required=True, help="folder of gpu.json, and of DirectPred's run")
    ask.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART", help=", ".join(PARTS))
    ask.add_argument("--minutes", type=float, default=30.0, help="in which all ends: no row is begun that would not")
    ask.add_argument("--torch-python", default=sys.executable, help="a Python that has torch")
    ask.add_argument("--tiny", action="store_true", help="small networks, few steps, on a CPU too: tests this program")
    a = ask.parse_args(argv)
    if not a.minutes > 0:
        ask.error(f"--minutes must be positive, but is {a.minutes:g}")
    return a


if __name__ == "__main__":
    sys.exit(main())
