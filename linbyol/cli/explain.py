"""linbyol explain"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Explain:
    """Say whether a mode survives or collapses, which inequality decides, and what would change the outcome.

    Example: linbyol explain --eta 0.05 --sigma2 0.25 --p 0.04 --s 0.002
    """

    alpha_p: float = 1.0
    """learning rate of the predictor divided by that of the encoder"""
    beta: float = 0.4
    """rate of the target's moving average"""
    eta: float = 0.04
    """weight decay"""
    sigma2: float | None = None
    """isotropic data: variance of the augmentation noise (0.25 if nothing else describes the data)"""
    lambda_d: float | None = None
    """commuting data: eigenvalue of X"""
    lambda_s: float | None = None
    """commuting data: eigenvalue of X + X_aug"""
    p: float = 0.1
    """initial eigenvalue of the predictor"""
    s: float = 0.01
    """initial eigenvalue of W Wᵀ"""
    tau: float = 1.0
    """initial target Wa = tau W: 1 a copy (BYOL), 0 the paper's theory"""
    simsiam: bool = False
    """no moving average: the target is the encoder"""
    json: bool = False
    """print JSON alone"""

    def run(self) -> int:
        from linbyol.equations import Modes
        from linbyol.explain import explain
        from linbyol.store import to_json

        result = explain(Modes(self.p, self.s, self.tau), constants(self), ema=not self.simsiam)
        if self.json:
            print(to_json(result._asdict() | {"changes": [change._asdict() for change in result.changes]}))
            return 0
        print(result.reason)
        low, high = result.window
        turn = "save it" if not result.survives else "make it collapse"
        if result.changes:
            print(f"What would {turn}, one constant at a time:")
            for change in result.changes:
                word = "above" if change.turns_at > change.now else "below"
                print(f"  {change.constant} {word} {change.turns_at:.4g} (now {change.now:.4g})")
        else:
            print(f"No change of a single constant by a factor of 1000 would {turn}.")
        if low < high:
            print(f"DirectPred would make collapse unstable for {low:.4g} < eps < {high:.4g} (p_minus, p_plus).")
        return 0


def constants(settings: Explain):
    """Isotropic or commuting constants of one mode."""
    from linbyol.checks import InputError
    from linbyol.equations import Commuting, Isotropic

    rates = (settings.alpha_p, settings.beta, settings.eta)
    if settings.lambda_d is None and settings.lambda_s is None:
        return Isotropic(*rates, 0.25 if settings.sigma2 is None else settings.sigma2)
    if settings.sigma2 is not None or settings.lambda_d is None or settings.lambda_s is None:
        raise InputError("Give --sigma2, or both --lambda-d and --lambda-s, to describe the data.")
    return Commuting(*rates, settings.lambda_d, settings.lambda_s)
