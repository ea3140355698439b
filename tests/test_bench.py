"""The benchmarks measure what they say: on small workloads, with contenders that are known."""

import json

import jax
import numpy as np
import pytest

from experiments.bench import matrices, representation, trajectories
from experiments.bench.contenders import Contender, contenders, numpy_rk4
from experiments.bench.gpu.kernel import in_blocks
from experiments.bench.workload import T1, dop853, relative_error, take, workload
from figures import work_precision
from linbyol.checks import InputError
from linbyol.cli import options
from linbyol.cli.bench import Bench
from linbyol.ensemble import solve_amplitudes
from linbyol.ensemble.solver import TIGHTER
from linbyol.store import plain


def test_the_workload_has_its_ranges():
    y, k = workload(20_000, seed=4)
    for x, low, high in [(k.alpha_p, 0.1, 10), (k.beta, 0.01, 1), (k.eta, 1e-3, 0.1), (k.sigma2, 0, 1), (y.w, 0.05, 1)]:
        assert low <= x.min() < x.max() <= high
    assert np.array_equal(y.w, y.wa)
    assert abs(np.median(k.alpha_p) - 1) < 0.1  # log-uniform: 4 / sqrt(N) of a spread of ln 10
    again, _ = workload(20_000, seed=4)
    assert np.array_equal(again.wp, y.wp)


def test_numpy_rk4_has_order_four():
    y, k = workload(8, seed=6)
    exact = dop853(y, k)
    errors = [relative_error(numpy_rk4(y, k, steps), exact).max() for steps in (4000, 8000)]
    assert abs(np.log2(errors[0] / errors[1]) - 4) < 0.3


def test_times_are_compared_at_an_equal_error():
    points = [{"error_max": e, "microseconds": t} for e, t in [(1e-4, 1.0), (1e-6, 4.0), (1e-8, 16.0)]]
    assert trajectories.at_error(points, 1e-5) == pytest.approx(2.0, rel=1e-12)
    assert trajectories.at_error(points, 1e-6) == pytest.approx(4.0, rel=1e-12)
    assert trajectories.at_error(points, 1.0) == pytest.approx(1.0)  # better than asked, and no faster setting is known
    assert trajectories.at_error(points, 1e-9) is None  # never reached
    assert trajectories.at_error([{"error_max": np.inf, "microseconds": 1.0}], 1e-3) is None


def test_a_measurement_is_json_with_a_picture(tmp_path):
    record = trajectories.measure(64, full=False, only=("linbyol", "NumPy", "torch"), repeats=1)
    assert record["reference_error"] < 1e-9
    ours, rk4, torch = (record["contenders"][i] for i in range(3))
    assert [row["name"] for row in record["contenders"]] == ["linbyol", "NumPy RK4", "torchdiffeq dopri5, batch"]
    assert all(
        point["error_max"] < point["setting"] for point in ours["points"]
    )  # each meets the error it was asked for
    assert ours["microseconds_at_target"] > 0
    assert len(rk4["points"]) == 2
    assert "skipped" in torch or torch["points"]
    record |= {"matrix_flows": []}
    (tmp_path / "bench_cpu.json").write_text(json.dumps(plain(record)))
    drawn = work_precision.data(results=tmp_path)
    assert drawn["names"][0] == "linbyol"
    assert drawn["error"][0].tolist() == [point["error_max"] for point in ours["points"]]
    work_precision.draw(drawn).savefig(tmp_path / "work.png")
    assert (tmp_path / "work.png").stat().st_size > 1000


def test_what_is_missing_is_skipped_with_its_reason():
    absent = Contender("nobody", numpy_rk4, (1.0,), 1, needs="no_such_package")
    assert absent.missing() == "no_such_package is not installed"
    assert len({c.name for c in contenders(full=True)}) == len(contenders(full=True))


def test_matrix_flows_against_scipy_and_their_products():
    (row,) = matrices.measure([6], repeats=1)
    assert row["n"] == 12
    assert max(row["rk45_difference"], row["dop853_difference"]) < 1e-5  # both at rtol 1e-6
    assert row["diffrax_difference"] < 1e-12  # the same method at the same tolerances
    assert min(row["times_rk45"], row["times_dop853"], row["times_diffrax"]) > 0
    assert row["times_products"] > 0
    assert row["evaluations"] == 6 * row["steps"] + 2
    y, k = matrices.problem(6)
    E, EW = matrices.products(y, k)
    assert E.shape == y.W.shape
    assert EW.shape == y.Wp.shape


def test_the_gpu_kernel_is_the_engine():
    """Interpreted on the CPU: the block's lanes end where the engine's do."""
    y, k = workload(128, seed=9)
    exact = dop853(take(y, slice(16)), take(k, slice(16)))
    ours, steps = in_blocks(*jax.device_put((y, k)), np.float64(1e-7), block=64)
    assert relative_error([leaf[:16] for leaf in ours], exact).max() < 1e-6  # ten times rtol
    engine = solve_amplitudes(y, k, T1, rtol=1e-7 / TIGHTER, atol=1e-13 / TIGHTER)
    same = np.asarray(steps == engine.steps)  # not those that it solved again, tighter
    assert same.mean() > 0.8
    assert max(np.abs(a / b - 1)[same].max() for a, b in zip(ours, engine.y, strict=True)) < 1e-10


def test_the_command_refuses_in_a_sentence():
    with pytest.raises(InputError, match="`trajectories` must be at least 1, but is 0"):
        options.checked(Bench(trajectories=0))
    with pytest.raises(InputError, match=r"`only` must be one of linbyol, .*, but is 'nobody'"):
        Bench(trajectories=8, only=(("nobody",),)).run()


def test_the_command_writes_its_record(tmp_path, capsys):
    out = tmp_path / "bench.json"
    plot = tmp_path / "bench.pdf"
    assert Bench(trajectories=32, only=(("linbyol",),), quick=True, out=out, plot=plot, json=True).run() == 0
    assert plot.read_bytes().startswith(b"%PDF")
    record = json.loads(out.read_text())
    assert record == json.loads(capsys.readouterr().out)
    assert record["environment"]["versions"]["jax"] == jax.__version__
    assert record["environment"]["date"] in work_precision.numbers(record)["measured"]
    assert Bench(trajectories=32, only=(("linbyol",),), quick=True).run() == 0
    assert "linbyol" in capsys.readouterr().out


def test_measures_of_representations_are_timed_against_others(monkeypatch, capsys, tmp_path):
    small = {"samples": 400, "features": 64, "classes": 8, "growth": (100, 200)}
    monkeypatch.setattr(representation, "QUICK", small)
    assert Bench(representation=True, quick=True, out=tmp_path / "bench.json", json=True).run() == 0
    record = json.loads(capsys.readouterr().out)
    assert record == json.loads((tmp_path / "bench.json").read_text())
    assert record["agreement"] < 1e-5  # float32
    assert set(record["seconds"]) == {"clusters", "scikit-learn NearestCentroid", "NumPy CDNV"}
    assert record["times_faster"] > 0
    assert record["blas_threads"] >= 1
    assert record["memory_over_features"] > 1
    assert [row["samples"] for row in record["growth"]] == [100, 200]
    assert dict(Bench(representation=True, plot=tmp_path / "a.png").idle())["plot"] == "beside --representation"
