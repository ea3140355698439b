"""`linbyol analyze`: the numbers by independent programs, the page, the picture, and what a stranger types wrongly."""

import json
import re
from contextlib import nullcontext
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.metrics import silhouette_score
from sklearn.neighbors import NearestCentroid

from linbyol import cli
from linbyol.embeddings.analysis import analyse
from linbyol.embeddings.collect import load
from linbyol.embeddings.measures import TITLES
from linbyol.embeddings.words import compact, digits

DIGITS = load_digits()
PIXELS = DIGITS.data[:, np.argsort(-DIGITS.data.std(axis=0))[:16]]  # of most contrast; one width is compiled once
X, Y = PIXELS[:300], DIGITS.target[:300]
T, TY = PIXELS[300:400], DIGITS.target[300:400]


def command(*words, capsys):
    code = cli.run(["analyze", *map(str, words)])
    out, err = capsys.readouterr()
    return code, out, err


def projection():
    return np.random.default_rng(6).normal(size=(16, 16))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Digits at two epochs: pixels, and a projection, which falls to a point; in another order of ids at the second."""
    path, rng = tmp_path_factory.mktemp("features"), np.random.default_rng(5)
    P = projection()
    for epoch in (0, 5):
        arrays = {}
        for split, x, y in (("train", X, Y), ("test", T, TY)):
            order = rng.permutation(len(x)) if epoch else np.arange(len(x))
            h = {"block1/h": x[order], "block2/h": 1 + 1e-5 * x[order] if epoch else (x @ P)[order]}
            arrays |= {f"{split}/{name}": value for name, value in h.items()}
            arrays |= {f"{split}/ids": order + 1000 * (split == "test"), f"{split}/labels": y[order]}
            arrays[f"{split}/labels/parity"] = np.array(["even", "odd"])[y[order] % 2]
        np.savez(path / f"epoch-{epoch}.npz", **arrays)
    return path


@pytest.fixture(scope="module")
def record(folder):
    """What one call writes."""
    out = folder / "out"
    assert cli.run(["analyze", str(folder / "epoch-0.npz"), str(folder / "epoch-5.npz"), "-o", str(out)]) == 0
    return json.loads((out / "analysis.json").read_text())


def number(record, measure, layer="block1/h", epoch=0, labels="labels"):
    key = ("layer", "epoch", "labels", "measure")
    (found,) = [r for r in record["measures"] if tuple(r[k] for k in key) == (layer, epoch, labels, measure)]
    return found


def test_numbers_are_those_of_independent_programs(record):
    centroid = NearestCentroid().fit(X, Y)
    for name, (x, y) in {"ncc_train": (X, Y), "ncc": (T, TY)}.items():
        found, expected = number(record, name), centroid.score(x, y)
        assert found["value"] == pytest.approx(expected, abs=1e-12)
        assert found["error"] == pytest.approx(np.sqrt(expected * (1 - expected) / len(x)), rel=1e-9)
    sigma = np.linalg.svd(X, compute_uv=False)
    p = sigma / sigma.sum() + 1e-7
    rank = number(record, "rankme", labels=None)
    assert rank["value"] == pytest.approx(np.exp(-np.sum(p * np.log(p))), rel=1e-9)
    assert number(record, "silhouette")["value"] == pytest.approx(silhouette_score(X, Y), abs=1e-9)
    means = np.stack([X[c == Y].mean(axis=0) for c in range(10)])
    spread = np.array([((X[c == Y] - means[c]) ** 2).sum(axis=1).mean() for c in range(10)])
    pairs = [(i, j) for i in range(10) for j in range(i)]
    cdnv = np.mean([(spread[i] + spread[j]) / 2 / ((means[i] - means[j]) ** 2).sum() for i, j in pairs])
    assert number(record, "cdnv")["value"] == pytest.approx(cdnv, rel=1e-9)
    parity = NearestCentroid().fit(X, Y % 2).score(T, TY % 2)
    assert number(record, "ncc", labels="parity")["value"] == pytest.approx(parity, abs=1e-12)
    shuffled = number(record, "cdnv", epoch=5)["value"]
    assert shuffled == pytest.approx(cdnv, rel=1e-9)  # rows are paired with their labels, in any order
    names = record["cka"]["names"]
    assert names == [f"block{b}/h, epoch {e}" for e in (0, 5) for b in (1, 2)]
    values = np.array(record["cka"]["values"], float)
    assert values[0, 2] == pytest.approx(1, abs=1e-9)  # the same pixels, in another order of rows
    assert values[0, 1] == pytest.approx(debiased(T, T @ projection()), rel=1e-9)
    assert record["cka"]["rows"] == 100


def debiased(x, y):
    """Nguyen et al.'s estimate from Gram matrices with zero diagonals, written out."""
    K, L = (h @ h.T - np.diag(np.einsum("nd,nd->n", h, h)) for h in (x - x.mean(axis=0), y - y.mean(axis=0)))
    n = len(K)

    def hsic(A, B):
        return np.sum(A * B) + A.sum() * B.sum() / (n - 1) / (n - 2) - 2 / (n - 2) * A.sum(axis=0) @ B.sum(axis=0)

    return hsic(K, L) / np.sqrt(hsic(K, K) * hsic(L, L))


