"""Losses against five-line NumPy oracles, their splits, their gradients, and the shares of their terms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from linbyol.losses import barlow_twins, byol_cosine, byol_l2, isoloss_cosine, isoloss_l2, nt_xent, vicreg

ROUNDING = 1e-12  # float64, sums of at most a few hundred numbers of order one


@pytest.fixture
def views(key):
    a, b, c = jax.random.split(key, 3)
    z1 = jax.random.normal(a, (11, 5))
    z2 = z1 + 0.3 * jax.random.normal(b, (11, 5))
    A = jax.random.normal(c, (5, 5))
    return z1, z2, (A + A.T) / 2


def oracle_vicreg(z1, z2, convention):
    s, v, c = np.mean(np.sum((z1 - z2) ** 2, 1)), 0, 0
    for z in (z1, z2):
        C = np.cov(z, rowvar=False)
        v += np.mean(np.maximum(0, 1 - np.sqrt(np.diag(C) + 1e-4)))
        c += np.sum(C[~np.eye(len(C), dtype=bool)] ** 2) / len(C)
    return (25 * s, 25 * v, c) if convention == "paper" else (25 * s / z1.shape[1], 25 * v / 2, c)


def oracle_nt_xent(z1, z2, temperature):
    z = np.concatenate([z1, z2]) / np.linalg.norm(np.concatenate([z1, z2]), axis=1, keepdims=True)
    e, n = np.exp(z @ z.T / temperature), len(z)
    losses = [-np.log(e[i, (i + n // 2) % n] / (e[i].sum() - e[i, i])) for i in range(n)]
    return np.mean(losses), -np.mean(np.sum(z[: n // 2] * z[n // 2 :], 1)) / temperature


def oracle_barlow(z1, z2):
    u, v = ((z - z.mean(0)) / np.sqrt(z.var(0) + 1e-5) for z in (z1, z2))
    C = u.T @ v / len(z1)
    off = C[~np.eye(len(C), dtype=bool)]
    return np.sum((1 - np.diag(C)) ** 2), 5e-3 * np.sum(off**2)


def test_every_total_is_the_sum_of_its_terms(views):
    z1, z2, Wp = views
    terms = [byol_l2(z1, z2), byol_cosine(z1, z2), isoloss_l2(z1, z2, Wp), isoloss_cosine(z1, z2, Wp), nt_xent(z1, z2)]
    terms += [vicreg(z1, z2, convention="paper"), vicreg(z1, z2, convention="code"), barlow_twins(z1, z2)]
    for loss in terms:
        assert abs(loss.total - sum(loss[1:])) < ROUNDING * (1 + abs(loss.total)), type(loss).__name__


def test_byol_is_the_squared_distance_and_the_cosine(views):
    p, z, _ = (np.asarray(a) for a in views)
    assert np.isclose(byol_l2(*views[:2]).total, np.mean(np.sum((p - z) ** 2, 1)) / 2, rtol=ROUNDING)
    unit = [a / np.linalg.norm(a, axis=1, keepdims=True) for a in (p, z)]
    assert np.isclose(byol_cosine(*views[:2]).total, np.mean(np.sum((unit[0] - unit[1]) ** 2, 1)), rtol=ROUNDING)


@pytest.mark.parametrize("loss", [byol_l2, byol_cosine])
def test_the_target_has_no_gradient(views, loss):
    z1, z2, _ = views
    assert jnp.all(jax.grad(lambda z: loss(z1, z).total)(z2) == 0)
    assert jnp.max(jnp.abs(jax.grad(lambda p: loss(p, z2).total)(z1))) > 1e-3  # of order 1/b


def test_isoloss_drops_the_leading_predictor_from_the_gradient(views):
    z1, z2, Wp = views
    for plain, mended in ((byol_l2, isoloss_l2), (byol_cosine, isoloss_cosine)):
        through_p = jax.grad(lambda p, f=plain: f(p, z2).total)(z1 @ Wp.T)  # what reaches Wp's output
        at_z = jax.grad(lambda z, f=mended: f(z, z2, Wp).total)(z1)
        assert np.allclose(at_z, through_p, rtol=0, atol=ROUNDING), plain.__name__
        assert not np.allclose(at_z, through_p @ Wp, rtol=0, atol=1e-3)  # the gradient with it is another one


@pytest.mark.parametrize("loss", [isoloss_l2, isoloss_cosine])
def test_isoloss_moves_neither_its_target_nor_its_predictor(views, loss):
    target, predictor = jax.grad(lambda z2, Wp: loss(views[0], z2, Wp).total, argnums=(0, 1))(*views[1:])
    assert not np.any(target)
    assert not np.any(predictor)


def test_isoloss_and_byol_have_the_terms_of_their_definitions(views):
    z1, z2, Wp = (np.asarray(a) for a in views)
    p, rows = z1 @ Wp, lambda a, b: np.sum(a * b, axis=1)
    size, size2 = np.linalg.norm(p, axis=1), np.linalg.norm(z2, axis=1)
    attraction, repulsion = rows(z1, z2) / (size * size2), rows(z1, p) * rows(p, z2) / (size**3 * size2)
    assert np.allclose(isoloss_cosine(*views)[1:], [-2 * attraction.mean(), repulsion.mean()], rtol=ROUNDING)
    for A in (Wp, np.triu(Wp)):  # the value of BYOL's, for any predictor
        expected = np.mean(rows(z1 @ A.T - z2, z1 @ A.T - z2)) / 2
        assert np.isclose(isoloss_l2(*views[:2], jnp.asarray(A)).total, expected, rtol=ROUNDING)
    expected = [np.mean(rows(z1, z1)) / 2, np.mean(rows(z2, z2)) / 2, -np.mean(rows(z1, z2))]
    assert np.allclose(byol_l2(*views[:2])[1:], expected, rtol=ROUNDING)
    cosine = rows(z1, z2) / (np.linalg.norm(z1, axis=1) * size2)
    assert np.allclose(byol_cosine(*views[:2])[1:], [2, -2 * cosine.mean()], rtol=ROUNDING)


def test_weights_of_terms_multiply_them_and_nothing_else(views):
    one = {"invariance": 1.0, "variance": 1.0, "covariance": 1.0}
    wide = {"convention": "paper", "gamma": 1.7, "eps": 0.3}
    bare, heavy = (
        np.array(vicreg(*views[:2], **wide, **w)[1:]) for w in (one, dict(zip(one, (2.0, 3.0, 5.0), strict=True)))
    )
    assert np.allclose(heavy, bare * [2, 3, 5], rtol=ROUNDING)
    variances = np.array([np.var(np.asarray(z), axis=0, ddof=1) for z in views[:2]])
    assert np.isclose(bare[1], np.maximum(0, 1.7 - np.sqrt(variances + 0.3)).mean(axis=1).sum(), rtol=ROUNDING)
    bare, heavy = (barlow_twins(*views[:2], redundancy=r) for r in (1.0, 7.0))
    assert np.isclose(heavy.redundancy, 7 * bare.redundancy, rtol=ROUNDING)
    assert heavy.invariance == bare.invariance


@pytest.mark.parametrize("convention", ["paper", "code"])
def test_vicreg_is_its_oracle(views, convention):
    z1, z2 = (np.asarray(a) for a in views[:2])
    terms = vicreg(*views[:2], convention=convention)
    assert np.allclose(terms[1:], oracle_vicreg(z1, z2, convention), rtol=ROUNDING)


def test_vicreg_has_no_third_convention(views):
    with pytest.raises(ValueError, match=r'`convention` must be "paper" or "code", but is \'lightly\''):
        vicreg(*views[:2], convention="lightly")


@pytest.mark.parametrize(("convention", "share"), [("code", 0.180), ("paper", 0.9905)])
def test_invariance_share_depends_on_the_convention(key, convention, share):
    """Sheet, 1.4: n = 256, d = 512, unit Gaussian embeddings, noise 0.14 on both views: 18.0 % and 99.05 %."""
    a, b, c = jax.random.split(key, 3)
    z = jax.random.normal(a, (256, 512))
    z1, z2 = (z + 0.14 * jax.random.normal(noise, z.shape) for noise in (b, c))
    terms = vicreg(z1, z2, convention=convention)
    # three digits of another draw are printed; a mean of 1e5 squares varies by 0.4 %, so the share by less than 0.002
    assert abs(terms.invariance / terms.total - share) < 2e-3


@pytest.mark.parametrize("temperature", [0.5, 0.07])
def test_nt_xent_is_its_oracle(views, temperature):
    total, alignment = oracle_nt_xent(*(np.asarray(a) for a in views[:2]), temperature)
    terms = nt_xent(*views[:2], temperature=temperature)
    # exponentials of up to 1/0.07 = 14 are summed: relative rounding of the oracle's logarithm, 1e-12 still
    assert np.allclose([terms.total, terms.alignment], [total, alignment], rtol=1e-11)


def test_barlow_twins_is_its_oracle(views):
    z1, z2 = (np.asarray(a) for a in views[:2])
    assert np.allclose(barlow_twins(*views[:2])[1:], oracle_barlow(z1, z2), rtol=ROUNDING, atol=ROUNDING)


def test_identical_whitened_views_cost_barlow_twins_nothing(key):
    z, _ = jnp.linalg.qr(jax.random.normal(key, (40, 6)) - 0.0)
    z, _ = jnp.linalg.qr(z - jnp.mean(z, axis=0, keepdims=True))  # columns centred and orthonormal
    # eps = 0: only rounding is left of (1 - C_ii)² and C_ij²
    assert barlow_twins(z, z, eps=0.0).total < 1e-24


def oracle_cosine(p, z, eps=1e-8):
    """PyTorch's cosine_similarity, and its gradient in p: where a norm is below eps it is a constant."""
    a, b = (np.maximum(np.linalg.norm(x, axis=1, keepdims=True), eps) for x in (p, z))
    cos = np.sum(p * z, axis=1, keepdims=True) / (a * b)
    moves = np.linalg.norm(p, axis=1, keepdims=True) > eps
    return cos[:, 0], z / (a * b) - np.where(moves, cos * p / a**2, 0)


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
def test_rows_of_zeros_have_pytorchs_cosine_and_gradient(views, dtype):
    p, z = (np.array(a, dtype) for a in views[:2])
    p[0], p[1], z[2], p[3], z[3], p[4] = 0, 1e-30 * p[1], 0, 0, 0, 1e-3 * p[4]
    cos, slope = oracle_cosine(p.astype(float), z.astype(float))
    total, found = jax.value_and_grad(lambda p: byol_cosine(p, jnp.asarray(z)).total)(jnp.asarray(p))
    rounding = 50 * np.finfo(dtype).eps
    np.testing.assert_allclose(total, 2 - 2 * cos.mean(), rtol=rounding)
    np.testing.assert_allclose(found, -2 * slope / len(p), rtol=1e3 * rounding, atol=1e-20)  # cos p/‖p‖ cancels in part
    assert np.abs(found[0]).max() > 1e6  # 1/eps: not the silent 0 of a row that cannot learn
    assert np.abs(found[3]).max() == 0


