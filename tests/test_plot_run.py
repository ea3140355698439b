"""The page of a run: what the files say is what is drawn, whatever the run; and bad files get one sentence."""

import io
import itertools
import json
import shutil

import matplotlib.image
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from experiments.runs.records import Objects, Table
from figures import style
from linbyol.checks import InputError
from linbyol.cli.plot import Plot
from linbyol.runs import files as run_files
from linbyol.runs import page as run_plot
from linbyol.runs import panels as run_panels
from linbyol.runs.files import Lane
from linbyol.store import FileError

TERMS = {"byol": ("offset", "alignment"), "vicreg": ("invariance", "variance", "covariance")}
STEPS = range(0, 401, 10)
EIGENVALUES = 40


def made_up(folder, *, seeds=1, terms="byol", sweep=(), linear=True):
    """A run as the trainer would leave it: modes that grow one after the other, and a row a lane."""
    folder.mkdir()
    swept = ["alpha_p"] if sweep else []
    measures = run_panels.MEASURES if linear else ("rank", "embedding_std", "F_max", "F_min")
    columns = ["step", "epoch", "seed", *swept, "lr", "loss", *TERMS[terms], *measures, "knn", "linear_paper"]
    rows, lines = [], []
    for step, seed, value in itertools.product(STEPS, range(seeds), sweep or [1.0]):
        who = {"seed": seed} | ({"alpha_p": value} if sweep else {})
        t = step / 100 * value
        F = np.sort(0.9 / (1 + 50 * np.exp(-t * np.linspace(0.2, 3, EIGENVALUES)))) * (1 + 0.02 * seed)
        row = {"step": step, "epoch": step / 20, **who}
        if step:
            row |= {"lr": 0.1, "loss": np.exp(-t), **dict.fromkeys(TERMS[terms], np.exp(-t / 2))}
        if step % 20 == 0:
            row |= {name: (0.5 + seed) * np.exp(-t) for name in measures}
            row |= {"F_max": F[-1], "F_min": F[0]}
            lines.append({"step": step, **who, "F": F, "Wp": np.sqrt(F) if linear else [], "cosines": []})
        if step % 100 == 0:
            row |= {"knn": 0.5 + t / 100 + seed / 50, "linear_paper": 0.6 + t / 100}
        rows.append(row)
    Table.open(folder / "metrics.csv", columns).append(*rows)
    Objects.open(folder / "spectra.jsonl").append(*lines)
    return folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    parent = tmp_path_factory.mktemp("runs")
    return {
        "one": made_up(parent / "one-1a2b3c4d"),
        "seeds": made_up(parent / "seeds-1a2b3c4d", seeds=3, terms="vicreg"),
        "sweep": made_up(parent / "sweep-1a2b3c4d", seeds=2, sweep=(0.5, 1.0, 2.0)),
        "bare": made_up(parent / "bare-1a2b3c4d", linear=False),
    }


@pytest.fixture(scope="module")
def pages(folders):
    return {name: run_plot.draw(run_files.read(folder)) for name, folder in folders.items()}


def panel(page, title):
    (found,) = [axes for axes in page.axes if axes.get_title().startswith(title)]
    return found


def test_files_are_read_lane_by_lane(folders):
    run = run_files.read(folders["sweep"])
    assert run.name == "sweep-1a2b3c4d"
    assert run.lanes == [Lane((("alpha_p", v),), s) for s in (0.0, 1.0) for v in (0.5, 1.0, 2.0)]
    steps, loss = run.series("loss")[Lane((("alpha_p", 2.0),), 1.0)]
    assert steps.tolist() == list(STEPS)[1:]
    np.testing.assert_array_equal(loss, np.exp(-steps / 50))
    steps, F = run.spectrum("F")[Lane((("alpha_p", 0.5),), 0.0)]
    assert (len(steps), F.shape) == (21, (21, EIGENVALUES))
    assert run.spectrum("cosines") == {}
    assert run.series("absent") == {}


