"""The state in which `linbyol simulate` starts: of a file, or random."""

from typing import Any, Literal

DEEP = ("jepa", "mae")  # flows of one layer of a balanced mode
REGULARISED = ("sigreg", "bhep", "vicreg")  # flows of the features' variances
RULES = Literal["direct", "copy", "set", "optimal", "nash", "visser", "newton-schulz", "stiefel", "soft-projector"]


def state_of(flow: str) -> Any:
    """The type of a flow's state."""
    from linbyol.integrate.trajectory import STATES

    return STATES["Layer" if flow in DEEP else "Features" if flow in REGULARISED else flow.capitalize()]


def of_file(command: Any) -> Any:
    """The state in --init. Raises `FileError` for a file that holds none of this flow."""
    import jax.numpy as jnp

    from linbyol import checks
    from linbyol.machine import check_memory
    from linbyol.store import blaming, read_numbers

    state = state_of(command.flow)
    arrays = read_numbers(command.init, *state._fields)
    y = state(**{name: jnp.asarray(arrays[name], float) for name in state._fields})
    if command.flow in REGULARISED:  # whose modes see each other: one number stands for all
        y = state(jnp.broadcast_to(y.nu, jnp.broadcast_shapes(y.nu.shape, (len(command.lambda_d) or 1,))))
    with blaming(command.init):
        if command.flow == "weights":
            checks.check_weights(y, None)
        elif command.flow == "symmetric":
            check_symmetric(y)
        else:
            check_modes(y, y[0].shape)
    size = sum(leaf.size for leaf in y)
    check_memory(f"The trajectory (--points) from {command.init}", trajectory_bytes(command.points, size))
    return y


def check_fit(command: Any, y: Any, k: Any) -> None:
    """The state of the file has the sizes of the constants, and lies where its flow is followed."""
    from linbyol import checks
    from linbyol.store import blaming

    with blaming(command.init):
        if command.flow == "weights":
            checks.check_weights(y, k)
        elif command.lambda_d:
            check_modes(y, k.lambda_d.shape)
        if hasattr(k, "gamma") and (y.nu > hinge(k)).any():
            raise checks.InputError(f"Argument `nu` must be at most 1 - eps = {hinge(k):.6g}, but is {y.nu.max():.6g}.")


def hinge(k: Any) -> float:
    """The variance up to which VICReg holds features. Raises `InputError` if it holds none."""
    from linbyol.checks import InputError

    if k.eps >= k.gamma**2:
        raise InputError(f"Argument `eps` must be below 1 for vicreg to hold anything, but is {k.eps:.6g}.")
    return k.gamma**2 - k.eps


def check_symmetric(y: Any) -> None:
    """Wp is symmetric, F a moment of its size."""
    import numpy as np

    from linbyol.checks import InputError, check_moment

    check_moment("F", y.F)
    if y.Wp.shape != y.F.shape:
        raise InputError(f"Argument `Wp` must have the shape of F, {y.F.shape}, but has shape {y.Wp.shape}.")
    if not np.allclose(y.Wp, y.Wp.T, rtol=1e-9, atol=1e-12):
        raise InputError("Argument `Wp` must be symmetric.")


def check_modes(y: Any, modes: tuple[int, ...]) -> None:
    """One number a mode in each field, or one for all; s is no square of a negative number."""
    from linbyol.checks import InputError, check_nonnegative

    for name, value in y._asdict().items():
        if value.shape not in ((), modes) or 0 in value.shape or value.ndim > 1:
            words = f"{modes[0]} numbers, one a mode" if modes and modes[0] else "one number a mode"
            raise InputError(f"Argument `{name}` must be {words}, but has shape {value.shape}.")
    for name in {"s", "nu"} & set(y._fields):
        check_nonnegative(name, getattr(y, name))


def random(command: Any, k: Any) -> Any:
    """Entries of W N(0, 1)/√n, of the predictor N(0, 1)/√d; amplitudes and variances of modes uniform below 1/2."""
    import jax
    import jax.numpy as jnp

    state = state_of(command.flow)
    d, n = sizes(command, k)
    a, b, c = jax.random.split(jax.random.key(command.seed), 3)
    if command.flow in ("weights", "symmetric"):
        W = jax.random.normal(a, (d, n)) / jnp.sqrt(n)
        Wp = jax.random.normal(b, (d, d)) / jnp.sqrt(d)
        if command.flow == "symmetric":
            return state(Wp=(Wp + Wp.T) / 2, F=W @ W.T)
        target = {"copy": lambda: W, "zero": lambda: jnp.zeros_like(W)}
        target["independent"] = lambda: jax.random.normal(c, (d, n)) / jnp.sqrt(n)
        return state(W=W, Wp=Wp, Wa=target[command.target]())
    if command.flow in (*DEEP, *REGULARISED):
        return state(jax.random.uniform(a, (d,), maxval=(hinge(k) if hasattr(k, "gamma") else 1) / 2))
    w, wp = jax.random.uniform(a, (d,), maxval=0.5), jax.random.uniform(b, (d,), maxval=0.5)
    wa = {"copy": w, "zero": 0 * w, "independent": jax.random.uniform(c, (d,), maxval=0.5)}[command.target]
    if command.flow == "modes":
        return state(p=wp, s=w * w, tau=wa / w if command.tau is None else command.tau)
    return state(w=w, wp=wp, wa=wa)


def sizes(command: Any, k: Any) -> tuple[int, int]:
    """d and n of a random state: the data's where they have sizes of their own."""
    d = max(len(command.lambda_d), 1) if command.lambda_d and command.flow != "weights" else command.d
    return d, (k.X.shape[0] if hasattr(k, "X") else command.n)


def check_sizes(command: Any) -> None:
    """What the options ask for fits in memory; before anything is allocated."""
    from linbyol.machine import check_memory

    modes = len(command.lambda_d)
    d, n = modes if modes and command.flow != "weights" else command.d, modes or command.n
    state = {"weights": 2 * d * n + d * d + n * n, "symmetric": 2 * d * d + d * n}.get(command.flow, 3 * d)
    if command.init is None:
        check_memory("The state (--d, --n)", 8 * 20 * state)
    check_memory("The trajectory (--points, --d, --n)", trajectory_bytes(command.points, state))


def trajectory_bytes(points: int, state: int) -> int:
    """The solver's copy and ours."""
    return 8 * 2 * points * (state + 1)
