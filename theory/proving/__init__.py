"""What proofs and checks share: a prover on matrix words, spaces of symbols, random instances, solved trajectories."""
