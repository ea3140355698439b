"""Whether the card's numbers are a CPU's: what it is, releases of jax that are known to be wrong, and computations."""

import platform
import subprocess
from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from experiments.bench.gpu.agreement import agreement
from experiments.bench.gpu.ensemble import under_jit
from experiments.bench.gpu.peak import product_rate
from experiments.bench.gpu.record import Row
from experiments.bench.workload import workload
from experiments.datasets import load
from experiments.networks.convolution import convolve
from experiments.trainer.choices import Byol, ConvEncoder, Direct, LinearPredictor, MlpEncoder, Target
from experiments.trainer.options import Data, Options, Projector, Run
from experiments.trainer.session import prepare
from experiments.trainer.steps import advance, orders_of
from linbyol import doctor, exact
from linbyol.equations import (
    Amplitudes,
    Constants,
    Isotropic,
    Modes,
    Symmetric,
    Weights,
    amplitudes_flow,
    modes_flow,
    symmetric_flow,
    weights_flow,
)
from linbyol.fixed_points import critical_eta, predictor_roots

ASKED = "name,driver_version,clocks.sm,clocks.max.sm,clocks.mem,power.draw,power.limit,temperature.gpu,memory.total"
PRODUCTS = {  # dtype and precision of a product
    "bfloat16": ("bfloat16", "default"), "float32": ("float32", "default"),
    "float32, highest": ("float32", "highest"), "float64": ("float64", "highest"),
}  # fmt: skip


STEPS = (("conv", "digits-shift", 1), ("mlp", "digits-shift", 3))  # encoder, augmentation, steps


def rows(tiny: bool) -> list[Row]:
    """What every measurement stands on first, the dear comparisons later."""
    shapes, step = (SHAPES[:1], (("mlp", "none", 1),)) if tiny else (SHAPES, STEPS)
    full = {"float64": 2e-6, "float32": 1e-3}  # adaptive steps part at the last digit: twice and ten times rtol
    return [
        Row("doctor: device", 0, 15, lambda clock, keep: device(tiny)),
        Row("doctor: known-bad releases of jax", 0, 10, lambda clock, keep: releases()),
        Row("doctor: flows", 0, 15, lambda clock, keep: agreement(flows)),
        Row("doctor: closed forms", 0, 15, lambda clock, keep: agreement(closed_forms)),
        Row("doctor: ensemble", 1, 25, lambda clock, keep: agreement(ensemble, allowed=full)),
        Row("doctor: convolution gradients", 1, 25, lambda clock, keep: agreement(partial(convolutions, shapes))),
        *(
            Row(f"doctor: {how[2]} training step{'s'[: how[2] > 1]}, {how[0]}", 1, 40,
                lambda clock, keep, how=how: agreement(partial(training, *how), dtypes=("float32",)))
            for how in step
        ),
    ]  # fmt: skip


def device(tiny: bool) -> dict[str, Any]:
    """The card, its clock after a large product, the rate of such products, and whether float32's are cut to TF32."""
    rates = {name: product_rate(*how, tiny) for name, how in PRODUCTS.items() if not (tiny and "," in name)}
    x = np.random.default_rng(0).normal(size=(256, 256)).astype(np.float32)
    exact = x.astype(np.float64) @ x
    error = {}
    for precision in ("default", "highest"):
        with jax.default_matmul_precision(precision):
            error[precision] = float(np.abs(np.asarray(jnp.asarray(x) @ jnp.asarray(x)) - exact).max() / exact.max())
    return {
        "card": jax.devices()[0].device_kind,
        "platform_version": jax.devices()[0].client.platform_version,
        "python": platform.python_version(),
        "nvidia_smi": clocks(),
        "operations_per_second": rates,
        "float32_product_error": error,
        "tf32": error["default"] > 10 * error["highest"],  # full products are asked for as "highest"
    }


