"""Deep networks on sampled pairs: the moments are those that were chosen, and the claim can fail."""

import numpy as np
import pytest

from experiments.studies import learning_order
from linbyol.claims import Run


@pytest.mark.parametrize(("exact", "tolerance"), [(True, 1e-12), (False, 4 * 1.5 / np.sqrt(learning_order.SAMPLES))])
def test_pairs_have_the_moments_that_were_chosen(exact, tolerance):
    k, Q = learning_order.pairs(np.random.default_rng(0), exact=exact)
    assert Q.T @ k.Sxx @ Q == pytest.approx(np.diag(learning_order.LAMBDA_D / learning_order.RHO), abs=tolerance)
    assert Q.T @ k.Syx @ Q == pytest.approx(np.diag(learning_order.LAMBDA_D), abs=tolerance)


def test_times_of_other_features_are_refused(monkeypatch):
    """Networks learn by what the data have: predictions for a ρ that is 2 % larger are off."""
    settings = learning_order.SETTINGS[:1]
    monkeypatch.setattr(learning_order, "SETTINGS", settings)
    assert learning_order.order_on_samples.check(Run(seed=3)).verdict == "holds"
    right = learning_order.predicted
    monkeypatch.setattr(learning_order, "predicted", lambda s: 1.02 * right(s))
    assert learning_order.order_on_samples.check(Run(seed=3)).verdict == "fails"
