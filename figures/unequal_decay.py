"""Table 5 on a mode: p and s in time where predictor and encoder decay at different rates (not a figure of the paper).

What to see: with both decays the mode rests at p₊ of the encoder's, s = (η_p/η_s) p₊²/α_p, or collapses where it
starts in the basin (dashed). With the predictor's alone nothing collapses: p goes to τ/κ from either start, and s
grows without end, by 2 η_p (τ/κ)²/α_p a unit of time. With the encoder's alone everything collapses: s may rise at
first, but once p is at τ/κ nothing holds it up, and it falls as e^(-2 η_s t).
"""

from pathlib import Path
from typing import Any

import jax
import numpy as np
from matplotlib.figure import Figure

from figures import style
from linbyol.equations import Isotropic, Modes, decay, hold, modes_flow
from linbyol.fixed_points import fixed_points
from linbyol.integrate import integrate

CAPTION = (
    "A mode under separate weight decays of predictor and encoder (κ = 1.25, τ = 1, α_p = 1), as in Table 5 of the "
    "paper: equal, the predictor's alone, the encoder's alone; from a start that survives equal decays (solid) and "
    "from one that does not (dashed). Dotted: the fixed point p₊, the growth 2 η_p (τ/κ)² t/α_p of s, and its fall "
    "e^(−2 η_s t)."
)
CLAIMS = ("B72", "B73", "B74")
DECAYS = ((0.05, 0.05), (0.05, 0.0), (0.0, 0.05))  # (eta_p, eta_s)
NAMES = (r"$\eta_p = \eta_s = 0.05$", r"$\eta_p = 0.05,\ \eta_s = 0$", r"$\eta_p = 0,\ \eta_s = 0.05$")
K = Isotropic(alpha_p=1.0, beta=0.0, eta=0.0, sigma2=0.25)
STARTS = ((0.2, 0.3), (0.03, 0.002))  # (p, s)


def data(fast: bool = False, results: Path | None = None) -> dict[str, np.ndarray]:
    """p and s, each (decay, start, t), the fixed point (p, s) under both decays, and the goal τ/κ."""
    del results
    ts = np.linspace(0.0, 240.0, 121 if fast else 601)
    eta_p, eta_s = np.array(DECAYS).T[:, :, None]
    decayed = hold(decay(modes_flow, Wp=eta_p, W=eta_s), "tau")
    flow = jax.jit(lambda y, k: decayed(y, k))
    p, s = np.array(STARTS).T[:, None]
    ys = integrate(flow, Modes(p, s, np.ones_like(p)), K, ts, atol=1e-16, solver="dop853").ys
    rest = fixed_points(K, Wp=DECAYS[0][0], W=DECAYS[0][1])
    return {
        "ts": ts,
        "p": np.moveaxis(np.asarray(ys.p), 0, -1),
        "s": np.moveaxis(np.asarray(ys.s), 0, -1),
        "rest": np.array([rest.p[2], rest.s[2]]),
        "goal": np.asarray(K.tau / K.kappa),
    }


@style.styled
def draw(data: dict[str, Any]) -> Figure:
    """p above, s below, one column a pair of decays."""
    figure, axes = style.panels(2, 3, width="page", height=3.5, sharex=True)
    ts = data["ts"]
    for i, (top, bottom) in enumerate(axes.T):
        for ax, name in ((top, "p"), (bottom, "s")):
            for values, look in zip(data[name][i], (style.DASHES[0], style.DASHES[1]), strict=True):
                ax.plot(ts, values, color=style.COLOURS[name], linestyle=look)
        top.set(title=NAMES[i], ylim=(0, 0.95))
        bottom.set(xlabel="$t$", xlim=(0, ts[-1]))
    for ax, level, letter in zip(axes[:, 0], data["rest"], (r"$p_+$", r"$p_+^2/\alpha_p$"), strict=True):
        _guide(ax, ts, np.full_like(ts, level), letter, (0.97, level))
    for ax in axes[0, 1:]:
        _guide(ax, ts, np.full_like(ts, data["goal"]), r"$\tau/\kappa$", (0.97, data["goal"]))
    (eta_p, _), (_, eta_s) = DECAYS[1:]
    growth = 2 * eta_p * data["goal"] ** 2 / K.alpha_p
    late = ts > ts[-1] / 3
    line = data["s"][1, 0, -1] + growth * (ts - ts[-1])
    _guide(axes[1, 1], ts[late], line[late] + 1.2, r"slope $2\eta_p(\tau/\kappa)^2/\alpha_p$", (0.03, 14))
    peak = data["s"][2, 0].argmax()
    fall = data["s"][2, 0, peak] * np.exp(-2 * eta_s * (ts - ts[peak]))
    _guide(axes[1, 2], ts[peak:], fall[peak:], r"$\propto e^{-2\eta_s t}$", (0.95, 1e-3))
    axes[1, 0].set_ylim(0, 0.75)
    axes[1, 1].set_ylim(0, None)
    axes[1, 2].set(yscale="log")
    axes[0, 0].set_ylabel("$p$")
    axes[1, 0].set_ylabel("$s$")
    key = [
        style.entry(rf"from $p = {p:g}$, $s = {s:g}$", color="0.4", linestyle=look)
        for (p, s), look in zip(STARTS, style.DASHES, strict=False)
    ]
    key.append(style.entry("limits and rates, as written", **style.LAW))
    constants = (
        r"$\tau = 1$ (held), $\alpha_p = 1$, $\sigma^2 = 0.25$ ($\kappa = 1.25$); $\eta_p$: decay of the predictor, "
        r"$\eta_s$: of "
        "the encoder."
    )
    return style.finish(figure, constants, key)


def _guide(ax: Any, ts: np.ndarray, values: np.ndarray, text: str, at: tuple[float, float]) -> None:
    ax.plot(ts, values, **style.LAW)
    ha = "left" if at[0] < 0.5 else "right"
    place = {"xycoords": ax.get_yaxis_transform(), "textcoords": "offset points"}
    ax.annotate(text, at, (0, 3), ha=ha, va="bottom", fontsize=7, **place)
