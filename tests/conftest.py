"""Tests run in float64 and in JAX's strict modes; warnings are errors (pyproject.toml)."""

import os
import signal
from types import SimpleNamespace

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in the background of a shell
    signal.signal(signal.SIGINT, signal.default_int_handler)

os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import numpy as np
import pytest
import tyro._unsafe_cache
from quick_compilation import optimised, pytest_runtest_protocol  # noqa: F401

from linbyol.machine import collect_seldom

collect_seldom()

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_numpy_dtype_promotion", "standard")

READERS = {f"test_{what}.py" for what in ("layers", "words", "origins", "claim_ids", "claim_checks", "usage", "readme")}


def pytest_collection_modifyitems(items):
    """Sources are read first, for a slip to fail in the first minute; then come optimised programs, which quick ones
    cannot replace."""
    dear = {item.path for item in items if optimised(item)}
    items.sort(key=lambda item: (item.path.name not in READERS, item.path not in dear, item.path, not optimised(item)))


@pytest.fixture
def key():
    return jax.random.key(20210216)


@pytest.fixture
def rng():
    return np.random.default_rng(7)


@pytest.fixture(autouse=True)
def parsed_afresh(monkeypatch):
    """tyro remembers objects by their ids, which a later test's may have. Where pytest is there it computes one in ten
    again and asserts that they are equal or print alike, which two of its own parsers are not: an error at random."""
    monkeypatch.setattr(tyro._unsafe_cache, "sys", SimpleNamespace(modules={}))
    yield
    tyro._unsafe_cache.clear_cache()
