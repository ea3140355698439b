"""Papers around it: DirectSet, IsoLoss, the cosine loss, stepwise learning, deep linear networks, the landscape."""
