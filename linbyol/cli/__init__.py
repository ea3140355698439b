"""The command line. Nothing heavy is imported before a verb runs, so `linbyol --help` answers at once.

Exit status: 0 done; 1 a verdict contradicts what is expected; 2 usage or setting; 3 bad data; 4 numerical failure;
130, 143 interrupted. Tables go to standard output, or JSON alone with --json; progress and errors to standard error.
"""

import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, NoReturn

import tyro

from linbyol.cli.bench import Bench
from linbyol.cli.data import Data
from linbyol.cli.doctor import Doctor
from linbyol.cli.explain import Explain
from linbyol.cli.figure import Figure
from linbyol.cli.fit import Fit
from linbyol.cli.phase import Phase
from linbyol.cli.plot import Plot
from linbyol.cli.prove import Prove
from linbyol.cli.reproduce import Reproduce
from linbyol.cli.simulate import Simulate
from linbyol.cli.train import Train

VERBS: dict[str, Callable[..., Any]] = {
    "prove": Prove,
    "simulate": Simulate,
    "phase": Phase,
    "fit": Fit,
    "explain": Explain,
    "train": Train,
    "plot": Plot,
    "figure": Figure,
    "reproduce": Reproduce,
    "bench": Bench,
    "data": Data,
    "doctor": Doctor,
}


def main() -> NoReturn:
    """Run the verb that the arguments name, and exit."""
    signal.signal(signal.SIGTERM, _terminate)
    try:
        code = run(sys.argv[1:])
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("linbyol: interrupted", file=sys.stderr)
        code = 130
    except BrokenPipeError:  # the reader has seen enough, as in `linbyol … | head`
        sys.stderr.close()
        code = 0
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """The exit status of one call."""
    if arguments and arguments[0] in ("--version", "-V"):
        print(version())
        return 0
    command = tyro.extras.subcommand_cli_from_dict(
        VERBS,
        prog="linbyol",
        description="The learning dynamics of BYOL-like self-supervised learning: integrated, proven, measured.\n\n"
        "Example: linbyol simulate modes --eta 0.04 --sigma2 0.25 --t1 100 --plot modes.png",
        args=arguments or ["--help"],
        config=(
            tyro.conf.FlagCreatePairsOff,
            tyro.conf.OmitArgPrefixes,
            tyro.conf.OmitSubcommandPrefixes,
            tyro.conf.DisallowNone,
        ),
    )
    return guarded(command)


def guarded(command) -> int:
    """Run a verb; what a user can mend is one sentence on standard error and an exit status, never a traceback."""
    import jax

    if getattr(command, "x64", True):
        jax.config.update("jax_enable_x64", True)
    from linbyol.checks import InputError
    from linbyol.cli import options
    from linbyol.integrate import IntegrationError
    from linbyol.store import FileError

    try:
        return options.checked(command).run()
    except FileError as error:
        return _refuse(error, 3)
    except InputError as error:
        return _refuse(error, 2)
    except IntegrationError as error:
        return _refuse(error, 4)


def version() -> str:
    """linbyol and the JAX it runs on."""
    from importlib.metadata import version as installed

    import jax

    from linbyol import __version__

    device = jax.devices()[0].device_kind
    return f"linbyol {__version__} (jax {installed('jax')}, jaxlib {installed('jaxlib')}, {device})"


def _refuse(error: Exception, code: int) -> int:
    print(f"linbyol: {error}", file=sys.stderr)
    return code


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    sys.exit(143)
