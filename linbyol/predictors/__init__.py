"""The predictor, learned or set from correlations of its inputs: one table of rules for theory and trainer.

A rule is `(Wp, F, **settings) -> Wp` with Wp, F of shape (d, d), F symmetric positive semidefinite. One that sees more
names it as keyword without default: `features` = W (X + X_aug) Wᵀ, `cross` = Wa X Wᵀ. `linbyol.equations.slave` and the
trainer hand it what it names. All are differentiable where eigenvalues coincide, except `optimal` where F is singular.
Sources: Tian et al. (2021) Sec. 4; DirectSet, arXiv 2110.04947; Richemond et al. (2023), arXiv 2302.04817.
"""

from linbyol.predictors.correlations import nash, optimal, regression
from linbyol.predictors.iterations import newton_schulz, newton_schulz_step, stiefel, visser, visser_step
from linbyol.predictors.powers import directcopy, directpred, directset, soft_projector
from linbyol.predictors.rules import RULES, on_features
from linbyol.predictors.spectra import of_spectrum

__all__ = [
    "RULES", "directcopy", "directpred", "directset", "nash", "newton_schulz", "newton_schulz_step", "of_spectrum",
    "on_features", "optimal", "regression", "soft_projector", "stiefel", "visser", "visser_step",
]  # fmt: skip
