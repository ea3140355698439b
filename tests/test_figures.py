"""Figures: each is drawn, its words do not overlap, and its numbers obey the laws that it shows."""

import ast
import colorsys
import csv
import functools
import itertools
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

import figures
from figures import appendix_d_planes, digits_overlay, phase_plane, style
from figures.drawn import Row, table
from linbyol import store
from linbyol.checks import InputError
from linbyol.equations import Amplitudes, Modes, amplitudes_flow, hold, modes_flow, simsiam
from linbyol.integrate import integrate

NAMES = figures.names()


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A folder with arrays as the overlay study leaves them: a made-up spectrum, for there is no training here."""
    folder = tmp_path_factory.mktemp("results")
    rng = np.random.default_rng(0)
    ts, lrs = np.linspace(0, 50, 60), np.array([0.04, 0.02, 0.01, 0.005])
    F = np.sort(rng.uniform(0.1, 1, 8)) * (1.02 - np.exp(-ts[:, None] / 9))
    noise = 1 + 0.01 * rng.normal(size=(3, 60, 8))
    arrays = {
        "ts": ts, "F_predicted": F, "F_measured": F * noise, "Wp_predicted": F**0.5, "Wp_measured": F**0.5 * noise,
        "error": np.abs(0.004 * rng.normal(size=(3, 60, 3))), "bias_lrs": lrs, "bias": np.outer(lrs, [0.3, 0.4, 0.2]),
        "bias_order": np.ones(3), "fluctuation_lrs": lrs, "fluctuation_order": np.full(3, 0.5),
        "fluctuation": np.sqrt(lrs)[:, None, None] * rng.uniform(0.05, 0.06, (4, 5, 3)),
        "fresh_error": np.full((60, 3), 0.006), "fresh_floor": np.full((60, 3), 0.005),
    }  # fmt: skip
    store.write_arrays(folder / "overlay.npz", arrays)
    flow = 0.02 * np.exp(np.outer(np.linspace(0, 1, 33), np.linspace(4, -6, 8)))
    regularisers = {"ts": np.linspace(0, 320, 33), "sigma2": np.linspace(0.1, 1.4, 8), "units": [0.3, 1.2]}
    regularisers |= {"lejepa_flow": [flow, flow**0.9], "lejepa": [1.05 * flow, 0.97 * flow**0.9]}
    store.write_arrays(folder / "regularisers.npz", {name: np.array(value) for name, value in regularisers.items()})
    p, s = (start + np.outer(1 - np.exp(-ts / 4), 0.7 - start) for start in rng.uniform(0.1, 0.4, (2, 4)))
    truth, spread = np.array([1.5, 0.3, 0.04, 0.3]), rng.normal(size=(3, 4))
    fits = {"truth": truth, "estimate": truth * (1 + 0.005 * spread), "error": np.tile(0.003 * truth, (3, 1))}
    store.write_arrays(
        folder / "inference.npz", {"ts": ts, "p": np.tile(p, (3, 1, 1)), "s": np.tile(s, (3, 1, 1)), **fits}
    )
    return folder


@pytest.fixture(scope="module")
def numbers(results):
    """The fast numbers of a figure by its name, computed once."""
    return functools.cache(lambda name: figures.module(name).data(True, results))


@pytest.fixture(scope="module")
def drawn(numbers):
    """The fast figure by its name, drawn once."""
    return functools.cache(lambda name: figures.module(name).draw(numbers(name)))


def test_the_papers_figures_are_there():
    assert {"phase_plane", "predictor_rate", "trajectories", "balance", "commutator_norm", "digits_overlay"} <= set(
        NAMES
    )
    assert {"asymmetry", "ema_proportionality", "appendix_d_planes"} <= set(NAMES)
    assert {"bifurcation", "basins", "unequal_decay", "directpred_window", "directset", "inference"} <= set(NAMES)
    assert {"isoloss", "cosine_regimes", "learning_curves", "optimal_predictor"} <= set(NAMES)
    assert not {"style", "report", "mathematics"} & set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_each_figure_says_what_it_shows(name):
    module = figures.module(name)
    assert "What to see:" in module.__doc__
    assert module.CAPTION.endswith(".")
    assert "\n" not in module.CAPTION


@pytest.mark.parametrize("name", NAMES)
def test_words_stay_inside_and_apart(name, drawn):
    figure = drawn(name)
    assert isinstance(figure, Figure)
    assert figure.get_figwidth() in style.WIDTHS.values()
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    boxes = [
        (text.get_text(), text.get_window_extent(canvas.get_renderer())) for text in words(figure) if text.get_text()
    ]
    page = figure.bbox
    for text, box in boxes:  # two pixels of 150 an inch: rounding of the layout, and italics that lean out
        assert min(box.x0, box.y0, page.x1 - box.x1, page.y1 - box.y1) >= -2, text
    for (one, a), (two, b) in itertools.combinations(boxes, 2):
        wide, high = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
        assert wide < 2 or high < 2, (one, two)


@pytest.mark.parametrize("name", NAMES)
def test_panels_have_letters_and_constants_stand_below(name, drawn):
    figure = drawn(name)
    titles = [ax.get_title(loc="left") for ax in figure.axes]
    letters = [f"({letter})" for letter in "abcdefgh"[: len(titles)]] if len(titles) > 1 else [""]
    assert [title[: len(letter)] for title, letter in zip(titles, letters, strict=True)] == letters
    assert figure.get_supxlabel().endswith(".")


@pytest.mark.parametrize("name", NAMES)
def test_red_does_not_stand_against_green(name, drawn):
    lines = drawn(name).findobj(lambda artist: hasattr(artist, "get_markerfacecolor"))
    hues = [colorsys.rgb_to_hsv(*to_rgb(line.get_color())) for line in lines]
    bright = [360 * hue for hue, saturation, value in hues if saturation > 0.4 and value > 0.3]
    assert not (any(hue < 40 or hue > 345 for hue in bright) and any(80 < hue < 175 for hue in bright))


@pytest.mark.parametrize("name", NAMES)
def test_files_are_whole(name, drawn, tmp_path):
    pdf, png = style.save(drawn(name), tmp_path / name)
    assert (pdf.name, png.name) == (f"{name}.pdf", f"{name}.png")
    assert png.read_bytes().startswith(b"\x89PNG")
    assert pdf.read_bytes().startswith(b"%PDF")
    assert b"/FontFile2" in pdf.read_bytes()  # TrueType, so that letters stay letters


def test_the_same_numbers_give_the_same_bytes(numbers, tmp_path):
    planes = numbers("appendix_d_planes")
    first, second = (style.save(appendix_d_planes.draw(planes), tmp_path / stem) for stem in "ab")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_make_writes_pictures_and_numbers(results, tmp_path):
    made = figures.make("digits_overlay", fast=True, out=tmp_path, results=results)
    assert sorted(tmp_path.iterdir()) == sorted(made)
    assert [path.suffix for path in made] == [".pdf", ".png", ".csv"]
    measured = store.read_arrays(results / "overlay.npz", "F_measured")["F_measured"]
    heights = np.array([row.y for row in read(made[2].read_text())], float)
    assert np.isclose(measured[0, -1].max(), heights, rtol=1e-8).any()


def read(text):
    head, *rows = csv.reader(text.splitlines())
    assert tuple(head) == Row._fields
    return [Row(*row) for row in rows]


@pytest.mark.parametrize("name", NAMES)
def test_numbers_stand_in_a_table(name, drawn):
    """A row for each point of a line, in its own panel; of photographs, none."""
    rows = read(table(drawn(name)))
    assert bool(rows) != (name == "contact_sheet")
    points = [line.get_xydata() for ax in drawn(name).axes for line in ax.lines]
    found = [
        (float(row.x), float(row.y)) for row in rows if row.kind == "line" or (row.kind, row.value) == ("points", "")
    ]
    assert len(found) >= sum(map(len, points))
    panels = dict.fromkeys(row.panel for row in rows)
    assert set(panels) <= set("abcdefgh"[: len(drawn(name).axes)]) if len(drawn(name).axes) > 1 else {"1"}


def test_the_table_holds_all_kinds_of_artists():
    made = Figure()
    left, right = made.subplots(1, 2)
    left.plot([0, 1, np.nan], [2, 3, 4], label="curve", color="#0072B2")
    left.scatter([5], [6], c="#D55E00")
    left.bar([1], [4], width=0.5, color="#E69F00", label="count")
    left.fill_between([0, 1], [0, 0], [1, 1], color="#9A9A9A")
    left.vlines([2], 0, 1, color="#332288")
    right.pcolormesh([0, 1, 3], [0, 2], [[7.0, 8.0]])
    right.pcolormesh([0, 1], [0, 2], [[1.0, 2.0], [3.0, 4.0]], shading="gouraud")
    right.imshow([[1.0, 2.0]], extent=(0, 4, 0, 1), origin="lower")
    right.imshow(np.zeros((2, 2, 3)))
    right.quiver([1], [2], [3], [4])
    right.contour([0, 1], [0, 1], [[0, 0], [1, 1]], levels=[0.5])
    rows = read(table(made))
    of = lambda kind: [row[2:] for row in rows if row.kind == kind]  # noqa: E731
    assert of("line") == [("curve", "#0072b2", x, y, "", "") for x, y in (("0", "2"), ("1", "3"), ("nan", "4"))]
    assert of("bar") == [("count", "#e69f00", x, y, "", "") for x, y in (("0.75", "0"), ("1.25", "4"))]
    assert [row[1:4] for row in of("points")] == [("#d55e00", "5", "6")]
    assert [row[1:4] for row in of("segment")] == [("#332288", "2", "0"), ("#332288", "2", "1")]
    assert {row[2:4] for row in of("area")} == {("0", "0"), ("1", "0"), ("1", "1"), ("0", "1")}
    assert [row[2:] for row in of("field")] == [("1", "2", "3", "4")]
    cells = [("0.5", "1", "7", ""), ("2", "1", "8", "")]
    corners = [(x, y, v, "") for x, y, v in (("0", "0", "1"), ("1", "0", "2"), ("0", "2", "3"), ("1", "2", "4"))]
    assert [row[2:] for row in of("picture")] == [*cells, *corners, ("1", "0.5", "1", ""), ("3", "0.5", "2", "")]
    assert {row[3:5] for row in of("contour")} == {("0.5", "0.5")}
    assert {row.panel for row in rows} == {"a", "b"}


def test_bad_input_meets_one_sentence(results, tmp_path):
    with pytest.raises(InputError, match=r"Argument `name` must be one of .*, but is 'mona_lisa'"):
        figures.make("mona_lisa", out=tmp_path)
    with pytest.raises(store.FileError, match=r"overlay\.npz cannot be read: No such file"):
        figures.make("digits_overlay", out=tmp_path, results=tmp_path)
    store.write_arrays(tmp_path / "overlay.npz", {"ts": np.arange(3.0)})
    with pytest.raises(store.FileError, match="must hold the array `F_predicted`, but holds ts"):
        figures.make("digits_overlay", out=tmp_path, results=tmp_path)
    with pytest.raises(InputError, match="cannot be written"):
        figures.make("digits_overlay", out=tmp_path / "nowhere", results=results)
    assert [path.name for path in tmp_path.iterdir()] == ["overlay.npz"]


def test_shipped_arrays_are_read_by_default(monkeypatch, results):
    monkeypatch.setattr(digits_overlay, "SHIPPED", results)
    assert set(digits_overlay.data()) == {*digits_overlay.ARRAYS, "config"}


def test_shades_fall_in_lightness():
    for symbol in style.COLOURS:
        grey = [np.dot(shade, (0.299, 0.587, 0.114)) for shade in style.shades(symbol, 5)]
        assert all(a - b > 0.03 for a, b in itertools.pairwise(grey)), symbol  # a step that print still shows


def test_figures_know_nothing_of_training_and_the_command_line():
    for path in Path(figures.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            imported = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            imported += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not any(name.startswith(("experiments", "linbyol.cli")) for name in imported), path


def test_phase_plane_marks_the_equilibria_of_the_flow(numbers):
    panels = numbers("phase_plane")["panels"]
    assert [len(panel["points"]) for panel in panels] == [3, 3, 1]  # without decay 0 is double
    assert panels[1]["stable"].tolist() == [True, False, True]
    assert panels[2]["stable"].tolist() == [True]
    for panel in panels:
        p, s = jnp.asarray(panel["points"]).T
        rate = simsiam(modes_flow)(Modes(p, s, jnp.ones_like(p)), phase_plane._constants(panel["eta"]))
        assert max(jnp.abs(rate.p).max(), jnp.abs(rate.s).max()) < 1e-14  # rounding
    line = panels[0]["line"]
    assert np.array_equal(panels[0]["shrinks"], (line < 0) | (line > 0.8))  # τ/κ = 0.8


def test_the_edge_of_the_basin_divides_starts(numbers):
    """Starts five per cent above and below the drawn edge end apart, for both decays and both branches.

    Along the right branch s falls to 1e-31 before it grows again, so only relative errors count (atol = 0, nearly).
    """
    starts, etas = [], []
    for panel in numbers("phase_plane")["panels"][:2]:
        for p in (-0.4, 1.65):
            s = np.interp(p, panel["line"], panel["edge"])
            starts += [(p, 0.95 * s), (p, 1.05 * s)]
            etas += [panel["eta"]] * 2

    @jax.vmap
    def end(start, eta):
        k = phase_plane._constants(0.0)._replace(eta=eta)
        ts = jnp.array([0.0, 2000.0])
        return integrate(simsiam(modes_flow), Modes(start[0], start[1], 1.0), k, ts, atol=1e-60).ys.s[-1]

    s = end(jnp.array(starts), jnp.array(etas))
    assert (s > 1e-4).tolist() == [False, True] * 4


def test_zeros_of_the_predictors_rate_are_one_three_or_two(numbers):
    panels = numbers("predictor_rate")["panels"]
    assert [len(panel["zeros"]) for panel in panels] == [2, 3, 1]
    assert panels[0]["left"][0] == panels[0]["right"][0] == 1  # p = 0 is half-stable without decay


def test_slower_targets_raise_K_and_larger_decays_kill(numbers):
    data = numbers("trajectories")
    least = data["beta"]["K"].min(1)
    assert (np.diff(least) < 0).all()  # β rises, and the last has no average
    # the target's average at β = 0.02 relaxes at β (p - 2η)/(2p + β - 2η) = 0.009: by T = 1000 to e^-9, after a delay
    assert np.ptp(data["beta"]["p"][:, -1]) < 1e-3
    assert (np.diff(data["eta"]["p"][:, -1]) < 0).all()
    assert data["eta"]["s"][-1, -1] < 1e-12  # η = 0.25 is above the threshold 0.2


def test_balance_is_kept_but_under_unequal_decay(numbers):
    byol, simsiam_, unequal = numbers("balance")["drift"]
    assert max(byol.max(), simsiam_.max()) < 1e-9  # ten times rtol
    assert unequal.max() > 0.1


def test_the_commutator_keeps_theorem_3s_bound_and_grows_where_K_is_negative(numbers):
    data = numbers("commutator_norm")
    bound = np.exp(-2 * data["rate"][..., None] * data["ts"])
    proven = data["rate"] > 0
    assert proven.sum() >= 3
    # λ₀ is the least of the sampled times: between two of them, 1 apart, K falls by less than 1e-3
    assert (data["size"] <= bound * (1 + 2e-3 * data["ts"]) + 1e-9)[proven].all()
    assert data["size"][0, 2].max() > 1.2  # η = 0, τ = 1
    assert data["least"][0, 2].min() < 0


def test_the_skew_part_vanishes_within_its_bound(numbers):
    data = numbers("asymmetry")
    bound = data["B"][..., :1] * np.exp(-np.array(figures.module("asymmetry").ETAS)[:, None, None] * data["ts"])
    module, shown = figures.module("asymmetry"), ~np.isnan(data["B"])  # up to where it is below what counts as none
    assert (data["B"] <= bound * (1 + 1e-6))[shown].all()  # 1000 rtol of the solve
    assert shown.sum(-1).min() > 20
    assert (np.nanmin(data["B"], axis=-1) < module.LEAST).all()  # it has vanished, at every η and τ
    assert data["A"][2, 0, -1] < 1e-2 < data["A"][0, 2, -1]  # τ²/4κ = 0.0083 < η = 0.05: collapse


def test_the_target_stays_nearly_proportional(numbers):
    cosine = numbers("ema_proportionality")["cosine"]
    assert 0.97 < cosine.min() < 0.999
    assert cosine.max() <= 1 + 1e-12


def test_planes_rest_where_the_flow_does(numbers):
    frozen, learned, without = numbers("appendix_d_planes")["planes"]
    w, wp = (jnp.asarray(a[~np.isnan(a)]) for a in frozen["equilibria"])
    rate = hold(amplitudes_flow, "wa")(Amplitudes(w, wp, jnp.ones_like(w)), appendix_d_planes.K)
    assert max(jnp.abs(rate.w).max(), jnp.abs(rate.wp).max()) < 1e-12  # rounding
    assert learned["points"][1][:2] == pytest.approx((0.5, 0.5), abs=1e-9)  # λ_d/λ_s; the root finder's tolerance
    assert len(without["points"]) == 1


def words(figure):
    """The words that are drawn: titles, labels, legends, notes, constants, and ticks inside their axis."""
    legends = list(figure.legends)
    yield from figure.texts
    for ax in figure.findobj(lambda artist: hasattr(artist, "get_xlim")):
        yield from (ax.title, ax._left_title, ax.xaxis.label, ax.yaxis.label, *ax.texts)
        for axis, limits in ((ax.xaxis, ax.get_xlim()), (ax.yaxis, ax.get_ylim())):
            ticks = [tick for tick in axis.get_major_ticks() if min(limits) <= tick.get_loc() <= max(limits)]
            labels = (label for tick in ticks for label in (tick.label1, tick.label2))
            yield from (label for label in labels if label.get_visible())
        legends += [ax.get_legend()] if ax.get_legend() else []
    for legend in legends:
        yield from legend.get_texts()
