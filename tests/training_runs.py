"""Small runs of the command line in processes of their own.

They share no cache of compiled programs: reading one back was seen to hang on CPU (jax 0.10.1).
XLA leaves out its dear passes in them too (quick_compilation.py): these tests are of files, signals and of how work is
shared out. `test_trainer.py` compares bits in programs that are optimised as a user's.
"""

import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np

from experiments.tables import path_of
from experiments.trainer.options import Options

ROOT = Path(__file__).parent.parent
TINY = """
data.name = "digits"
data.first = 128
data.augment = "none"
encoder.name = "linear"
encoder.d = 8
projector.widths = []
method.predictor.rule.name = "direct"
run.batch = 64
run.epochs = 30
optimiser.lr = 0.05
record.log = 3
record.measure = 30
record.save = 4
record.evaluate = 0
record.probes = []
record.final = []
"""


def preset(folder, **changes):
    """A TOML file with the settings of TINY, some changed, added or (None) left out, by their names; its path."""
    values = dict(line.split(" = ") for line in TINY.strip().splitlines())
    values |= {path_of(Options, name): value for name, value in changes.items()}
    path = Path(folder) / "tiny.toml"
    path.write_text("".join(f"{name} = {value}\n" for name, value in values.items() if value is not None))
    return path


LIMITED = """
import os, resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
"""


def start(*arguments, devices=1, largest=None):
    """`linbyol train …` as a process."""
    environment = os.environ | {
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count={devices}",
    }
    limit = [] if largest is None else ["-c", LIMITED, str(largest)]  # no file may grow beyond so many bytes
    command = [sys.executable, *limit, "-m", "linbyol", "train", *map(str, arguments)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, env=environment, cwd=ROOT, **pipes)


def finish(process, seconds=240):
    """(exit status, standard output, standard error); a process that hangs is killed."""
    try:
        out, err = process.communicate(timeout=seconds)
    finally:
        process.kill()
    return process.returncode, out, err


def folder(out):
    """The one run's folder in `out`."""
    (found,) = (path for path in Path(out).iterdir() if path.is_dir())
    return found


def final_state(out):
    """Arrays of the newest checkpoint, by name."""
    newest = max((folder(out) / "checkpoints").glob("step-*"))
    with np.load(newest / "arrays.npz") as archive:
        return {name: archive[name] for name in archive.files}


def free_port():
    """A port of the loopback that nobody uses now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]
