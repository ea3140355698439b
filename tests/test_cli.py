"""The command line as a stranger meets it: exit status, one sentence on standard error, files whole or not at all."""

import json
import re
import shlex
import shutil
import subprocess
import sys
import time
from contextlib import suppress

import numpy as np
import pytest

from linbyol import cli
from linbyol.cli import options
from linbyol.equations import DeepMode
from linbyol.exact import jepa_time, mae_time
from linbyol.store import FileError


def call(*arguments, capsys=None):
    """Exit status, standard output and standard error of one call inside this process."""
    try:
        code = cli.run(list(arguments))
    except SystemExit as stop:
        code = stop.code
    out, err = capsys.readouterr()
    return code, out, err


def test_help_is_quick_and_loads_nothing_heavy():
    probe = (
        "import sys; from linbyol import cli\n"
        "try: cli.run(['--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted({'jax', 'numpy', 'sympy', 'jaxtyping', 'matplotlib', 'scipy'} & set(sys.modules)))"
    )
    start = time.perf_counter()
    result = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert time.perf_counter() - start < 10  # not a benchmark: a hang would show
    assert result.stdout.splitlines()[-1] == "[]"
    assert "simulate" in result.stdout


@pytest.mark.parametrize("verb", cli.VERBS)
def test_every_verb_has_help_with_an_example_that_can_be_typed(verb, capsys, monkeypatch):
    """And so has each of its subcommands; the example passes the parser and the gate of the options, and is not run."""
    monkeypatch.setenv("COLUMNS", "200")  # no line is wrapped
    monkeypatch.setattr(cli, "guarded", lambda command: taken.append(command) or 0)
    taken, names = [], [(verb,)]
    for name in names:
        code, out, _ = call(*name, "--help", capsys=capsys)
        assert code == 0
        if under := re.match(rf"usage: linbyol {verb} \[-h\] \{{([\w,-]+)\}}", out):
            names += [(verb, word) for word in under[1].split(",")]
        [example] = [line.strip() for line in out.splitlines() if line.startswith("Example: ")]
        assert example.startswith(" ".join(["Example: linbyol", *name]))
        assert call(*shlex.split(example)[2:], capsys=capsys) == (0, "", "")
        command = taken.pop()
        command = getattr(command, "what", command)
        with suppress(FileError):  # a file of the user's own, which is not here
            assert options.checked(command) == command
    assert len(names) >= (4 if verb == "data" else 1)


def test_version_names_jax_and_device(capsys):
    code, out, _ = call("--version", capsys=capsys)
    assert code == 0
    assert out.startswith("linbyol 0.")
    assert "jaxlib" in out
    assert "cpu" in out


def test_a_shell_completes_verbs_and_options(tmp_path):
    script = subprocess.run(
        [sys.executable, "-m", "linbyol", "--tyro-print-completion", "bash"], capture_output=True, text=True, check=True
    ).stdout
    (tmp_path / "completion.bash").write_text(script)
    for words, expected in (("linbyol ex", "explain explore"), ("linbyol figure --fa", "--fast")):
        *_, last = words.split()
        ask = (
            f"source {tmp_path / 'completion.bash'}; f=$(complete -p linbyol | sed 's/.*-F \\([^ ]*\\).*/\\1/')\n"
            f"COMP_WORDS=({words}); COMP_CWORD={len(words.split()) - 1}; $f linbyol {last} x; echo ${{COMPREPLY[@]}}"
        )
        found = subprocess.run(["bash", "-c", ask], capture_output=True, text=True, check=True)
        assert found.stdout.split() == expected.split(), found.stderr


def test_the_module_is_the_command():
    result = subprocess.run([sys.executable, "-m", "linbyol", "--version"], capture_output=True, text=True, check=True)
    assert result.stdout.startswith("linbyol ")


@pytest.mark.parametrize("flow", ["weights", "symmetric", "modes", "amplitudes", "jepa", "mae", "sigreg"])
def test_simulate_writes_the_same_bytes_for_the_same_seed(flow, tmp_path, capsys):
    first, second = tmp_path / "a.npz", tmp_path / "b.npz"
    for path in (first, second):
        assert call("simulate", flow, "--t1", "5", "--points", "6", "--out", str(path), capsys=capsys)[0] == 0
    assert first.read_bytes() == second.read_bytes()
    with np.load(first) as arrays:
        assert arrays["ts"].shape == (6,)
        assert arrays["ok"]
        assert json.loads(str(arrays["config"]))["flow"] == flow
    beside = json.loads(first.with_suffix(".json").read_text())
    assert beside["seconds"] > 0
    assert "jax" in beside["environment"]["versions"]


