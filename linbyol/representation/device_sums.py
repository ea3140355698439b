"""Class statistics where the features lie: each device sums its own rows, and the parts are merged in float64."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from linbyol.checks import InputError
from linbyol.representation.class_statistics import ClassStatistics, merge
from linbyol.representation.features import check_finite, feature_rows, rounding


def lies_apart(h: Any) -> bool:
    """Whether h is an array of JAX that is not simply in this machine's memory: on a GPU, or on several devices."""
    if not isinstance(h, jax.Array) or h.ndim != 2 or not jnp.issubdtype(h.dtype, jnp.floating):
        return False
    platforms = {str(device.platform) for device in h.devices()}
    whole_rows = all(shard.data.shape[1] == h.shape[1] for shard in h.addressable_shards)
    return whole_rows and 0 not in h.shape and (len(h.sharding.device_set) > 1 or platforms != {"cpu"})


def on_devices(h: jax.Array, sets: dict[str, np.ndarray]) -> dict[str, ClassStatistics]:
    """Statistics of every label set; of several hosts, of the rows that this host's devices hold."""
    found: dict[str, ClassStatistics] = {}
    coded = {name: np.unique(column, return_inverse=True) for name, column in sets.items()}
    waiting = []
    for shard in h.addressable_shards:
        if shard.replica_id:
            continue
        rows = shard.index[0]
        for name, (labels, codes) in coded.items():
            present, of_shard = np.unique(codes[rows], return_inverse=True)
            here = jax.device_put(of_shard.astype(np.int32), shard.device)
            waiting.append((name, labels[present], shard, _two_passes(shard.data, here, len(present))))
    for name, labels, shard, sums in waiting:
        first, means, left, squares, counts = (np.asarray(x) for x in sums)
        if not np.isfinite(squares).all():
            check_finite("h", feature_rows("h", shard.data).astype(np.float32), shard.index[0].start or 0)
            raise InputError("Argument `h` must be small enough to be squared, but its squares are not finite.")
        apart = left.astype(float) / counts[:, None]
        within = squares.astype(float) - counts * np.einsum("cd,cd->c", apart, apart)
        part = ClassStatistics(
            labels,
            counts.astype(np.int64),
            first.astype(float) + means + apart,
            np.maximum(within, 0),
            None,
            rounding(h),  # type: ignore[arg-type]
        )
        found[name] = merge(found[name], part) if name in found else part
    return found


def _two_passes(
    h: Float[Array, "n d"], codes: Int[Array, " n"], classes: int
) -> tuple[Float[Array, " d"], Float[Array, "C d"], Float[Array, "C d"], Float[Array, " C"], Int[Array, " C"]]:
    """First row, class means around it, what rounding left of these, squared deviations and counts."""
    return _summed(h, codes, jnp.zeros(classes, h.dtype))


@jax.jit
def _summed(h: Array, codes: Array, like: Array) -> Any:
    h = h.astype(jnp.promote_types(h.dtype, jnp.float32))
    total = lambda x: jax.ops.segment_sum(x, codes, len(like))  # noqa: E731
    counts = total(jnp.ones(len(codes), jnp.int32))
    around = h - h[:1]
    means = total(around) / counts[:, None].astype(h.dtype)
    apart = around - means[codes]
    return h[0], means, total(apart), total(jnp.sum(apart * apart, axis=1)), counts
