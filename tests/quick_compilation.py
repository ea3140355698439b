"""XLA leaves out its dear passes: compilation is nine tenths of the tests' time, and this makes it three times shorter.

Marked `optimised`, a test has programs optimised as a user's: one that hangs on last bits or on speed, or one that XLA
gets wrong so: without its fusion emitters at level 0, jaxlib 0.10.1 gave NaN for the gradient of a network of
convolutions under `vmap` (at level 1 it does not, and compiling takes 1.6 times as long).
"""

import os

import jax
import pytest
from jax._src import compiler

QUICK = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}


def known(option):
    """Whether this XLA has the option; where a process is started with one that it has not, it ends."""
    try:
        jax.jit(lambda x: x).lower(0.0).compile(compiler_options=option)
    except jax.errors.JaxRuntimeError:
        return False
    return True


if known(unfused := {"xla_cpu_use_fusion_emitters": False}):
    QUICK |= unfused
FLAGS = " ".join(f"--{name}={str(value).lower()}" for name, value in QUICK.items())  # of processes that tests start

quick, compiled = True, False  # now; whether a program was that an optimised test might find
_options = compiler.get_compile_options


def options(*arguments, **named):
    global compiled
    made = _options(*arguments, **named)
    if quick:
        compiled = True
        made.env_option_overrides = [*made.env_option_overrides, *QUICK.items()]
    return made


compiler.get_compile_options = options


def optimised(item):
    return item.get_closest_marker("optimised") is not None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """Also for what fixtures of modules compile and start."""
    global quick, compiled
    quick = not optimised(item)
    if compiled and not quick:
        jax.clear_caches()
        compiled = False
    with pytest.MonkeyPatch.context() as patch:
        if quick:
            patch.setenv("XLA_FLAGS", f"{FLAGS} {os.environ.get('XLA_FLAGS', '')}".strip())
        return (yield)
