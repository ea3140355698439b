"""linbyol prove"""

from dataclasses import dataclass
from typing import Annotated

from linbyol.cli.options import Between, Seed
from linbyol.cli.repeated import Repeated, flat


@dataclass(frozen=True)
class Prove:
    """Prove the theorems, Eqs. 11-16 and the fixed points, from the very functions that are integrated.

    Example: linbyol prove --only B5 B21
    """

    only: Repeated[str] = ()
    """ids of the claims to prove (all if none)"""
    list: bool = False
    """list the claims and prove nothing"""
    seed: Seed = 0
    """seed of the random instances on which each proof is checked again"""
    jobs: Annotated[int, Between(0, 1024)] = 0
    """processes at once (0: one a core, at most 4)"""
    json: bool = False
    """print JSON alone"""

    def run(self) -> int:
        from linbyol import trees

        trees.provide()
        import theory
        from linbyol import claims
        from linbyol.cli import table
        from linbyol.cli.check import run_claims
        from linbyol.cli.processes import jobs_that_pay
        from linbyol.store import to_json
        from theory.proving.prover import PROVE

        collected = table.Collected.of(theory)
        chosen = table.choose([claim for claim in collected.claims if claim.id in PROVE], flat(self.only))
        if self.list:
            return collected.listed(chosen, self.json)
        results = run_claims(chosen, claims.Run(seed=self.seed), self.jobs or jobs_that_pay())
        if self.json:
            print(to_json({"claims": [r.record() for r in results], "environment": claims.environment()}))
        else:
            table.print_results(results)
        return table.status(results) or collected.status
