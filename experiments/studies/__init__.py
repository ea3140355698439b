"""One file a study: each claim trains on real images and compares with the theory, nothing fitted."""
