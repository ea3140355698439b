"""Mutual information: what is infinite, what is capped, the Gaussian's closed form, and MINE's gradient."""

import jax
import jax.numpy as jnp
import numpy as np

from linbyol.claims import Run, Verdict, claim, holds_if
from linbyol.extremes import every, largest
from linbyol.representation import gaussian_channel, gaussian_information
from linbyol.representation.bounds import (
    donsker_varadhan,
    donsker_varadhan_all,
    log_mean_exp,
    marginal_weights,
    mine_loss,
    moving_log_mean,
)

ROUNDING = 1e-12
MINE = "MINE (arXiv 1801.04062)"


@claim(
    "C29",
    title="I(X; f(X)) is infinite, or log N on N samples",
    statement="I(X; WX + N(0, vI)) grows without bound as v → 0, by ½ rank(W) log 10 a decade; on a finite set of N "
    "equally likely samples an injective f has I = log N.",
    source="derived",
    kind="numeric",
)
def without_noise(run: Run) -> Verdict:
    rng = np.random.default_rng([run.seed, 29])
    W, A = rng.standard_normal((3, 6)), rng.standard_normal((6, 6))
    variances = 10.0 ** -np.arange(0, 26, 5)
    found = np.array([gaussian_channel(W, A @ A.T, v) for v in variances])
    decade = np.diff(found)[-1] / 5
    N = int(rng.integers(20, 80))
    images = rng.permutation(N)  # f, injective
    joint = np.zeros((N, N))
    joint[np.arange(N), images] = 1 / N
    p = joint[joint > 0]
    finite = float(np.sum(p * np.log(p / np.outer(joint.sum(1), joint.sum(0))[joint > 0])))
    return holds_if(
        every(np.diff(found) > 0, abs(decade / (1.5 * np.log(10)) - 1) < 1e-9, abs(finite - np.log(N)) < ROUNDING),
        variances=variances,
        nats=found,
        nats_a_decade_in_the_end=decade,
        on_finite_set=finite,
        log_N=np.log(N),
    )


@claim(
    "C30",
    title="The Donsker-Varadhan value over all N² pairs is at most log N",
    statement="Whatever the critic, mean T_ii - log mean e^(T_ij) over all N² pairs is at most log N; a sharp diagonal "
    "critic reaches it: 3.912 at N = 50.",
    source="derived",
    kind="numeric",
)
def ceiling(run: Run) -> Verdict:
    """By Jensen: log mean e^T ≥ log[(1/N²) Σ e^(T_ii)] ≥ mean T_ii - log N. Random critics, steep ones among them."""
    rng = np.random.default_rng([run.seed, 30])
    random = [
        float(donsker_varadhan_all(jnp.asarray(size * rng.standard_normal((50, 50)) + diagonal * np.eye(50))))
        for size in (0.1, 1.0, 10.0)
        for diagonal in (0.0, 5.0, 50.0, 500.0)
    ]
    sharp = float(donsker_varadhan_all(jnp.asarray(1e3 * np.eye(50))))
    return holds_if(
        largest(random) < np.log(50) + ROUNDING and abs(sharp - np.log(50)) < ROUNDING and abs(sharp - 3.912) < 5e-4,
        largest_of_random_critics=largest(random),
        diagonal_critic=sharp,
    )


@claim(
    "C46",
    title="Mutual information of Gaussians, and its invariance",
    statement="k pairs with correlation ρ have -(k/2) log(1 - ρ²) nats, 1.346689 for k = 4, ρ = 0.7; invertible linear "
    "maps of either side change nothing.",
    source="derived",
    kind="numeric",
)
def of_gaussians(run: Run) -> Verdict:
    rng = np.random.default_rng([run.seed, 46])
    gaps = []
    for k, rho in ((4, 0.7), (int(rng.integers(1, 7)), rng.uniform(0.1, 0.95))):
        cov = np.kron([[1, rho], [rho, 1]], np.eye(k))
        exact = -k / 2 * np.log(1 - rho**2)
        M = np.zeros((2 * k, 2 * k))
        for part in (slice(0, k), slice(k, 2 * k)):
            Q, R = np.linalg.qr(rng.standard_normal((k, k)))
            M[part, part] = Q * rng.uniform(0.1, 10, k) @ np.linalg.qr(R.T)[0]  # condition at most 100
        gaps += [gaussian_information(cov, k) - exact, gaussian_information(M @ cov @ M.T, k) - exact]
    value = gaussian_information(np.kron([[1, 0.7], [0.7, 1]], np.eye(4)), 4)
    return holds_if(
        largest(np.abs(gaps)) < 1e-10 and abs(value - 1.346689) < 5e-7, largest_gap=largest(np.abs(gaps)), nats=value
    )


