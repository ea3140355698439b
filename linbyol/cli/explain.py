"""linbyol explain"""

from collections.abc import Iterator
from dataclasses import dataclass

from linbyol.cli.options import AtLeastZero, Positive, default


@dataclass(frozen=True)
class Explain:
    """Say whether a mode survives or collapses, which inequality decides, and what would change the outcome.

    Example: linbyol explain --eta 0.05 --sigma2 0.25 --p 0.04 --s 0.002
    """

    alpha_p: Positive = default(1.0)
    """learning rate of the predictor divided by that of the encoder"""
    beta: AtLeastZero = default(0.4)
    """rate of the target's moving average"""
    eta: AtLeastZero = 0.04
    """weight decay"""
    sigma2: AtLeastZero | None = None
    """isotropic data: variance of the augmentation noise (0.25 if nothing else describes the data)"""
    lambda_d: AtLeastZero | None = None
    """commuting data: eigenvalue of X"""
    lambda_s: AtLeastZero | None = None
    """commuting data: eigenvalue of X + X_aug"""
    p: float = 0.1
    """initial eigenvalue of the predictor"""
    s: AtLeastZero = 0.01
    """initial eigenvalue of W Wᵀ"""
    tau: float = default(1.0)
    """initial target Wa = tau W: 1 a copy (BYOL), 0 the paper's theory"""
    simsiam: bool = False
    """no moving average: the target is the encoder"""
    json: bool = False
    """print JSON alone"""

    def idle(self) -> Iterator[tuple[str, str]]:
        """Options without effect, and why."""
        if self.simsiam:
            yield from ((name, "beside --simsiam, where the target is the encoder") for name in ("beta", "tau"))

    def run(self) -> int:
        from linbyol.cli.constants import of_modes
        from linbyol.equations import Modes
        from linbyol.explain import apart, explain
        from linbyol.store import to_json

        result = explain(Modes(self.p, self.s, self.tau), of_modes(self), ema=not self.simsiam)
        if self.json:
            print(to_json(result._asdict() | {"changes": [change._asdict() for change in result.changes]}))
            return 0
        print(result.reason)
        if result.survives is None:
            return 0
        low, high = result.window
        turn = "save it" if not result.survives else "make it collapse"
        if result.changes:
            print(f"What would {turn}, one constant at a time:")
            for change in result.changes:
                word = "above" if change.turns_at > change.now else "below"
                print("  {} {} {} (now {})".format(change.constant, word, *apart(change.turns_at, change.now)))
        else:
            print(f"No change of a single constant by a factor of 1000 would {turn}.")
        if low < high:
            print(f"DirectPred would make collapse unstable for {low:.4g} < eps < {high:.4g} (p_minus, p_plus).")
        return 0