def test_what_has_collapsed_is_said_to_have(record, folder, capsys):
    assert record["verdict"] == "collapsed"
    verdicts = {(one["layer"], one["epoch"]): one["health"]["verdict"] for one in record["layers"]}
    assert verdicts["block2/h", 5] == "collapsed"
    assert [verdict for where, verdict in verdicts.items() if where != ("block2/h", 5)].count("collapsed") == 0
    assert {r["verdict"] for r in record["measures"] if (r["layer"], r["epoch"]) == ("block2/h", 5)} == {"collapsed"}
    assert "Features of block2/h, epoch 5 are collapsed: what is measured of them says little." in record["notes"]
    np.savez(folder / "point.npz", h=np.full((30, 4), 3.0, np.float32), labels=np.arange(30) % 3)
    code, out, err = command(folder / "point.npz", capsys=capsys)
    assert code == 0
    assert out.startswith("Verdict: collapsed. Features that point one way: ")
    assert "✗" in out
    assert "infinite: means of classes coincide: cdnv of h (labels); directional_cdnv of h (labels); nc1 of" in err
    assert "TwoNN needs ten distinct rows, but has 1: NaN: two_nn of h; two_nn_at_4 of h." in err


def test_the_page_holds_everything_itself(folder, record):
    page = (folder / "out" / "analysis.html").read_text()
    assert not re.search(r'(?:src|href)="(?!data:|#)|<script|@import|url\(', page)
    assert page.count("data:image/png;base64,") == 1
    assert "prefers-color-scheme: dark" in page
    assert 'name="viewport"' in page

    class Balanced(HTMLParser):
        def __init__(self):
            super().__init__()
            self.open, self.text = [], ""

        def handle_starttag(self, tag, attrs):
            self.open += [tag] if tag not in ("meta", "img") else []

        def handle_endtag(self, tag):
            assert self.open.pop() == tag

        def handle_data(self, data):
            self.text += data

    parser = Balanced()
    parser.feed(page)
    assert parser.open == []
    for word in (
        "collapsed",
        "block2/h, epoch 5 ✗",
        "labels: parity, 2 classes",
        "jackknife over ten groups",
        "debiased",
    ):
        assert word in parser.text, word
    for one in record["measures"]:
        assert one["convention"] in parser.text or one["measure"] not in TITLES
    value, error = digits(number(record, "ncc")["value"], number(record, "ncc")["error"])
    assert f"{value} ± {error}" in parser.text
    for suffix, magic in {"pdf": b"%PDF", "png": b"\x89PNG"}.items():
        assert (folder / "out" / f"analysis.{suffix}").read_bytes().startswith(magic)


def test_features_on_the_sphere_and_chosen_label_sets(folder):
    found = load([folder / "epoch-0.npz"])
    one = analyse(found, normalise=True, labels=["parity"])
    assert {record.labels for record in one.records} == {None, "parity"}
    unit = X / np.linalg.norm(X, axis=1, keepdims=True)
    (ncc,) = [r for r in one.records if (r.layer, r.measure) == ("block1/h", "ncc_train")]
    assert ncc.value == pytest.approx(NearestCentroid().fit(unit, Y % 2).score(unit, Y % 2), abs=1e-12)


def test_rows_without_a_label_are_left_out_there(tmp_path, capsys):
    labels = np.where(np.arange(300) % 3 == 0, -1, Y)
    np.savez(tmp_path / "a.npz", h=X, labels=labels)
    code, out, err = command(tmp_path / "a.npz", "--missing", -1, "--json", capsys=capsys)
    assert code == 0
    assert "are missing in 100 of 300 rows, which are left out there." in err
    kept = labels >= 0
    found = number(json.loads(out), "ncc_train", layer="h", epoch=None)
    assert found["value"] == pytest.approx(NearestCentroid().fit(X[kept], Y[kept]).score(X[kept], Y[kept]), abs=1e-12)
    binomial = found["value"] * (1 - found["value"]) / 200
    assert found["error"] == pytest.approx(np.sqrt(binomial), rel=1e-9)


def test_classes_of_one_row_do_not_read_as_good(tmp_path, capsys):
    np.savez(tmp_path / "a.npz", h=X[:40], labels=np.minimum(np.arange(40), 30))
    code, _, err = command(tmp_path / "a.npz", capsys=capsys)
    assert code == 0
    assert "30 of 31 classes of `labels` have one row in all: its variance is 0 and it is its own centre" in err