def test_a_page_shows_what_the_files_say(pages):
    page = pages["one"]
    assert [axes.get_title() for axes in page.axes if axes.axison] == [
        "loss", "terms of the loss", "accuracy of probes (%)", "eigenvalues of $F$ (16 of 40)",
        "eigenvalues of $W_p$ (16 of 40)", "alignment", "relative departures", "effective rank",
        "embeddings' standard deviation",
    ]  # fmt: skip
    (loss,) = panel(page, "loss").lines
    np.testing.assert_array_equal(loss.get_xdata(), list(STEPS)[1:])
    np.testing.assert_array_equal(loss.get_ydata(), np.exp(-np.array(STEPS[1:]) / 100))
    knn, linear = panel(page, "accuracy").lines
    assert [line.get_label() for line in (knn, linear)] == ["kNN", "linear (paper)"]
    np.testing.assert_allclose(knn.get_ydata(), [50, 51, 52, 53, 54], rtol=1e-12)  # rounding
    spectrum = panel(page, "eigenvalues of $F$")
    assert len(spectrum.lines) == run_panels.EIGENVALUES
    assert spectrum.get_yscale() == "log"
    top = np.array([line.get_ydata() for line in spectrum.lines])
    assert (np.diff(top, axis=0)[:, 1:] > 0).all()  # they begin as one
    t = np.arange(0, 401, 20) / 100
    np.testing.assert_allclose(top[-1], 0.9 / (1 + 50 * np.exp(-3 * t)), rtol=1e-12)  # rounding


def test_seeds_are_thin_lines_with_their_mean(pages):
    rank = panel(pages["seeds"], "effective rank").lines
    assert [line.get_linewidth() for line in rank] == [0.4, 0.4, 0.4, 1.2]
    seeds = np.array([line.get_ydata() for line in rank[:3]])
    assert len({tuple(line) for line in seeds}) == 3
    np.testing.assert_allclose(rank[3].get_ydata(), seeds.mean(axis=0), rtol=1e-12)  # rounding
    assert pages["seeds"].get_suptitle() == "seeds-1a2b3c4d: 3 seeds (thin) and their mean"
    labels = [text.get_text() for text in panel(pages["seeds"], "terms").get_legend().get_texts()]
    assert labels == ["invariance", "variance", "covariance"]


def test_a_sweep_has_a_shade_for_each_value(pages):
    page = pages["sweep"]
    (legend,) = page.legends
    assert [text.get_text() for text in legend.get_texts()] == [rf"$\alpha_p$ = {v}" for v in ("0.5", "1", "2")]
    means = [line for line in panel(page, "loss").lines if line.get_linewidth() > 1]
    assert len({line.get_color() for line in means}) == 3
    assert len(panel(page, "eigenvalues of $F$: largest, smallest").lines) == 2 * 3 * (2 + 1)


def test_a_lane_without_values_keeps_its_shade(folders, tmp_path):
    """Of a lane that diverged there is no loss; the other keeps the shade that the legend gives it."""
    folder = shutil.copytree(folders["sweep"], tmp_path / "sweep")
    head, *rows = [line.split(",") for line in (folder / "metrics.csv").read_text().splitlines()]
    for row in rows:
        if float(row[head.index("alpha_p")]) == 1.0:
            row[head.index("loss")] = "nan"
    (folder / "metrics.csv").write_text("".join(f"{','.join(row)}\n" for row in [head, *rows]))
    lines = panel(run_plot.draw(run_files.read(folder)), "loss").lines
    means = [line.get_color() for line in lines if line.get_linewidth() > 1]
    light, _, dark = run_panels.shades(run_panels.INK, 3)
    assert means == [light, dark]


def test_a_sweep_of_which_one_lane_is_left_is_drawn_as_a_sweep(folders, tmp_path):
    folder = shutil.copytree(folders["sweep"], tmp_path / "sweep")
    lines = (folder / "spectra.jsonl").read_text().splitlines(keepends=True)
    (folder / "spectra.jsonl").write_text("".join(line for line in lines if json.loads(line)["alpha_p"] == 1.0))
    assert panel(run_plot.draw(run_files.read(folder)), "eigenvalues of $F$: largest, smallest")


def test_what_a_run_has_not_is_left_out(pages):
    titles = {axes.get_title() for axes in pages["bare"].axes if axes.axison}
    assert {"loss", "effective rank", "eigenvalues of $F$ (16 of 40)"} < titles
    assert not titles & {"alignment", "relative departures"}
    assert not [title for title in titles if "W_p" in title]


