"""The explorer's script in node: its rates, trajectories and verdicts are those of the library."""

import json
import shutil
import subprocess

import numpy as np
import pytest

from linbyol import cli
from linbyol.equations import Amplitudes, Commuting, Isotropic, Modes, amplitudes_flow, modes_flow
from linbyol.exact import collapses
from linbyol.explorer import explorer
from linbyol.explorer.flows import FLOWS
from linbyol.explorer.page import SCRIPTS
from linbyol.fixed_points import critical_eta, predictor_roots, stability
from linbyol.integrate import integrate

NUMERIC = ("solver.js", "portrait.js", "sentence.js")


@pytest.fixture(scope="module")
def node():
    """Evaluate JavaScript after the parts of the page that draw nothing; `given` is a JSON value; the value back."""
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    page = explorer()
    code = page[page.index("<script>") + len("<script>") : page.index("class CanvasPen")]
    tail = page[page.index("// What becomes of the mode") : page.index("// The state of the page")]
    number = page[page.index("function number(") : page.index("// The plane of (p, s): basin")]

    def run(body, given=None):
        program = f"{code}\n{number}\n{tail}\nconst given = JSON.parse(require('fs').readFileSync(0, 'utf8'));\n"
        program += "const nan = (key, x) => (typeof x === 'number' && !Number.isFinite(x) ? String(x) : x);\n"
        program += f"console.log(JSON.stringify((() => {{ {body} }})(), nan));"
        done = subprocess.run(["node", "-e", program], input=json.dumps(given),
                              capture_output=True, text=True, timeout=120, check=False)  # fmt: skip
        assert done.returncode == 0, done.stderr[-2000:]
        return json.loads(done.stdout)

    return run


def instances(rng, number, kind):
    """Constants of a type as dictionaries: rates and eigenvalues in the ranges of the sliders."""
    ranges = {"alpha_p": (0.2, 5), "beta": (0, 2), "eta": (0, 0.3), "sigma2": (0, 2), "tau": (0.3, 1.5)}
    ranges |= {"alpha": (0.3, 1.5), "kappa": (1, 3), "rho": (0, 0.3), "eps": (0, 0.5), "c": (0, 0.3), "depth": (1, 4)}
    ranges |= {"encoder": (0.3, 2), "predictor": (0.3, 2), "overlap": (0, 2), "lambda_f": (0.5, 1.5)}
    found = []
    for _ in range(number):
        k = {name: rng.uniform(*ranges.get(name, (0.3, 1.2))) for name in kind._fields}
        if "lambda_s" in k:
            k["lambda_s"] = k.get("lambda_d", 1) + rng.uniform(0, 1)
        found.append(k)
    return found


@pytest.mark.parametrize("name", FLOWS)
def test_rates_are_those_of_the_flow(node, name):
    rng, shown = np.random.default_rng(0), FLOWS[name]
    for kind in shown.constants:
        ks = instances(rng, 200, kind)
        ys = [{field: rng.uniform(0.05, 1.5) for field in shown.state._fields} for _ in ks]
        found = node(
            "return given.map(([y, k]) => rates(NAME, y, k));".replace("NAME", repr(name)),
            list(zip(ys, ks, strict=True)),
        )
        for y, k, rate in zip(ys, ks, found, strict=True):
            right = shown.flow(shown.state(**y), kind(**k))._asdict()
            assert rate == pytest.approx(right, rel=1e-12, abs=1e-12)


def test_trajectories_are_those_of_the_integrator(node):
    rng, ts = np.random.default_rng(1), [0.0, 0.5, 3.0, 20.0]
    starts = [{"p": rng.uniform(0, 1), "s": rng.uniform(0.01, 1), "tau": rng.uniform(0, 1.2)} for _ in range(12)]
    ks = instances(rng, 6, Isotropic) + instances(rng, 6, Commuting)
    body = "return given.map(([y, k, ts]) => integrate('modes_flow', y, k, ts));"
    found = node(body, [[y, k, ts] for y, k in zip(starts, ks, strict=True)])
    for y, k, rows in zip(starts, ks, found, strict=True):
        kind = Isotropic if "sigma2" in k else Commuting
        exact = integrate(modes_flow, Modes(**y), kind(**k), ts, solver="dop853", rtol=1e-12, atol=1e-14).ys
        for field in Modes._fields:
            assert [row[field] for row in rows] == pytest.approx(np.asarray(getattr(exact, field)), abs=1e-10)


