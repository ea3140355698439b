"""Symbolic proofs and numeric checks of the papers' claims: one file a theorem or family, each claim a `Claim`."""