def test_simulate_goes_on_from_a_saved_state(tmp_path, capsys):
    """Two halves are the whole: the last state of one run is the first of the next."""
    common = ["--points", "3", "--rtol", "1e-10", "--atol", "1e-12", "--json"]
    code, out, _ = call("simulate", "modes", "--t1", "10", *common, capsys=capsys)
    assert code == 0
    whole = json.loads(out)["final"]
    code, out, _ = call("simulate", "modes", "--t1", "5", *common, capsys=capsys)
    np.savez(tmp_path / "half.npz", **{name: np.array(value) for name, value in json.loads(out)["final"].items()})
    code, out, _ = call("simulate", "modes", "--t1", "5", "--init", str(tmp_path / "half.npz"), *common, capsys=capsys)
    assert np.allclose(json.loads(out)["final"]["p"], whole["p"], atol=1e-8)


@pytest.mark.parametrize(("flow", "t1"), [("jepa", 20.0), ("mae", 3.0)])
def test_simulate_follows_a_layer_of_a_deep_mode(flow, t1, tmp_path, capsys):
    """To the time that the closed form has for where it arrives."""
    start, words = np.array([0.2, 0.3]), ["--depth", "2", "--lambda-d", "0.8", "1", "--lambda-s", "0.9", "2"]
    np.savez(tmp_path / "w.npz", w=start)
    arguments = ["--eta", "0", "--t1", str(t1), "--init", str(tmp_path / "w.npz"), "--json", *words]
    code, out, _ = call("simulate", flow, *arguments, capsys=capsys)
    assert code == 0
    k = DeepMode(np.array([0.8, 1.0]), np.array([0.9, 2.0]), 2)
    time = {"jepa": jepa_time, "mae": mae_time}[flow](np.array(json.loads(out)["final"]["w"]), start, k)
    assert np.allclose(time, t1, rtol=1e-6)


@pytest.mark.parametrize("flow", ["sigreg", "bhep", "vicreg"])
def test_simulate_brings_features_to_where_explain_has_them(flow, tmp_path, capsys):
    """And a mode of VICReg from nu0 = 0.01 has √nu = a/b + (√nu0 - a/b) exp(-b t), a = 2Mλ_s/d, b = 4Λσ²."""
    data = ["--lambda-d", "0.9", "0.2", "--lambda-s", "1", "1", "--mu", "0.5", "--a", "0.7"]
    np.savez(tmp_path / "nu.npz", nu=np.array(0.01))
    start, common = ["--init", str(tmp_path / "nu.npz")], ["--eta", "0", "--json"]
    code, out, _ = call("simulate", flow, *start, *data, *common, "--t1", "200", capsys=capsys)
    assert code == 0
    _, told, _ = call("explain", flow, *data, "--nu", "0.01", *common, capsys=capsys)
    assert np.allclose(json.loads(out)["final"]["nu"], json.loads(told)["nu"], atol=1e-7)
    if flow == "vicreg":
        _, out, _ = call("simulate", flow, *start, *data, *common, "--t1", "2", capsys=capsys)
        a, b = 0.5, 4 * 0.7 * np.array([0.1, 0.8])
        root = a / b + (0.1 - a / b) * np.exp(-2 * b)
        assert np.allclose(json.loads(out)["final"]["nu"], np.minimum(root, 1) ** 2, atol=1e-7)
        np.savez(tmp_path / "nu.npz", nu=np.array(1.2))
        code, _, err = call("simulate", flow, *start, *data, *common, capsys=capsys)
        assert (code, "argument `nu` must be at most 1 - eps = 1, but is 1.2." in err) == (3, True)
        assert call("simulate", flow, "--eps", "1", capsys=capsys)[0] == 2


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
def test_simulate_plots(suffix, tmp_path, capsys):
    picture = tmp_path / f"plot.{suffix}"
    arguments = ("simulate", "weights", "--t1", "5", "--points", "6", "--plot", str(picture))
    assert call(*arguments, capsys=capsys)[0] == 0
    assert picture.stat().st_size > 1000


