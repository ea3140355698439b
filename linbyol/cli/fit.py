"""linbyol fit"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro


@dataclass(frozen=True)
class Fit:
    """Recover sigma2, eta, beta and alpha_p from measured eigenvalues of predictor and features, with uncertainty.

    Example: linbyol fit modes.npz --tau0 1
    """

    file: Annotated[Path, tyro.conf.Positional]
    """npz archive with ts (t,) and the eigenvalues p of Wp, s of F (t, d), as `linbyol simulate modes --out` writes"""
    tau0: float = 1.0
    """initial target Wa = tau0 W: 1 a copy (BYOL), 0 the paper's theory"""
    json: bool = False
    """print JSON alone"""

    def run(self) -> int:
        from linbyol.fit import NAMES, fit_modes
        from linbyol.store import blaming, read_numbers, to_json

        arrays = read_numbers(self.file, "ts", "p", "s")
        with blaming(self.file):
            found = fit_modes(arrays["ts"], arrays["p"], arrays["s"], tau0=self.tau0)
        estimate, error = found.estimate._asdict(), found.error._asdict()
        if self.json:
            rows = {name: {"estimate": estimate[name], "error": error[name]} for name in NAMES}
            outcome = {"residual": found.residual, "ok": found.ok, "correlation": found.correlation}
            print(to_json({"constants": rows, "order": NAMES, **outcome}))
            return 0 if found.ok else 4
        for name in NAMES:
            print(f"{name:8} {estimate[name]:12.6g} ± {error[name]:.2g}")
        print(f"residual {found.residual:12.3g} (root mean square of p and s)")
        if not found.ok:
            print("The optimiser did not converge; the numbers above are where it stopped.")
        return 0 if found.ok else 4