def test_nt_xent_takes_rows_of_zeros_for_orthogonal_to_all(views):
    """Anchor 0 and its partner have no direction: each costs the logarithm of 2b - 1 ones, as all its cosines are 0."""
    z1, z2 = (np.array(a) for a in views[:2])
    z1[0], z2[0] = 0, 0
    z = np.concatenate([z1, z2])
    unit = z / np.maximum(np.linalg.norm(z, axis=1, keepdims=True), 1e-8)
    e, n = np.exp(unit @ unit.T / 0.5), len(z)
    expected = np.mean([np.log((e[i].sum() - e[i, i]) / e[i, (i + n // 2) % n]) for i in range(n)])
    np.testing.assert_allclose(nt_xent(jnp.asarray(z1), jnp.asarray(z2)).total, expected, rtol=ROUNDING)
    assert np.isclose(np.log((e[0].sum() - e[0, 0]) / e[0, n // 2]), np.log(n - 1), rtol=ROUNDING)


@pytest.mark.parametrize("scale", [0.0, 1e-30, 1e-9, 1e-4])
def test_no_loss_of_angles_has_a_row_without_number(views, scale):
    z1, z2, Wp = (jnp.asarray(a, jnp.float32) for a in views)
    losses = [byol_cosine, nt_xent, lambda a, b: isoloss_cosine(a, b, Wp)]
    small = z1.at[0].multiply(scale), z2.at[1].multiply(scale)
    for loss in losses:
        for pair in ((small[0], z2), (z1, small[1]), (scale * z1, scale * z2)):
            value, slopes = jax.value_and_grad(lambda a, b, f=loss: f(a, b).total, argnums=(0, 1))(*pair)
            assert np.isfinite(value)
            assert all(np.isfinite(slope).all() for slope in slopes)
