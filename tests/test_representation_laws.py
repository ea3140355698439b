"""Laws of the measures on random instances: what they do not see, how parts merge, where features lie."""

import subprocess
import sys
import textwrap
import tracemalloc

import hypothesis
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from processes import environment

from linbyol.representation import (
    cdnv,
    cka,
    clusters,
    directional_cdnv,
    effective_rank,
    features,
    merge,
    nc1,
    nc2,
    ncc_classify,
    participation_ratio,
    silhouette,
    statistics,
    two_nn,
    uniformity,
    unit_rows,
)

SEEDS = st.integers(0, 2**32 - 1)
FEW = hypothesis.settings(deadline=None, max_examples=25)  # the clock of a busy machine says nothing
MEASURES = (cdnv, directional_cdnv, nc1, lambda h, y: nc1(h, y, form="quotient"), lambda h, y: np.sum(nc2(h, y)))


def instance(seed):
    """Classes of 1 to 30 samples, labels with gaps, more or fewer features than classes."""
    rng = np.random.default_rng(seed)
    C, d = rng.integers(2, 9), rng.integers(1, 12)
    names = rng.choice(np.arange(-50, 50), C, replace=False)
    codes = rng.permutation(np.repeat(np.arange(C), rng.integers(1, 30, C)))
    h = 2 * rng.standard_normal((C, d))[codes] + rng.uniform(0.1, 3) * rng.standard_normal((len(codes), d))
    return rng, h, names[codes]


@FEW
@given(SEEDS)
def test_rotation_shift_scale_and_order_are_not_seen(seed):
    rng, h, labels = instance(seed)
    n, d = h.shape
    Q = np.linalg.qr(rng.standard_normal((d, d)))[0]
    moved = 10 ** rng.uniform(-8, 8) * (h @ Q + 10 * rng.standard_normal(d))
    order = rng.permutation(n)
    renamed = np.array([f"class {label}" for label in labels])
    for measure in MEASURES:
        value = measure(h, labels)
        near = pytest.approx(value, rel=1e-7, abs=1e-10)  # two of nine random means may be as near as 1e-3
        assert measure(moved, labels) == near
        assert measure(h[order], labels[order]) == near
        assert measure(h, renamed) == near
    assert (ncc_classify(h, labels, h[order]) == ncc_classify(moved, labels, moved[order])).all()
    if n > 3:
        assert cka(h, moved) == pytest.approx(1, abs=1e-9) or d == 1
        assert participation_ratio(moved) == pytest.approx(participation_ratio(h), rel=1e-9)
        assert effective_rank(1e-3 * h @ Q) == pytest.approx(effective_rank(h), rel=1e-9)
        assert uniformity(1e3 * h[order] @ Q) == pytest.approx(uniformity(h), rel=1e-9)
    if n >= 10:
        assert two_nn(moved[order]).dimension == pytest.approx(two_nn(h).dimension, rel=1e-4)  # by small differences
    if len(np.unique(labels)) < n:
        assert silhouette(moved[order], renamed[order]) == pytest.approx(silhouette(h, labels), abs=1e-6)


@FEW
@given(SEEDS, st.booleans(), st.sampled_from([0.0, 3000.0, -1e5]), st.sampled_from([1e-7, 1.0, 1e6]))
def test_partial_statistics_merge_in_any_order(seed, narrow, offset, scale):
    """In float32 the features themselves are rounded first; both sides see the same."""
    rng, h, labels = instance(seed)
    h = (scale * (h + offset)).astype(np.float32 if narrow else np.float64)
    exact = h.astype(np.longdouble)
    assignment = rng.integers(0, rng.integers(1, 6), len(h))
    parts = [statistics(h[assignment == g], labels[assignment == g]) for g in np.unique(assignment)]
    found = parts[0]
    for part in parts[1:]:
        found = merge(found, part) if rng.integers(2) else merge(part, found)
    size = np.abs(exact - exact.mean(0)).max()
    tolerance = float(size) * (1e-5 if narrow else 1e-12) + float(np.abs(exact).max()) * 1e-15
    for i, label in enumerate(np.unique(labels)):
        rows = exact[labels == label]
        np.testing.assert_allclose(found.means[i], rows.mean(0).astype(float), rtol=0, atol=tolerance)
        within = float(np.sum((rows - rows.mean(0)) ** 2))
        room = len(rows) * h.shape[1] * tolerance * float(size)
        assert found.within[i] == pytest.approx(within, rel=1e-4 if narrow else 1e-9, abs=room)
        assert found.counts[i] == len(rows)


