"""The command line. Nothing heavy is imported before a verb runs, so `linbyol --help` answers at once.

Exit status: 0 done; 1 a verdict contradicts what is expected; 2 usage or setting; 3 bad data, or a file that cannot be
read or written; 4 numerical failure, or what was not foreseen; 130, 143 interrupted. Tables go to standard output, or
JSON alone with --json; progress and errors to standard error.
"""

import sys

from linbyol import interrupts

VERBS = (
    *("prove", "simulate", "phase", "fit", "explain", "train", "plot", "features", "analyze"),
    *("figure", "reproduce", "report", "explore", "bench", "data", "doctor"),
)


def main() -> None:
    """Run the verb that the arguments name, and exit."""
    interrupts.run(lambda: _status(sys.argv[1:]))


def _status(arguments: list[str]) -> int:
    """The exit status of one call, whatever happens in it."""
    try:
        code = run(arguments)
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except SystemExit as stop:  # --help
        return stop.code if isinstance(stop.code, int) else 0
    except Exception as error:  # noqa: BLE001 - whatever it is, 1 is the exit status of verdicts alone
        return _unforeseen(error)


def run(arguments: list[str]) -> int:
    """The exit status of one call."""
    if arguments and arguments[0] in ("--version", "-V"):
        print(version())
        return 0
    from linbyol.cli.parser import UsageError, parse

    try:
        command = parse(VERBS, arguments)
    except UsageError as error:
        return _refuse(error, 2)
    return guarded(command)


def guarded(command) -> int:
    """Run a verb; what a user can mend is one sentence on standard error and an exit status, never a traceback."""
    try:
        import jax

        if getattr(command, "x64", True):
            jax.config.update("jax_enable_x64", True)
        from linbyol.checks import InputError
        from linbyol.cli import options
        from linbyol.integrate import IntegrationError
        from linbyol.machine import collect_seldom
        from linbyol.store import FileError

        collect_seldom()
    except ImportError as error:
        return _unforeseen(error)

    try:
        return options.checked(command).run()
    except FileError as error:
        return _refuse(error, 3)
    except InputError as error:
        return _refuse(error, 2)
    except IntegrationError as error:
        return _refuse(error, 4)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it is, 1 is the exit status of verdicts alone
        return _unforeseen(error)


def version() -> str:
    """linbyol and the JAX it runs on."""
    from importlib.metadata import version as installed

    import jax

    from linbyol import __version__

    device = jax.devices()[0].device_kind
    return f"linbyol {__version__} (jax {installed('jax')}, jaxlib {installed('jaxlib')}, {device})"


def _unforeseen(error: BaseException) -> int:
    from linbyol.cli.unforeseen import told

    return told(error)


def _refuse(error: Exception, code: int) -> int:
    print(f"linbyol: {error}", file=sys.stderr)
    return code