@claim(
    "C47",
    title="The bound at the optimal critic is the information",
    statement="At T = log p(x, z)/(p(x) p(z)) the Donsker-Varadhan value is I(X; Z), within 2 % by Monte Carlo; "
    "a scaled critic gives less.",
    source=MINE,
    kind="numeric",
)
def optimal_critic(run: Run) -> Verdict:
    """k = 4, ρ = 0.7, 4·10⁵ samples: T varies by 1.4 and e^T by e^I = 3.8, so that the value varies by 0.5 %."""
    rng = np.random.default_rng([run.seed, 47])
    k, rho, n = 4, 0.7, 400_000
    x, u, z = rng.standard_normal((3, n, k))

    def critic(x: np.ndarray, z: np.ndarray) -> np.ndarray:
        quadratic = rho**2 * (x**2 + z**2) - 2 * rho * x * z
        return -k / 2 * np.log(1 - rho**2) - np.sum(quadratic, axis=1) / (2 * (1 - rho**2))

    pairs, apart = critic(x, rho * x + np.sqrt(1 - rho**2) * u), critic(x, z)
    value = {a: float(a * pairs.mean() - log_mean_exp(jnp.asarray(a * apart))) for a in (0.5, 0.75, 1.0, 1.25, 1.5)}
    exact = -k / 2 * np.log(1 - rho**2)
    others = [v for a, v in value.items() if a != 1]
    return holds_if(
        abs(value[1.0] / exact - 1) < 0.02 and largest(others) < value[1.0],
        exact=exact,
        optimal=value[1.0],
        scales=[a for a in value if a != 1],
        scaled=others,
    )


@claim(
    "C48",
    title="MINE's weights with the batch's own denominator are the bound's gradient",
    statement="-mean ∇T on the pairs + Σ w ∇T off them, w = e^T/(n e^log-mean), is minus the gradient of the "
    "Donsker-Varadhan value where the log-mean is that of the same pairs; the weights then sum to 1.",
    source=MINE,
    kind="numeric",
)
def weights(run: Run) -> Verdict:
    """Along random directions, by central differences: an error of order 10⁻⁹ at a step of 10⁻⁵."""
    rng = np.random.default_rng([run.seed, 48])
    T, step, n = rng.standard_normal((12, 12)), 1e-5, 12
    off = ~np.eye(n, dtype=bool)
    t = T[off]
    w = np.asarray(marginal_weights(t, np.log(np.mean(np.exp(t)))))
    trained = np.asarray(jax.grad(lambda T: mine_loss(T, jnp.asarray(jnp.nan), jnp.asarray(0.99))[0])(jnp.asarray(T)))
    gaps = []
    for D in rng.standard_normal((5, n, n)):
        up, down = (float(donsker_varadhan(jnp.asarray(T + side * step * D))) for side in (1, -1))
        slope = (up - down) / (2 * step)
        gaps += [np.mean(np.diagonal(D)) - w @ D[off] - slope, -np.sum(trained * D) - slope]
    return holds_if(
        largest(np.abs(gaps)) < 1e-5 and abs(w.sum() - 1) < ROUNDING,
        largest_gap=largest(np.abs(gaps)),
        sum_of_weights=w.sum(),
    )


@claim(
    "C49",
    title="The moving average of the exponential mean",
    statement="In log form with decay 0.75, the mean 2 followed by the mean 5 is 0.75·2 + 0.25·5 = 2.75: the decay is "
    "the share of the old.",
    source=MINE,
    kind="numeric",
)
def moving_average(run: Run) -> Verdict:
    found = float(np.exp(moving_log_mean(np.log(2.0), np.log(5.0), 0.75)))
    return holds_if(abs(found - 2.75) < ROUNDING, seeds=(), mean=found)