def test_simulate_takes_commuting_data_and_moments(tmp_path, capsys):
    code, out, _ = call(
        *("simulate", "amplitudes", "--lambda-d", "1", "0.8", "--lambda-s", "1.1", "1.0"),
        *("--t1", "5", "--json"),
        capsys=capsys,
    )
    assert code == 0
    assert len(json.loads(out)["final"]["w"]) == 2
    np.savez(tmp_path / "m.npz", X=np.eye(3), X_aug=0.1 * np.eye(3))
    code, out, _ = call(
        *("simulate", "weights", "--moments", str(tmp_path / "m.npz"), "--d", "2", "--t1", "5", "--json"),
        capsys=capsys,
    )
    assert np.shape(json.loads(out)["final"]["W"]) == (2, 3)


@pytest.mark.parametrize("variant", ["simsiam", "no-stop-gradient", "no-predictor", "held-target"])
def test_simulate_runs_every_variant(variant, capsys):
    code, out, _ = call("simulate", "weights", "--variant", variant, "--t1", "5", "--json", capsys=capsys)
    assert code == 0
    assert json.loads(out)["ok"]


def test_simulate_sets_the_predictor_by_a_rule(capsys):
    """Under NE a mode ends at λ_s s = 1 - √(1 - p₊/ρ), λ_d = 1, λ_s = 1.25, η = 0.05."""
    options = ("--rule", "nash", "--variant", "simsiam", "--eta", "0.05", "--lambda-d", "1", "--lambda-s", "1.25")
    code, out, _ = call("simulate", "modes", *options, "--t1", "300", "--points", "2", "--json", capsys=capsys)
    final = json.loads(out)["final"]
    assert code == 0
    assert abs(1.25 * final["s"][0] - 0.7411809549) < 1e-6
    assert abs(final["p"][0] - 0.7464101615) < 1e-6  # (1 + √0.75)/2.5


REFUSED = {
    ("simulate", "modes", "--rule", "nash", "--alpha-p", "2"): (2, "Argument `alpha_p` has no effect beside --rule"),
    ("simulate", "modes", "--eta", "-1"): (2, "Argument `eta` must be at least 0, but is -1."),
    ("simulate", "weights", "--sigma2", "-0.3"): (2, "Argument `sigma2` must be at least 0, but is -0.3."),
    ("simulate", "modes", "--eta", "nan"): (2, "Argument `eta` must be finite, but is nan."),
    ("simulate", "modes", "--t1", "0"): (2, "Argument `t1` must be positive, but is 0."),
    ("simulate", "modes", "--points", "1"): (2, "Argument `points` must be at least 2, but is 1."),
    ("simulate", "modes", "--solver", "rk4"): (2, "Argument `solver` must be one of tsit5, dopri8, kvaerno5, dop853"),
    ("simulate", "modes", "--d", "0"): (2, "Argument `d` must be at least 1, but is 0."),
    ("simulate", "modes", "--moments", "m.npz"): (2, "Argument `moments` has no effect for modes, only for weights."),
    ("simulate", "modes", "--sigma2", "1", "--lambda-d", "1"): (2, "describe the data twice; give one of them."),
    ("simulate", "modes", "--lambda-d", "1", "2", "--lambda-s", "3"): (2, "must give one number a mode each"),
    ("simulate", "weights", "--tau", "0.5"): (2, "Argument `tau` has no effect for weights"),
    ("simulate", "weights", "--moments", "nowhere.npz"): (3, "File nowhere.npz cannot be read: No such file"),
    ("simulate", "modes", "--init", "nowhere.npz"): (3, "File nowhere.npz cannot be read: No such file"),
    ("simulate", "modes", "--plot", "a.gif"): (2, "Argument `plot` must end in .png, .pdf, .svg, but is a.gif."),
    ("simulate", "modes", "--t1", "1", "--out", "nowhere/a.npz"): (
        3,
        "File nowhere/a.npz cannot be written: there is no folder",
    ),
    ("prove", "--only", "B500"): (2, "Argument `only` names no claim 'B500'"),
    ("reproduce", "--only", "B5x"): (2, "Argument `only` names no claim 'B5x'; did you mean"),
    ("figure", "fig99"): (2, "Argument `names` must be one of"),
    ("figure", "basins", "--out", "a.png"): (
        2,
        "Argument `out` must be a folder, for NAME.pdf, .png and .csv, but is ",
    ),
}