def test_the_mean_is_over_the_steps_that_all_seeds_have():
    x, y = np.array([0.0, 1.0, 2.0]), np.array([1.0, 2.0, 3.0])
    steps, values = run_plot.mean([(x, y), (x[1:], 3 * y[1:]), (x[:2], 5 * y[:2])])
    assert (steps.tolist(), values.tolist()) == ([1.0], [6.0])


@pytest.mark.parametrize("name", ["one", "seeds", "sweep", "bare"])
def test_no_words_overlap_and_none_leave_the_page(pages, name):
    canvas = FigureCanvasAgg(pages[name])
    canvas.draw()
    boxes = [(text.get_text(), text.get_window_extent(canvas.get_renderer())) for text in words(pages[name])]
    page = pages[name].bbox
    for text, box in boxes:  # two pixels of 150 an inch: rounding of the layout, and italics that lean out
        assert min(box.x0, box.y0, page.x1 - box.x1, page.y1 - box.y1) >= -2, text
    for (one, a), (two, b) in itertools.combinations(boxes, 2):
        wide, high = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
        assert wide < 2 or high < 2, (one, two)


@pytest.mark.parametrize("name", ["one", "seeds", "sweep", "bare"])
def test_no_line_passes_under_a_legend(pages, name):
    canvas = FigureCanvasAgg(pages[name])
    canvas.draw()
    explained = [axes for axes in pages[name].axes if axes.get_legend()]
    assert explained
    for axes in explained:
        box = axes.get_legend().get_window_extent(canvas.get_renderer())
        for line in axes.lines:
            path = line.get_transform().transform_path(line.get_path())
            assert not path.intersects_bbox(box.padded(-3), filled=False), axes.get_title()


def words(page):
    """All that is written, but for the ticks outside their axes, which are not drawn."""
    found = [page._suptitle, *(text for legend in page.legends for text in legend.get_texts())]
    for axes in (axes for axes in page.axes if axes.axison):
        found += [axes.title, axes.xaxis.label, axes.yaxis.label]
        found += axes.get_legend().get_texts() if axes.get_legend() else []
        for axis, limits in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
            ticks = zip(axis.get_majorticklocs(), axis.get_ticklabels(), strict=True)
            found += [label for place, label in ticks if limits[0] <= place <= limits[1]]
    return [text for text in found if text.get_text()]


def test_colours_are_those_of_the_figures():
    assert tuple(style.COLOURS[name] for name in ("F", "Wp", "Wa")) == (run_panels.F, run_panels.WP, run_panels.WA)
    assert tuple(style.COLOURS[n] for n in "LKC") == (run_panels.K, run_panels.COMMUTATOR, run_panels.BALANCE)


def command(*arguments, capsys):
    """The exit status and what was printed, by the command line's own parser and guard."""
    import tyro

    from linbyol.cli import guarded

    plot = tyro.cli(Plot, args=[str(a) for a in arguments], config=(tyro.conf.FlagCreatePairsOff,))
    code = guarded(plot)
    out, err = capsys.readouterr()
    return code, out, err


def test_the_command_writes_pdf_and_png_the_same_bytes_each_time(folders, tmp_path, capsys):
    code, out, _ = command(folders["bare"], capsys=capsys)
    written = [folders["bare"] / "figures" / name for name in ("run.pdf", "run.png")]
    assert (code, out.split()) == (0, list(map(str, written)))
    first = [path.read_bytes() for path in written]
    assert first[0].startswith(b"%PDF")
    height, width, _ = matplotlib.image.imread(io.BytesIO(first[1])).shape
    assert (round(width / 300, 2), height > 1000) == (6.75, True)
    again = tmp_path / "new" / "again.pdf"
    code, out, _ = command(folders["bare"], "--out", again, "--json", capsys=capsys)
    assert json.loads(out) == {
        "run": str(folders["bare"]), "rows": 41, "lanes": 1, "spectra": 21, "written": [str(again)],
    }  # fmt: skip
    assert again.read_bytes() == first[0]
    run_plot.save(run_files.read(folders["bare"]), tmp_path / "new" / "again.png")
    assert again.with_suffix(".png").read_bytes() == first[1]


