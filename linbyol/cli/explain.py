"""linbyol explain"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated

import tyro

from linbyol.cli.options import AtLeastZero, Between, Count, Positive, Seed, default
from linbyol.cli.start import DEEP, REGULARISED, RULES

FLOWS = ("modes", "jepa", "mae", "sigreg", "bhep", "vicreg")
OF_RUNS = ("seed", "lane", "data")


@dataclass(frozen=True)
class Explain:
    """Say what becomes of modes, which inequality decides, and what would change it; or of a run of `linbyol train`.

    Example: linbyol explain --eta 0.05 --sigma2 0.25 --p 0.04 --s 0.002

    For a deep JEPA: linbyol explain jepa --depth 2 --eta 0 --lambda-d 0.8 1 --lambda-s 0.89 2.5 --w 0.12

    For a run: linbyol explain runs/digits-byol-1a2b3c4d
    """

    about: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="FLOW|RUN")] = "modes"
    """modes: one mode of BYOL; jepa, mae, sigreg, bhep, vicreg: all modes of a deep linear JEPA or MAE, or of a linear
    encoder that SIGReg, BHEP or VICReg holds up; or the folder of a run (./modes, if it has such a name): whether and
    why it collapsed or will, and what its loss says"""
    alpha_p: Positive = default(1.0)
    """learning rate of the predictor divided by that of the encoder"""
    beta: AtLeastZero = default(0.4)
    """rate of the target's moving average"""
    eta: AtLeastZero | None = None
    """weight decay (0.04 for BYOL, 0 for the others if not given)"""
    sigma2: AtLeastZero | None = None
    """isotropic data: variance of the augmentation noise (0.25 if nothing else describes the data)"""
    lambda_d: tuple[AtLeastZero, ...] = default(())
    """commuting data: eigenvalues of X, one a mode (one for BYOL)"""
    lambda_s: tuple[AtLeastZero, ...] = default(())
    """commuting data: eigenvalues of X + X_aug"""
    p: float = default(0.1)
    """initial eigenvalue of the predictor"""
    s: AtLeastZero = default(0.01)
    """initial eigenvalue of W Wᵀ"""
    tau: float = default(1.0)
    """initial target Wa = tau W: 1 a copy (BYOL), 0 the paper's theory"""
    simsiam: bool = False
    """no moving average: the target is the encoder"""
    rule: RULES | None = None
    """SimSiam with its predictor set by a closed form of `linbyol.predictors`"""
    no_stop_gradient: bool = False
    """the loss is whole: neither stop-gradient nor moving average"""
    depth: Count = default(1)
    """layers of the encoder (jepa, mae)"""
    w: tuple[Positive, ...] = default((0.1,))
    """initial strength of a layer, one for all modes or one a mode (jepa, mae)"""
    nu: tuple[Positive, ...] = default((0.001,))
    """initial variance of the features, one for all modes or one a mode (sigreg, bhep, vicreg)"""
    a: AtLeastZero = default(1.0)
    """weight of the invariance (sigreg, bhep; Λ of vicreg)"""
    mu: AtLeastZero = default(1.0)
    """weight of the regulariser (sigreg, bhep; that of the variances, M, of vicreg)"""
    eps: AtLeastZero = default(0.0)
    """what is added to a variance (vicreg)"""
    d: Count = default(4)
    """number of modes of isotropic data (sigreg, bhep, vicreg)"""
    seed: Seed | None = None
    """seed of the lane, where a run has several (all)"""
    lane: Annotated[int, Between(0, 2**31 - 1)] | None = None
    """number of the lane, where the run is a sweep (all)"""
    data: Path | None = None
    """folder with the run's data set (default: LINBYOL_DATA_DIR, else where `linbyol data fetch` puts them)"""
    json: bool = False
    """print JSON alone"""

    def idle(self) -> Iterator[tuple[str, str]]:
        """Options without effect, and why. Raises `InputError` for what is neither a flow nor a folder."""
        if self.about not in FLOWS:
            self._check_folder()
            own = ("about", "json", *OF_RUNS)
            yield from ((field.name, "for a run, which has its own") for field in fields(self) if field.name not in own)
            if self.lane is not None:
                yield "seed", "with --lane"
            return
        yield from ((name, f"for {self.about}, only for a run") for name in OF_RUNS)
        for names, flows in (
            (("alpha_p", "beta", "p", "s", "tau", "simsiam", "rule", "no_stop_gradient"), ("modes",)),
            (("depth", "w"), DEEP),
            (("nu", "a", "mu", "d"), REGULARISED),
            (("eps",), ("vicreg",)),
        ):
            if self.about not in flows:
                yield from ((name, f"for {self.about}, only for {', '.join(flows)}") for name in names)
        if self.lambda_d:
            yield "d", "beside --lambda-d, which has a number a mode"
        for chosen, reason, without in (
            (self.simsiam, "beside --simsiam, where the target is the encoder", ("beta", "tau")),
            (self.rule, "beside --rule, which sets SimSiam's predictor", ("alpha_p", "beta", "p", "tau", "simsiam")),
            (self.no_stop_gradient, "beside --no-stop-gradient", ("beta", "tau", "simsiam", "rule")),
        ):  # fmt: skip
            if chosen:
                yield from ((name, reason) for name in without)

    def _check_folder(self) -> None:
        from linbyol.checks import InputError

        if not Path(self.about).exists():
            flows = ", ".join(FLOWS)
            raise InputError(
                f"Argument `about` must be one of {flows}, or the folder of a run, but there is no {self.about}."
            )

    def run(self) -> int:
        from dataclasses import replace

        from linbyol.cli.explained import EXPLAINED, run
        from linbyol.store import to_json

        if self.about not in FLOWS:
            record, lines = run(self)
        else:
            eta = (0.04 if self.about == "modes" else 0.0) if self.eta is None else self.eta
            record, lines = EXPLAINED[self.about](replace(self, eta=eta))
        print(to_json(record) if self.json else "\n".join(lines))
        return 0