def clocks() -> dict[str, str] | str:
    """What the driver says just now, or why it says nothing."""
    command = ["nvidia-smi", "--id=0", f"--query-gpu={ASKED}", "--format=csv,noheader"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout
    except (OSError, subprocess.SubprocessError) as error:
        return f"{type(error).__name__}: {error}"[:200]
    return dict(zip(ASKED.split(","), said.strip().split(", "), strict=False))


def releases() -> dict[str, Any]:
    """`linbyol doctor`'s checks, on this device."""
    checks = doctor.self_test()
    return {"ok": all(check.ok for check in checks), "checks": [check._asdict() for check in checks]}


def flows(dtype: str) -> Any:
    """The four flows of `linbyol.equations`, at random states."""
    rng, d, n, many = np.random.default_rng(0), 32, 64, 1000
    draw = lambda *shape: jnp.asarray(rng.normal(size=shape) / np.sqrt(shape[-1] if shape[1:] else 1), dtype)  # noqa: E731
    W, Wp, Wa, X, X_aug, F = draw(d, n), draw(d, d), draw(d, n), draw(n, n), draw(n, n), draw(d, d)
    k = Constants(*(jnp.asarray(x, dtype) for x in (1.3, 0.4, 0.05)), X @ X.T, X_aug @ X_aug.T)
    alone = Isotropic(*(jnp.asarray(x, dtype) for x in (1.3, 0.4, 0.05, 0.3, 0.8)))

    return (
        jax.jit(weights_flow)(Weights(W, Wp, Wa), k),
        jax.jit(symmetric_flow)(Symmetric(Wp + Wp.T, F @ F.T), alone),
        jax.jit(modes_flow)(Modes(*(draw(many) for _ in range(3))), alone),
        jax.jit(amplitudes_flow)(Amplitudes(*(draw(many) for _ in range(3))), alone),
    )


def closed_forms(dtype: str) -> Any:
    """Fixed points, thresholds, trajectories on the parabola and escape times, over two decades of constants."""
    rng, N = np.random.default_rng(1), 64
    alpha_p, beta, eta = (10 ** rng.uniform(low, high, N) for low, high in ((-1, 1), (-2, 0), (-3, -1.5)))
    k = Isotropic(*(jnp.asarray(x, dtype) for x in (alpha_p, beta, eta, rng.uniform(0, 1, N), np.ones(N))))
    p0 = jnp.asarray(rng.uniform(0.1, 0.4, N), dtype)
    ts = jnp.linspace(0, 20, 9, dtype=dtype)
    return predictor_roots(k), critical_eta(k), exact.parabola(p0, k, ts), exact.escape_time(p0, k)


def ensemble(dtype: str) -> Any:
    """256 trajectories of the reference workload at rtol 1e-6, in float32 at 1e-4."""
    rtol = 1e-6 if dtype == "float64" else 1e-4
    y0, k = workload(256, dtype=np.dtype(dtype))
    return under_jit(*jax.tree.map(jnp.asarray, (y0, k)), jnp.asarray(rtol, dtype))[0]


SHAPES = (  # of ResNet-18, with fewer images: (side, channels in, channels out, kernel, stride)
    (8, 8, 16, 3, 2), (32, 3, 64, 3, 1), (32, 64, 64, 3, 1), (16, 128, 256, 3, 2), (16, 128, 256, 1, 2),
    (4, 512, 512, 3, 1),
)  # fmt: skip


def convolutions(shapes: tuple[tuple[int, ...], ...], dtype: str) -> Any:
    """Output and gradients at images and kernel, as the trainer takes them: of two views with one kernel."""
    found = []
    for side, c, o, size, stride in shapes:
        rng, padding = np.random.default_rng(side), size // 2
        x = jnp.asarray(rng.normal(size=(2, 4, side, side, c)), dtype)
        kernel = jnp.asarray(rng.normal(size=(size, size, c, o)) / np.sqrt(size * size * c), dtype)

        found.append(_convolved(x, kernel, stride, padding))
    return found


@partial(jax.jit, static_argnums=(2, 3))
def _convolved(x: Any, kernel: Any, stride: int, padding: int) -> Any:
    y, back = jax.vjp(lambda x, k: jax.vmap(lambda x: convolve(x, k, stride, padding))(x), x, kernel)
    return y, back(y)


def training(encoder: str, augment: str, steps: int, dtype: str) -> Any:
    """Parameters of a DirectPred network on digits after so many steps; all precisions begin at those of float32."""
    dataset = load("digits", first=128)
    encoders = {"conv": ConvEncoder(widths=(16, 32)), "mlp": MlpEncoder(widths=(64,))}
    method = Byol(predictor=LinearPredictor(rule=Direct(floor=1e-4)), target=Target(start="independent"))
    o = Options(data=Data(augment=augment), encoder=encoders[encoder], projector=Projector(widths=(64, 32)),
                method=method, run=Run(batch=64, precision=dtype))  # fmt: skip
    session = prepare(o, dataset, jax.devices()[:1])
    state, plan = session.start(), session.plan
    if dtype == "float64":
        with jax.enable_x64(False):
            short = prepare(replace(o, run=Run(batch=64)), dataset, jax.devices()[:1]).start()
        state = jax.tree.map(lambda narrow, wide: jnp.asarray(np.asarray(narrow), wide.dtype), short, state)
    for epoch in range(steps):
        orders = orders_of(plan, session.seeds, len(session.data.images), np.int32(epoch))
        numbers = np.int32(epoch * plan.steps), np.int32(1)
        state = advance(plan, session.data, state, orders, session.scalars, session.seeds, *numbers)
    return jnp.concatenate([x.ravel() for x in jax.tree.leaves(state.online)])