@pytest.mark.parametrize("arguments", REFUSED, ids=" ".join)
def test_bad_input_is_one_sentence_and_nothing_is_written(arguments, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    expected, sentence = REFUSED[arguments]
    code, out, err = call(*arguments, capsys=capsys)
    assert code == expected
    assert sentence in err
    assert err.count("\n") == 1
    assert out == ""
    assert list(tmp_path.iterdir()) == []


def test_usage_errors_exit_2(capsys):
    assert call("simulate", "nothing", capsys=capsys)[0] == 2
    assert call("simulate", "modes", "--nonsense", capsys=capsys)[0] == 2


def test_simulate_goes_over_to_a_compiled_solver_where_scipy_would_be_slow(capsys, monkeypatch):
    arguments = ("simulate", "modes", "--d", "2", "--t1", "300", "--rtol", "1e-10", "--json")
    quick = json.loads(call(*arguments, capsys=capsys)[1])
    monkeypatch.setattr("linbyol.cli.simulate.FEW", 5)
    compiled = json.loads(call(*arguments, capsys=capsys)[1])
    assert 5 < quick["steps"] < compiled["steps"]
    assert (quick["solver"], compiled["solver"]) == ("dop853", "tsit5")
    assert compiled["final"]["p"] == pytest.approx(quick["final"]["p"], rel=1e-8)


def test_a_solve_that_blows_up_exits_4(tmp_path, capsys):
    np.savez(tmp_path / "y.npz", w=[1e200], wp=[-1e200], wa=[1e200])
    code, _, err = call("simulate", "amplitudes", "--init", str(tmp_path / "y.npz"), "--t1", "5", capsys=capsys)
    assert code == 4
    assert "Integration stopped at t =" in err


def test_a_damaged_archive_exits_3(tmp_path, capsys):
    path = tmp_path / "m.npz"
    np.savez(path, X=np.eye(30), X_aug=np.eye(30))
    whole = path.read_bytes()
    for content in (b"", whole[:100], whole[:300] + bytes([whole[300] ^ 255]) + whole[301:], b"not an archive"):
        path.write_bytes(content)
        code, _, err = call("simulate", "weights", "--moments", str(path), capsys=capsys)
        assert code == 3
        assert err.count("\n") == 1
    np.savez(path, X=np.eye(3))
    code, _, err = call("simulate", "weights", "--moments", str(path), capsys=capsys)
    assert (code, "must hold the array `X_aug`" in err) == (3, True)


def test_prove_one_statement_as_json(capsys):
    code, out, _ = call("prove", "--only", "B5", "--json", capsys=capsys)
    assert code == 0
    (row,) = json.loads(out)["claims"]
    assert (row["id"], row["verdict"], row["expected"]) == ("B5", "holds", "holds")
    assert set(row) >= {"title", "statement", "source", "kind", "numbers", "seeds", "seconds"}


def test_reproduce_lists_without_running(capsys):
    code, out, _ = call("reproduce", "--list", "--json", capsys=capsys)
    assert code == 0
    rows = json.loads(out)["claims"]
    assert {"B1", "B5", "B11", "B21", "B137", "L1"} <= {row["id"] for row in rows}
    assert all("verdict" not in row for row in rows)


def test_reproduce_runs_some_claims(tmp_path, capsys):
    code, out, _ = call("reproduce", "--only", "B20", "B33", "--out", str(tmp_path), capsys=capsys)
    assert code == 0
    assert "2 claims" in out
    record = json.loads((tmp_path / "claims.json").read_text())
    assert [row["id"] for row in record["claims"]] == ["B20", "B33"]
    assert record["environment"]["x64"] is True


def test_exit_status_follows_the_verdicts():
    from linbyol.claims import Claim, Result, Verdict
    from linbyol.cli.table import status

    def result(expected, verdict, crashed=False):
        claim = Claim("L0", "", "", "", "numeric", expected, lambda run: None)
        return Result(claim, Verdict(verdict, crashed=crashed))

    assert status([result("holds", "holds"), result("fails", "fails"), result("open", "fails")]) == 0
    assert status([result("holds", "undecided"), result("fails", "not run")]) == 0
    assert status([result("holds", "fails")]) == 1
    assert status([result("fails", "holds")]) == 1
    assert status([result("holds", "undecided", crashed=True)]) == 4


def test_a_check_that_breaks_is_no_verdict():
    from linbyol.claims import Claim

    verdict = Claim("L0", "", "", "", "numeric", "fails", lambda run: 1 / 0)()
    assert (verdict.verdict, verdict.crashed) == ("undecided", True)
    assert "ZeroDivisionError" in verdict.note


def wait_for(path, seconds=60):
    end = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < end, f"{path} did not come"
        time.sleep(0.05)
    time.sleep(0.5)


def test_interrupted_reproduce_leaves_no_half_written_file(tmp_path):
    import signal

    for number, code in [(signal.SIGINT, 130), (signal.SIGTERM, 143)]:
        shutil.rmtree(tmp_path)
        process = subprocess.Popen(
            [sys.executable, "-m", "linbyol", "reproduce", "--out", str(tmp_path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        wait_for(tmp_path / "arrays")
        process.send_signal(number)
        process.communicate(timeout=60)
        assert process.returncode == code
        assert {path.name for path in tmp_path.iterdir()} <= {"arrays", "kept"}
        assert not list(tmp_path.rglob(".*"))
        for path in (tmp_path / "kept").glob("*"):
            assert json.loads(path.read_text())["content"]["verdict"] in ("holds", "fails")


def test_doctor_finds_this_machine_healthy(capsys):
    code, out, _ = call("doctor", "--json", capsys=capsys)
    report = json.loads(out)
    assert code == 0
    assert report["ok"]
    assert {check["thread"] for check in report["checks"]} >= {"jax-ml/jax#39103", "jax-ml/jax#40633"}


def test_doctor_names_the_fault_of_a_bad_release(monkeypatch, capsys):
    import jax

    from linbyol import doctor

    honest = jax.vmap
    monkeypatch.setattr(doctor.jax, "vmap", lambda f: lambda rows: 1.001 * honest(f)(rows))
    code, out, _ = call("doctor", capsys=capsys)
    assert code == 4
    assert "FAIL jit(vmap(matrix @ row)) and a sum: 20000 of 20000 rows wrong (jax-ml/jax#39103)" in out


def test_verbs_that_need_the_tree_say_so(tmp_path, monkeypatch, capsys):
    import linbyol

    monkeypatch.setattr(linbyol, "__file__", str(tmp_path / "linbyol" / "__init__.py"))
    for verb in (["prove"], ["reproduce"], ["figure"], ["data", "list"], ["data", "fetch", "cifar10"]):
        code, _, err = call(*verb, capsys=capsys)
        assert code == 2
        assert err.startswith("linbyol: This installation of linbyol lacks theory, experiments, figures;")


def test_data_moments_feed_simulate(tmp_path, capsys):
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "images.npz", images=rng.integers(0, 255, (60, 5, 5), dtype=np.uint8))
    arguments = ("data", "moments", str(tmp_path / "images.npz"), "--views", "4", "--json")
    outputs = [tmp_path / "a.npz", tmp_path / "b.npz"]
    for path in outputs:
        code, out, _ = call(*arguments, "-o", str(path), capsys=capsys)
        assert code == 0
    assert outputs[0].read_bytes() == outputs[1].read_bytes()
    assert json.loads(out)["n"] == 25
    assert json.loads(outputs[0].with_suffix(".json").read_text())["environment"]["versions"]["jax"]
    run = ("simulate", "weights", "--moments", str(outputs[0]), "--t1", "2", "--json")
    assert call(*run, capsys=capsys)[0] == 0


@pytest.mark.parametrize(
    ("array", "sentence"),
    [
        (np.full((4, 3, 3), np.nan), "must be finite"),
        (np.zeros((4, 3)), "must have shape (N, h, w) or (N, h, w, c)"),
        (np.zeros((0, 3, 3)), "none of them 0"),
        (np.array(["a", "b"]), "must be real numbers"),
    ],
)
def test_bad_images_exit_3_and_write_nothing(array, sentence, tmp_path, capsys):
    np.savez(tmp_path / "images.npz", images=array)
    code, out, err = call(
        *("data", "moments", str(tmp_path / "images.npz"), "-o", str(tmp_path / "m.npz")), capsys=capsys
    )
    assert (code, out) == (3, "")
    assert sentence in err
    assert err.count("\n") == 1
    assert not (tmp_path / "m.npz").exists()


def test_phase_diagram_has_its_axes_in_place(tmp_path, capsys):
    """Rows are the vertical constant: on the parabola a mode survives exactly where p0 > p_minus."""
    out, picture = tmp_path / "phase.npz", tmp_path / "phase.png"
    arguments = ("phase", "--x", "eta", "0.01", "0.15", "--y", "sigma2", "0", "3", "--points", "7", "5", "--p0", "0.06")
    code, printed, _ = call(*arguments, "--out", str(out), "--plot", str(picture), capsys=capsys)
    assert code == 0
    assert "35 points" in printed
    with np.load(out) as arrays:
        eta, sigma2 = np.meshgrid(arrays["eta"], arrays["sigma2"])
        D = 1 - 4 * eta * (1 + sigma2)
        p_minus = (1 - np.sqrt(np.maximum(D, 0))) / (2 * (1 + sigma2))
        assert arrays["verdict"].shape == (5, 7)
        assert ((arrays["verdict"] == 1) == ((D >= 0) & (p_minus < 0.06))).all()
        assert np.isinf(arrays["escape_time"][arrays["verdict"] == 0]).all()
    assert picture.stat().st_size > 1000


PHASE_REFUSED = {
    ("phase", "--x", "gamma", "0", "1"): "Argument `x` must be one of alpha_p, beta, eta, tau, sigma2, but is 'gamma'.",
    ("phase", "--x", "eta", "0", "1", "--y", "eta", "0", "1"): "must name two constants, but both name eta.",
    ("phase", "--points", "0", "10"): "Argument `points` must be at least 2, but is 0.",
    ("phase", "--x", "eta", "0", "1", "--log", "x"): "A logarithmic axis needs positive values",
    ("phase", "--x", "eta", "-1", "1"): "Argument `eta` must be at least 0, but is -1.",
    (
        "phase",
        "--lambda-d",
        "1",
    ): "Argument `y` must be one of alpha_p, beta, eta, tau, lambda_d, lambda_s, but is",
    ("explain", "--sigma2", "1", "--lambda-d", "1"): "describe the data twice; give one of them.",
    ("explain", "--s", "-1"): "Argument `s` must be at least 0, but is -1.",
    ("explain", "--eta", "-1"): "Argument `eta` must be at least 0, but is -1.",
}


@pytest.mark.parametrize("arguments", PHASE_REFUSED, ids=" ".join)
def test_bad_settings_of_phase_and_explain(arguments, capsys):
    code, out, err = call(*arguments, capsys=capsys)
    assert (code, out) == (2, "")
    assert PHASE_REFUSED[arguments] in err
    assert err.count("\n") == 1


def test_explain_names_the_inequality(capsys):
    code, out, _ = call("explain", "--eta", "0.3", "--simsiam", capsys=capsys)
    assert code == 0
    assert out.startswith("It collapses: eta = 0.3 > eta_c = λ_d²/(4 λ_s) = 0.2")
    assert "eta below 0.0875" in out  # on the parabola p_minus = 0.1 at eta = p (1 - kappa p)
    code, out, _ = call("explain", "--p", "0.3", "--s", "0.1", "--simsiam", "--json", capsys=capsys)
    assert json.loads(out)["survives"] is True


def test_fit_reads_what_simulate_wrote(tmp_path, capsys):
    path = str(tmp_path / "modes.npz")
    options = ("--d", "3", "--t1", "80", "--points", "81", "--eta", "0.03", "--sigma2", "0.4", "--alpha-p", "1.5")
    assert call("simulate", "modes", *options, "--out", path, capsys=capsys)[0] == 0
    code, out, _ = call("fit", path, "--json", capsys=capsys)
    assert code == 0
    found = json.loads(out)["constants"]
    for name, truth in (("eta", 0.03), ("sigma2", 0.4), ("alpha_p", 1.5), ("beta", 0.4)):
        assert np.isclose(found[name]["estimate"], truth, rtol=1e-4)
    code, out, _ = call("fit", path, capsys=capsys)
    assert "±" in out
