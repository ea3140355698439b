"""RankMe, LiDAR and CKA against closed forms and independent routes."""

import numpy as np
import scipy.linalg

from linbyol.claims import Run, Verdict, claim, holds_if
from linbyol.extremes import every, largest, least
from linbyol.representation import cka, effective_rank, lidar, rankme
from theory.clustering.instances import relative, rotation

EPS = 1e-7


@claim(
    "C41",
    title="RankMe of orthonormal columns and of rank one",
    statement="With eps = 0 RankMe is d for d orthonormal columns and 1 for rank one. With eps = 1e-7 it changes by "
    "d eps (ln d - 1) relative for equal singular values, and by (d - 1) eps ln(1/eps) for rank one.",
    source="arXiv 2210.02885",
    kind="numeric",
)
def of_equal_values_and_one(run: Run) -> Verdict:
    """The changes are of first order: the next is of order (d eps ln d)² and (d eps ln(1/eps))², and of eps itself."""
    rng = np.random.default_rng([run.seed, 41])
    exact, first_order, equal, one = [], [], [], []
    for d in (16, 64, 512):
        Q = np.linalg.qr(rng.standard_normal((d + 40, d)))[0]
        rank_one = np.outer(rng.standard_normal(d + 40), rng.standard_normal(d))
        exact += [relative(effective_rank(Q), d), relative(effective_rank(rank_one), 1)]
        equal.append(rankme(Q) / d - 1)
        one.append(rankme(rank_one) - 1)
        first_order += [
            relative(equal[-1], d * EPS * (np.log(d) - 1)),
            relative(one[-1], (d - 1) * EPS * np.log(1 / EPS)),
        ]
    return holds_if(
        largest(exact) < 1e-10 and largest(first_order) < 0.02,
        largest_gap=largest(exact),
        change_for_equal_values=equal,
        change_for_rank_one=one,
        dimensions=[16, 64, 512],
        relative_gap_of_the_first_order=largest(first_order),
    )


@claim(
    "C42",
    title="LiDAR is a generalised eigenvalue problem",
    statement="The eigenvalues of S_w^-½ S_b S_w^-½ are those of S_b v = λ S_w v.",
    source="arXiv 2312.04000",
    kind="numeric",
)
def generalised_eigenvalues(run: Run) -> Verdict:
    rng = np.random.default_rng([run.seed, 42])
    gaps, values = [], []
    for C, n, d in ((50, 10, 16), (8, 6, 20)):
        groups = np.repeat(np.arange(C), n)
        h = (rng.standard_normal((C, d))[groups] + 0.5 * rng.standard_normal((C * n, d))) @ rng.standard_normal((d, d))
        means = np.stack([h[groups == g].mean(axis=0) for g in range(C)])
        left, centred = h - means[groups], means - means.mean(axis=0)
        S_w, S_b = left.T @ left / (C * n - C) + 1e-4 * np.eye(d), centred.T @ centred / (C - 1)
        eigenvalues = np.maximum(scipy.linalg.eigh(S_b, S_w, eigvals_only=True), 0)
        p = eigenvalues / eigenvalues.sum() + EPS
        values.append(lidar(h, groups))
        gaps.append(relative(values[-1], np.exp(-np.sum(p * np.log(p)))))
    return holds_if(largest(gaps) < 1e-9, largest_gap=largest(gaps), lidar=values)


@claim(
    "C43",
    title="Linear CKA in samples and in features; debiased mean 0",
    statement="⟨K, L⟩/(‖K‖‖L‖) of centred Gram matrices is ‖XᵀY‖²/(‖XᵀX‖‖YᵀY‖) of centred features; CKA(X, 2 X Q + 1) "
    "is 1. On independent data (n = 40, d = 30) the debiased CKA has mean 0, where the biased one exceeds 0.3.",
    source="unbiased HSIC: Song et al. 2012",
    kind="numeric",
)
def kernels(run: Run) -> Verdict:
    rng = np.random.default_rng([run.seed, 43])
    n, d, draws = 40, 30, 2000
    gaps, unbiased, biased = [], [], []
    for i in range(draws):
        x, y = rng.standard_normal((2, n, d)) + 1
        unbiased.append(cka(x, y))
        if i < 20:
            biased.append(cka(x, y, debiased=False))
            K, L = (a @ a.T for a in (x, y))
            zeroed = [A - np.diag(np.diag(A)) for A in (K, L)]
            product = lambda A, B: (  # noqa: E731
                np.trace(A @ B) + A.sum() * B.sum() / ((n - 1) * (n - 2)) - 2 / (n - 2) * (A @ B).sum()
            )
            plain = product(*zeroed) / np.sqrt(product(zeroed[0], zeroed[0]) * product(zeroed[1], zeroed[1]))
            H = np.eye(n) - 1 / n
            K, L = H @ K @ H, H @ L @ H
            in_samples = np.sum(K * L) / (np.linalg.norm(K) * np.linalg.norm(L))
            same = cka(x, 2 * x @ rotation(rng, d) + 1), cka(x, 2 * x @ rotation(rng, d) + 1, debiased=False)
            gaps += [abs(unbiased[-1] - plain), abs(biased[-1] - in_samples), *(abs(value - 1) for value in same)]
    mean, deviation = float(np.mean(unbiased)), float(np.std(unbiased))
    return holds_if(
        every([largest(gaps) < 1e-9, abs(mean) < 0.01, least(biased) > 0.3]),
        largest_gap=largest(gaps),
        debiased_mean=mean,
        debiased_deviation=deviation,
        draws=draws,
        biased_mean=float(np.mean(biased)),
    )
