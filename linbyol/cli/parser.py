"""The arguments of a call as the command that they name, or one sentence on why they name none."""

import io
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from difflib import get_close_matches
from importlib import import_module
from typing import Any, get_args, get_type_hints

import tyro

DESCRIPTION = (
    "The learning dynamics of BYOL-like self-supervised learning: integrated, proven, measured.\n\n"
    "Example: linbyol simulate modes --eta 0.04 --sigma2 0.25 --t1 100 --plot modes.png"
)


class UsageError(Exception):
    """Arguments that name no command; the message is one sentence."""


def parse(verbs: Sequence[str], arguments: Sequence[str]) -> Any:
    """The command with its settings. Raises `UsageError`; --help prints, and exits with 0."""
    if arguments and arguments[0] not in verbs and not arguments[0].startswith("-"):
        near = _near(arguments[0], verbs)
        hint = f"did you mean {near}?" if near else f"there are {', '.join(verbs)}."
        raise UsageError(f"There is no command {arguments[0]!r}; {hint}")
    commands: dict[str, Any] = {name: getattr(import_module(f"linbyol.cli.{name}"), name.title()) for name in verbs}
    _check_options(commands, arguments)
    try:
        with redirect_stderr(io.StringIO()) as told, _unbroken(arguments):
            return tyro.extras.subcommand_cli_from_dict(
                commands,
                prog="linbyol",
                description=DESCRIPTION,
                args=list(arguments) or ["--help"],
                config=(
                    tyro.conf.FlagCreatePairsOff,
                    tyro.conf.OmitArgPrefixes,
                    tyro.conf.OmitSubcommandPrefixes,
                    tyro.conf.DisallowNone,
                ),
            )
    except SystemExit as stop:
        if not stop.code:
            raise
        verb = arguments[0] if arguments[0] in commands else ""
        raise UsageError(_sentence(_lines(told.getvalue()), verb)) from None


def _check_options(commands: dict[str, Any], arguments: Sequence[str]) -> None:
    """The verb has the options, each but once. Raises `UsageError`, with the nearest name for an unknown one."""
    verb = arguments[0] if arguments and arguments[0] in commands else ""
    known = _options(commands[verb], arguments) if verb else {"--help": True, "--version": True}
    see = f"see `linbyol {verb}".rstrip() + " --help`."
    seen: set[str] = set()
    for argument in arguments:
        value = argument.split("=", 1)[-1] if argument.startswith("--") else argument
        if not value.strip():  # an empty path would be this folder
            raise UsageError(f"Argument {argument!r} is empty; {see}")
        option = "--out" if argument == "-o" else argument.split("=")[0].replace("_", "-")
        if not re.match(r"--\w", option) or option.startswith("--tyro-"):
            continue
        if option not in known:
            near = _near(option, known)
            raise UsageError(f"There is no option {option}; " + (f"did you mean {near}?" if near else see))
        if option in seen and not known[option]:
            raise UsageError(f"Option {option} is given twice.")
        seen.add(option)


def _options(command: Any, arguments: Sequence[str]) -> dict[str, bool]:
    """The options of a verb, and of the verb within it that is named or of all, and whether each may be repeated."""
    names = {"--help": True}
    for name, kind in get_type_hints(command, include_extras=True).items():
        named = {part.__metadata__[0].name: part.__origin__ for part in get_args(kind) if _is_verb(part)}
        chosen = [part for word, part in named.items() if word in arguments[1:2]] or list(named.values())
        for part in chosen:
            names |= _options(part, ())
        if not named:
            names[f"--{name.replace('_', '-')}"] = tyro.conf.UseAppendAction in getattr(kind, "__metadata__", ())
    return names


def _is_verb(part: Any) -> bool:
    return hasattr(getattr(part, "__metadata__", (None,))[0], "name")


def _sentence(lines: list[str], verb: str) -> str:
    """What is wrong, in the words of this command line."""
    text = " ".join(line.strip() for line in lines)
    see = f"see `linbyol {verb}".rstrip() + " --help`."
    if found := re.match(r"Unrecognized options: ([^,]*)", text):
        return f"Argument {found[1]!r} is one too many; {see}"
    if text.startswith("Missing from "):
        missing = [line.strip().split(", ")[-1] for line in lines if re.match(r" {4}\S", line)]
        words = ["One of " + word[1:-1].replace(",", ", ") if word.startswith("{") else word for word in missing]
        return f"{' and '.join(words)} must be given; {see}"
    if found := re.match(r"Expected one of \{(.*)\}", text):
        return f"One of {found[1]} must be given; {see}"
    if found := re.match(r"Error parsing (\S+?): .*\b(float|int)\b.*?: ('.*')", text):
        kind = {"float": "a number", "int": "a whole number"}[found[2]]
        return f"Option {found[1].split('/')[-1]} must be {kind}, but is {found[3]}; {see}"
    if found := re.match(r"Error parsing (\S+?): .*?\[(.*?)\]", text):
        return f"Option {found[1].split('/')[-1]} cannot be {found[2].replace(', ', ' ')}; {see}"
    if found := re.match(r"invalid choice ('.*?') for argument '(.*?)'\. Expected one of \((.*)\)", text):
        return f"Argument {found[2]} must be one of {found[3].replace(chr(39), '')}, but is {found[1]}."
    if found := re.match(r"Missing value for argument '(?:.*[./])?(.*?)'\. Expected (\d+) value", text):
        count = "a value" if found[2] == "1" else f"{found[2]} values"
        return f"Option {found[1]} must have {count}; {see}"
    return f"{text[:1].upper()}{text[1:].rstrip('.')}; {see}"


def _near(word: str, known: Iterable[str]) -> str:
    near = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return near[0] if near else ""


@contextmanager
def _unbroken(arguments: Sequence[str]) -> Iterator[None]:
    """Lines as long as they come, but for help, which is for people."""
    before = os.environ.get("COLUMNS")
    if arguments and not {"-h", "--help"} & set(arguments):
        os.environ["COLUMNS"] = "100000"
    try:
        yield
    finally:
        os.environ.pop("COLUMNS", None)
        if before is not None:
            os.environ["COLUMNS"] = before


def _lines(box: str) -> list[str]:
    """The first paragraph under the title of what the parser says, with a box around it or, in ASCII, with rules."""
    found: list[str] = []
    for line in re.sub(r"\x1b\[[0-9;]*m", "", box).splitlines()[1:]:
        inside = line.strip("│╰╯").rstrip()
        if set(inside.strip()) <= {"─", "-"}:
            if found:
                break
        else:
            found.append(inside[1:] if line.startswith("│") else inside[2:])
    return found