def test_a_run_that_still_runs_can_be_drawn(folders, tmp_path):
    for name in ("metrics.csv", "spectra.jsonl"):
        content = (folders["one"] / name).read_bytes()
        (tmp_path / name).write_bytes(content[:-7])  # the last line is in the making
    run, whole = run_files.read(tmp_path), run_files.read(folders["one"])
    assert len(run.which) == len(whole.which) - 1
    assert len(run.spectra) == len(whole.spectra) - 1


def test_a_nan_is_a_gap(folders, tmp_path):
    text = (folders["one"] / "metrics.csv").read_text()
    lines = text.splitlines()
    lines[-1] = lines[-1].replace(lines[-1].split(",")[4], "nan", 1)
    (tmp_path / "metrics.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "spectra.jsonl").write_text('{"step": 0, "seed": 0, "F": [null, 1.0]}\n')
    run = run_files.read(tmp_path)
    (steps, _), (_, F) = run.series("loss")[run.lanes[0]], run.spectrum("F")[run.lanes[0]]
    assert steps[-1] == 390
    assert np.isnan(F[0, 0])
    assert run_plot.draw(run)


BAD = [
    ("metrics.csv", None, "is not that of a run: it holds no metrics.csv."),
    ("spectra.jsonl", None, "spectra.jsonl cannot be read: No such file or directory."),
    ("metrics.csv", b"", "must begin with the names of its columns, one of them `step`."),
    ("metrics.csv", b"seed,loss\n1,2\n", "must begin with the names of its columns, one of them `step`."),
    ("metrics.csv", b"step,loss\n", "metrics.csv holds no row yet."),
    ("metrics.csv", b"step,loss\n1,2\n1,2,3\n", "metrics.csv, line 3, has 3 cells, but the table has 2 columns."),
    ("metrics.csv", b"step,loss\n1,low\n", "metrics.csv, line 2: `loss` must be a number, but is 'low'."),
    ("metrics.csv", b"step,loss\n,2\n", "metrics.csv has a row without `step`."),
    ("metrics.csv", b"\xff\xfe\n", "metrics.csv is no text."),
    ("spectra.jsonl", b"{\n", "spectra.jsonl, line 1, is no spectrum: '{'."),
    ("spectra.jsonl", b'{"F": [1.0]}\n', "spectra.jsonl, line 1, is no spectrum: '{\"F\": [1.0]}'."),
    ("spectra.jsonl", b'{"step": 1, "F": ["x"]}\n', "line 1, is no spectrum"),
    ("spectra.jsonl", b"[1]\n", "line 1, is no spectrum: '[1]'."),
]


@pytest.mark.parametrize(("name", "content", "sentence"), BAD)
def test_bad_files_get_one_sentence_and_status_3(folders, tmp_path, capsys, name, content, sentence):
    for file in ("metrics.csv", "spectra.jsonl"):
        (tmp_path / file).write_bytes((folders["one"] / file).read_bytes())
    if content is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(content)
    code, out, err = command(tmp_path, "--out", tmp_path / "run.png", capsys=capsys)
    assert (code, out) == (3, "")
    assert err.startswith("linbyol: F")
    assert sentence in err
    assert err.count("\n") == 1
    assert not (tmp_path / "run.png").exists()


def test_what_is_no_folder_and_what_is_no_picture(folders, tmp_path, capsys):
    code, _, err = command(tmp_path / "absent", capsys=capsys)
    assert (code, err) == (3, f"linbyol: Folder {tmp_path}/absent is not that of a run: it does not exist.\n")
    code, _, err = command(folders["one"] / "metrics.csv", capsys=capsys)
    assert (code, err.endswith("is not that of a run: it is no folder.\n")) == (3, True)
    code, _, err = command(folders["one"], "--out", tmp_path / "run.gif", capsys=capsys)
    assert (code, err) == (2, f"linbyol: Argument `out` must end in .png, .pdf, .svg, but is {tmp_path}/run.gif.\n")
    (tmp_path / "file").write_text("")
    code, _, err = command(folders["one"], "--out", tmp_path / "file" / "run.png", capsys=capsys)
    assert (code, err.count("\n")) == (3, 1)
    with pytest.raises(InputError):
        run_plot.save(run_files.read(folders["one"]), tmp_path / "run.gif")
    with pytest.raises(FileError):
        run_files.read(tmp_path)