def test_a_trajectory_goes_back_where_it_came_from(node):
    y, k = {"w": 0.4, "wp": 0.3, "wa": 0.5}, {"alpha_p": 1.3, "beta": 0.4, "eta": 0.05, "sigma2": 0.3}
    there = "integrate('amplitudes', given[0], given[1], [0, 5])[1]"
    body = f"return integrate('amplitudes', {there}, given[1], [5, 0])[1];"
    assert node(body, [y, k]) == pytest.approx(y, abs=1e-9)
    exact = integrate(
        amplitudes_flow, Amplitudes(**y), Isotropic(**k), [0.0, 5.0], solver="dop853", rtol=1e-12, atol=1e-14
    )
    assert node(f"return {there};", [y, k]) == pytest.approx(
        {name: float(x[1]) for name, x in exact.ys._asdict().items()}, abs=1e-10
    )


def test_fixed_points_and_thresholds_are_solved_for(node):
    rng = np.random.default_rng(2)
    ks = [k | {"tau": 1} for k in instances(rng, 40, Commuting)]
    body = "return given.map((k) => [printed.threshold(k).eta, fixedPoints(k, 1)]);"
    found = node(body, ks)
    data = Commuting(*(np.array([k[name] for k in ks]) for name in Commuting._fields))
    assert [threshold for threshold, _ in found] == pytest.approx(np.asarray(critical_eta(data)), rel=1e-13)
    roots = np.stack(predictor_roots(data), axis=-1)
    for (_, points), right in zip(found, roots, strict=True):
        assert [point["p"] for point in points] == pytest.approx(right[np.isfinite(right)], rel=1e-9, abs=1e-12)
    rows = [(i, point) for i, (_, points) in enumerate(found) for point in points]
    at = Modes(np.array([point["p"] for _, point in rows]), np.array([point["s"] for _, point in rows]), 1.0)
    rates = np.asarray(stability(at, Commuting(*(leaf[[i for i, _ in rows]] for leaf in data))))
    assert [point["rates"] for _, point in rows] == pytest.approx(rates.real, rel=1e-9, abs=1e-10)


def test_the_verdict_is_that_of_the_library(node):
    rng = np.random.default_rng(3)
    ks = instances(rng, 150, Commuting)
    ys = [{"p": rng.uniform(-0.6, 1.2), "s": rng.uniform(0, 0.3) ** 2, "tau": 1.0} for _ in ks]
    view = "const view = { p: [-1, 2], s: [0, 1] };"
    body = f"{view} return given.map(([y, k]) => decide(y, k, 1, separatrix(k, 1, view), 20000));"
    found = node(body, list(zip(ys, ks, strict=True)))
    near = 0
    for y, k, said in zip(ys, ks, found, strict=True):
        right = bool(collapses(y["p"], y["s"], Commuting(**k)))
        assert said["verdict"] == ("collapses" if right else "survives"), (y, k, said)
        near += said["condition"] == "separatrix"
    assert near > 30


def test_the_verdict_under_a_moving_target(node):
    """Survives or collapses as the integrated mode does, from targets that are not the encoder."""
    rng = np.random.default_rng(4)
    ks = [k | {"beta": rng.uniform(0.3, 2)} for k in instances(rng, 8, Isotropic)]
    ks = [{name: value for name, value in k.items() if name != "tau"} for k in ks]
    ys = [{"p": rng.uniform(0, 0.5), "s": rng.uniform(0.01, 0.3), "tau": rng.uniform(0, 1)} for _ in ks]
    body = "return given.map(([y, k]) => outcome(y, { ...k, lambda_d: 1, lambda_s: 1 + k.sigma2 }, true, 20000));"
    said = node(body, list(zip(ys, ks, strict=True)))
    assert len(set(said)) == 2
    for y, k, verdict in zip(ys, ks, said, strict=True):
        end = integrate(modes_flow, Modes(**y), Isotropic(**k), [0.0, 400.0], solver="dop853").ys
        assert verdict == ("survives" if float(end.p[-1]) > 0.05 else "collapses")


def test_the_page_is_one_small_file_that_fetches_nothing(tmp_path, capsys):
    path = tmp_path / "explorer.html"
    assert cli.run(["explore", "--out", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["written"] == str(path)
    page = path.read_text()
    assert len(page) < 250_000
    assert "[[" not in page[: page.index("<script>")]
    addresses = {word.split('"')[0] for word in page.split("http")[1:]}
    assert all(word.startswith("://www.w3.org/2000/svg") for word in addresses)
    assert "import(" not in page
    assert "fetch(" not in page
    assert set(NUMERIC) <= set(SCRIPTS)


def test_bad_outputs_are_refused(tmp_path, capsys):
    for words, status, said in (
        (["--out", str(tmp_path / "x.txt")], 2, "Argument `out` must end in .html"),
        (["--out", str(tmp_path / "no" / "x.html")], 3, "cannot be written: there is no folder"),
        (["--out", "-"], 2, "Argument `out` must be a file"),
    ):
        assert cli.run(["explore", *words]) == status
        assert said in capsys.readouterr().err
