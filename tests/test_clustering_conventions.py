"""Claims on losses, information and other programs: they hold on other seeds, and the wrong formula is refused."""

import jax.numpy as jnp
import numpy as np
import optax
import pytest

from linbyol.claims import Run
from linbyol.losses import nt_xent
from theory.clustering import information, loss_conventions, other_programs, untrained_labels

CLAIMS = {
    loss_conventions: ("two_conventions", "shares", "twice", "split", "constants", "orthogonal_pairs"),
    information: ("without_noise", "ceiling", "of_gaussians", "optimal_critic", "weights", "moving_average"),
    untrained_labels: ("few_and_easy",),
    other_programs: ("not_rankme", "not_lidar", "smoothing"),
}
ALL = [getattr(module, name) for module, names in CLAIMS.items() for name in names]


@pytest.mark.parametrize("found", ALL, ids=lambda found: found.id)
def test_it_holds_on_another_seed(found):
    verdict = found(Run(seed=20))
    assert verdict.verdict == "holds", (verdict.note, verdict.numbers)


def test_nt_xent_is_optaxs(rng):
    z1, z2 = rng.standard_normal((2, 9, 5))
    labels = np.tile(np.arange(9), 2)
    theirs = optax.losses.ntxent(
        jnp.concatenate([jnp.asarray(z1), jnp.asarray(z2)]), jnp.asarray(labels), temperature=0.2
    )
    ours = nt_xent(jnp.asarray(z1), jnp.asarray(z2), temperature=0.2)
    assert float(ours.total) == pytest.approx(float(theirs), rel=1e-12)


@pytest.mark.parametrize(
    ("module", "name", "wrong", "refused"),
    [
        (information, "moving_log_mean", lambda old, new, decay: np.log(0.25 * 2 + 0.75 * 5), "moving_average"),
        (information, "marginal_weights", lambda t, m: np.exp(t) / len(t), "weights"),
        (information, "gaussian_channel", lambda W, cov, v: 3.0 / (1 + v), "without_noise"),
        (information, "donsker_varadhan_all", information.donsker_varadhan, "ceiling"),
        (loss_conventions, "double", lambda a, b, t: 1.0, "twice"),
        (other_programs, "rankme", lambda h: other_programs.entropy_rank(np.var(h, axis=0)), "not_rankme"),
    ],
)
def test_the_wrong_formula_is_refused(monkeypatch, module, name, wrong, refused):
    monkeypatch.setattr(module, name, wrong)
    assert getattr(module, refused)(Run(seed=20)).verdict == "fails"