@FEW
@given(SEEDS)
def test_the_sum_of_all_is_the_parts(seed):
    """`clusters` is what its functions say, one by one."""
    _, h, labels = instance(seed)
    found = clusters(h, labels, h[::2], labels[::2])
    assert found.cdnv == cdnv(h, labels)
    assert found.directional_cdnv == pytest.approx(directional_cdnv(h, labels), rel=1e-12)
    assert found.nc1 == pytest.approx(nc1(h, labels), rel=1e-12)
    predicted = ncc_classify(h, labels, h)
    assert found.ncc_train == np.mean(predicted == labels)
    assert found.ncc == np.mean((predicted == labels)[::2])


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16, jnp.float16, jnp.int32])
def test_types_of_features(rng, dtype):
    """Short floats are summed in float32, whole numbers in float64, as if they had been so all along."""
    h = jnp.asarray(4 * rng.standard_normal((90, 6))).astype(dtype)
    labels = jnp.arange(90) % 4
    plain = np.asarray(h).astype(np.float64)
    for measure in (cdnv, nc1):
        assert measure(h, labels) == pytest.approx(measure(plain, np.asarray(labels)), rel=1e-5)
    assert isinstance(cdnv(h, labels), float)


@pytest.mark.parametrize("spread", [1.0, 1e-3])  # the second takes two passes over each block
def test_features_larger_than_a_limit_stream_from_disk(rng, tmp_path, monkeypatch, spread):
    limit = 2**20
    h = np.lib.format.open_memmap(tmp_path / "h.npy", "w+", np.float32, (4 * limit // 256, 64))
    labels = rng.integers(0, 5, len(h))
    h[:] = rng.standard_normal((5, 64))[labels] + spread * rng.standard_normal(h.shape)
    h.flush()
    expected = clusters(np.array(h), labels)
    kept = np.load(tmp_path / "h.npy", mmap_mode="r")
    monkeypatch.setattr(features, "BLOCK", limit // 64)
    assert kept.nbytes == 4 * limit
    for rows in (kept, unit_rows(kept)):
        tracemalloc.start()
        found = clusters(rows, labels)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < limit
    assert clusters(kept, labels)[:3] == pytest.approx(expected[:3], rel=1e-5)
    assert found.cdnv != pytest.approx(expected.cdnv, rel=1e-3)


def test_features_on_eight_devices():
    code = """
        import jax, numpy as np
        from jax.sharding import NamedSharding, PartitionSpec
        from linbyol.representation import cdnv, merge, statistics
        from linbyol.representation.device_sums import lies_apart
        rng = np.random.default_rng(0)
        labels = np.array(["a", "b", "c"])[np.sort(rng.integers(0, 3, 800))]  # most devices see one class
        h = (np.array([[0, 1, 2]]).T + rng.standard_normal((3, 16)))[np.unique(labels, return_inverse=True)[1]]
        h = (h + rng.standard_normal(h.shape) + 3000).astype(np.float32)
        mesh = jax.make_mesh((8,), ("rows",))
        expected = statistics(h, labels)
        for spec, apart in ((("rows",), True), ((), True), ((None, "rows"), False)):
            x = jax.device_put(h, NamedSharding(mesh, PartitionSpec(*spec)))
            assert lies_apart(x) == apart and len(x.sharding.device_set) == 8
            found = statistics(x, {"y": labels})["y"]
            assert (found.labels == expected.labels).all() and (found.counts == expected.counts).all()
            np.testing.assert_allclose(found.means, expected.means, atol=1e-4, rtol=0)
            np.testing.assert_allclose(found.within, expected.within, rtol=1e-5)
            assert abs(cdnv(x, labels) / cdnv(h, labels) - 1) < 1e-5
    """
    more = {"XLA_FLAGS": "--xla_force_host_platform_device_count=8", "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, "-c", textwrap.dedent(code)]
    run = subprocess.run(command, env=environment() | more, capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, run.stderr
