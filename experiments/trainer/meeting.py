"""Several processes find each other before JAX is asked, which would abort where one of them does not come."""

import socket
import time
from contextlib import ExitStack

import jax

from linbyol.checks import InputError

SECONDS = 60.0  # in which all must have come


def join(coordinator: str | None, processes: int | None, process: int | None) -> None:
    """Make this process one of several: as the arguments say, or as the cluster does where none is given.

    Raises `InputError` for arguments that cannot be, and where the others do not come.
    """
    given = (coordinator, processes, process)
    if coordinator is None or processes is None or process is None:
        if given != (None, None, None):
            raise InputError("Arguments `coordinator`, `processes` and `process` must be given together, or none.")
    else:
        meet(*_address(coordinator), processes, process)
    try:
        jax.distributed.initialize(*given)
    except (ValueError, RuntimeError) as error:
        reason = str(error).split("\n")[0].rstrip(".")
        hint = "" if coordinator else "; without a cluster give `coordinator`, `processes` and `process`"
        raise InputError(f"Argument `distributed` cannot be followed: {reason}{hint}.") from None


def meet(host: str, port: int, processes: int, process: int) -> None:
    """Wait until all processes have come to process 0 at HOST:PORT. Raises `InputError` if some do not in time."""
    if processes < 1:
        raise InputError(f"Argument `processes` must be at least 1, but is {processes}.")
    if not 0 <= process < processes:
        raise InputError(f"Argument `process` must be from 0 to {processes - 1}, but is {process}.")
    try:
        socket.getaddrinfo(host, port)
    except OSError as error:
        raise InputError(
            f"Argument `coordinator` names a host that is not known, {host!r} ({error.strerror})."
        ) from None
    until = time.monotonic() + SECONDS
    if process == 0:
        _wait(port, processes, until)
    else:
        _go(host, port, f"{process}/{processes}\n".encode(), until)


def _address(coordinator: str) -> tuple[str, int]:
    host, _, port = coordinator.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 2**16:
        raise InputError(f"Argument `coordinator` must be HOST:PORT, but is {coordinator!r}.")
    return host.strip("[]"), int(port)


def _wait(port: int, processes: int, until: float) -> None:
    """Process 0: let the others in, and then all go."""
    words = {f"{number}/{processes}\n".encode(): number for number in range(1, processes)}
    both = socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if both else socket.AF_INET
    with ExitStack() as stack:
        try:
            door = stack.enter_context(socket.create_server(("", port), family=family, dualstack_ipv6=both))
        except OSError as error:
            raise InputError(f"Port {port} of `coordinator` cannot be used: {error.strerror or error}.") from None
        came: dict[int, socket.socket] = {}
        while missing := sorted(set(words.values()) - set(came)):
            door.settimeout(max(until - time.monotonic(), 0.001))
            try:
                guest = stack.enter_context(door.accept()[0])
                guest.settimeout(max(until - time.monotonic(), 0.001))
                came[words[guest.recv(64)]] = guest
            except TimeoutError:
                raise InputError(
                    f"Process {missing[0]} of {processes} did not come to port {port} within {SECONDS:g} s."
                ) from None
            except (OSError, KeyError):  # somebody else
                continue
        for guest in came.values():
            guest.sendall(b"go")


def _go(host: str, port: int, word: bytes, until: float) -> None:
    """Another process: come to process 0, as often as it takes, and wait until it says go."""
    while (left := until - time.monotonic()) > 0:
        try:
            with socket.create_connection((host, port), timeout=left) as link:
                link.sendall(word)
                link.settimeout(max(until - time.monotonic(), 0.001))
                if link.recv(2) == b"go":
                    return
        except OSError:
            pass
        time.sleep(min(0.2, left))
    raise InputError(f"Process 0 did not answer at {host}:{port} within {SECONDS:g} s.")