def test_a_file_for_training_and_one_for_testing_by_option(tmp_path, capsys):
    np.savez(tmp_path / "a.npz", h=X, y=Y)
    np.savez(tmp_path / "b.npz", h=T, y=TY)
    words = ("--train", tmp_path / "a.npz", "--test", tmp_path / "b.npz", "--json")
    code, out, _ = command(*words, capsys=capsys)
    assert code == 0
    expected = NearestCentroid().fit(X, Y).score(T, TY)
    assert number(json.loads(out), "ncc", layer="h", epoch=None)["value"] == pytest.approx(expected, abs=1e-12)


def test_what_a_stranger_types_wrongly_is_one_sentence(folder, tmp_path, capsys):
    file = folder / "epoch-0.npz"
    np.savez(tmp_path / "bare.npz", h=X)
    cases = {
        (): (2, "Argument `files` names nothing; see `linbyol analyze --help`."),
        (file, file): (2, "Argument `files` names "),
        (file, "--labels", "fine"): (2, "Argument `labels` must be one of labels, parity, but is 'fine'."),
        (tmp_path / "bare.npz", "--labels", "y"): (2, "Argument `labels` names 'y', but the files hold no labels."),
        (file, "--html", tmp_path / "a.pdf"): (2, "Argument `html` must end in .html, but is "),
        (file, "--plot", tmp_path / "a.gif"): (2, "Argument `plot` must end in .png, .pdf, .svg, but is "),
        (file, "--plot", tmp_path / "no" / "a.png"): (3, "cannot be written: there is no folder "),
        (file, "-o", tmp_path / "o", "--html", "a.html"): (
            2,
            "Argument `html` has no effect with --out, which has it.",
        ),
        ("--train", file, "--test", file): (2, "cannot be for training and for testing."),
        (tmp_path / "absent.npz", "-o", tmp_path / "new"): (3, "absent.npz cannot be read: "),
        (tmp_path / "absent.npz",): (3, "absent.npz cannot be read: No such file or directory."),
        (file, "--lables", "x"): (2, "There is no option --lables; did you mean --labels?"),
    }
    for words, (status, sentence) in cases.items():
        code, out, err = command(*words, capsys=capsys)
        assert (code, out, err.count("\n")) == (status, "", 1), (words, err)
        assert sentence in err, (words, err)
    assert [path.name for path in tmp_path.iterdir()] == ["bare.npz"]  # no folder either
    np.savez(tmp_path / "zero.npz", h=np.r_[X[:20], 0 * X[:1]])
    code, out, err = command(tmp_path / "zero.npz", "--normalise", capsys=capsys)
    what = "Features of h cannot be measured: argument `h` must have a direction in each row, but h[20] is 0."
    assert (code, out, err) == (3, "", f"linbyol: {what}\n")
    code, out, err = command(tmp_path / "bare.npz", capsys=capsys)
    assert (code, "The files hold no labels: what needs them is left out." in err) == (0, True)


def test_numbers_with_errors_as_words():
    assert [compact(*pair) for pair in [(0.9123, 0.0123), (22.49, 7.4), (5120.0, 230.0), (1.0,), (-3.275, 0.0123)]] == [
        "0.912(12)", "22.5(74)", "5120(230)", "1", "−3.275(12)",
    ]  # fmt: skip
    assert [compact(x) for x in (np.nan, np.inf, -np.inf, 1.5e-05)] == ["–", "∞", "−∞", "1.5e−05"]


class Tensor(np.ndarray):
    """NumPy in PyTorch's place."""

    def cpu(self):
        return self

    def numpy(self):
        return np.asarray(self)


def test_the_five_lines_of_the_readme_and_the_command_after_them(tmp_path, monkeypatch, capsys):
    readme = (Path(__file__).parent.parent / "README.md").read_text()
    (block,) = re.findall(r"```py\n(.*?)```", readme, re.DOTALL)
    (line,) = re.findall(r"^    linbyol (analyze train.npz .*)$", readme, re.MULTILINE)
    assert len(block.splitlines()) == 5
    batches = lambda x, y: [(x[i : i + 64].view(Tensor), y[i : i + 64].view(Tensor)) for i in range(0, len(x), 64)]  # noqa: E731

    class Model:
        training = True

        def eval(self):
            self.training = False

        def __call__(self, x):
            assert not self.training
            return 2 * x

    torch = SimpleNamespace(no_grad=nullcontext, cat=lambda parts: np.concatenate(parts).view(Tensor))
    monkeypatch.chdir(tmp_path)
    exec(
        block,
        {"torch": torch, "np": np, "model": Model(), "train_loader": batches(X, Y), "test_loader": batches(T, TY)},
    )
    assert cli.run([*line.split()]) == 0
    assert "NCC test" in capsys.readouterr().out
    assert "labels: labels, 10 classes" in Path("page.html").read_text()
