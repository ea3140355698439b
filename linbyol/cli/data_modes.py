"""linbyol data modes"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from linbyol.cli.options import AtLeastZero, Count, Positive, default

WHOLE = ("commutator", "commute", "exact_eta_c", "equilibria")
COLUMNS = ("lambda_d", "lambda_s", "eta_c", "p_minus", "p_plus", "s")


@dataclass(frozen=True)
class DataModes:
    """List the modes of measured data, X and X_aug, and which of them survive at given constants.

    Example: linbyol data modes moments.npz --eta 0.02 --tau 0.9

    A mode survives if eta is at most its eta_c; with --p0, if it also starts in the basin of its p_plus. Where X and
    X_aug do not commute, the modes are an idealisation: X_aug's diagonal in the eigenbasis of X.
    """

    file: Annotated[Path, tyro.conf.Positional]
    """npz archive with X and X_aug (n, n), as `linbyol data moments` writes"""
    alpha_p: Positive = 1.0
    """learning rate of the predictor divided by that of the encoder"""
    eta: AtLeastZero = 0.04
    """weight decay"""
    tau: float = 1.0
    """Wa = tau W: held, or with --beta the target's initial value"""
    p0: float | None = None
    """initial eigenvalue of the predictor, on the parabola s = p0²/alpha_p"""
    beta: AtLeastZero | None = None
    """rate of the target's moving average (needs --p0); without it Wa = tau W is held"""
    top: Count = default(20)
    """number of modes shown, the best first (--json: all)"""
    json: bool = False
    """print JSON alone"""

    def idle(self) -> Iterator[tuple[str, str]]:
        """Options without effect, and why."""
        if self.p0 is None:
            yield "beta", "without --p0, a start"
        if self.json:
            yield "top", "with --json, which has all modes"

    def run(self) -> int:
        from linbyol.data_modes import data_modes
        from linbyol.equations import Constants
        from linbyol.images.moments import read_moments
        from linbyol.store import to_json

        k = Constants(self.alpha_p, self.beta or 0.0, self.eta, *read_moments(self.file))
        found = data_modes(k, tau=self.tau, p0=self.p0, ema=self.beta is not None)
        if self.json:
            columns = {name: getattr(found, name) for name in (*COLUMNS, "survives")}
            rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
            settings = {name: getattr(self, name) for name in ("alpha_p", "beta", "eta", "tau", "p0")}
            whole: dict[str, Any] = {
                "commutator": found.commutator,
                "commute": found.commute,
                "exact_eta_c": found.exact_eta_c,
            }
            whole |= {"equilibria": found.equilibria, "survivors": found.survives.count(True), "modes": rows}
            print(to_json({"command": "data modes", "file": self.file.name, **settings, **whole}))
            return 0
        print("\n".join(data_words(found, self.eta)))
        print_modes(found, self.top)
        return 0


def data_words(found: Any, eta: float) -> list[str]:
    """How far the modes are those of the data, and how many survive."""
    n, alive = len(found.lambda_d), found.survives.count(True)
    if found.commute:
        words = [f"X and X_aug commute: {n} modes, each on its own."]
    else:
        words = [
            f"X and X_aug do not commute (relative commutator {found.commutator:.2g}): the {n} modes below are an "
            "idealisation, X_aug's diagonal in the eigenbasis of X."
        ]
        if found.exact_eta_c == found.exact_eta_c:
            exact = f"Exactly: equilibria of rank one up to eta = {found.exact_eta_c:.4g}"
            points = found.equilibria
            words.append(f"{exact}." if points is None else f"{exact}, {len(points)} of them at eta = {eta:.4g}.")
        else:
            words.append(f"Exactly: equilibria of rank one at least up to eta = {found.eta_c.max():.4g}.")
    return [*words, f"{alive} of {n} survive at eta = {eta:.4g}."]


def print_modes(found: Any, top: int) -> None:
    """A table of the best modes."""
    from rich.table import Table

    from linbyol.cli.table import console

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("mode", *COLUMNS, "outcome"):
        table.add_column(column, justify="left" if column == "outcome" else "right")
    words = {True: "survives", False: "collapses", None: "undecided"}
    for i, outcome in enumerate(found.survives[:top]):
        numbers = (getattr(found, column)[i] for column in COLUMNS)
        table.add_row(str(i + 1), *(f"{x:.4g}" if x == x else "" for x in numbers), words[outcome])
    console().print(table)
    if (rest := len(found.survives) - top) > 0:
        print(f"… and {rest} more, of smaller eta_c.")
