"""Pictures of `linbyol simulate` and `linbyol phase`: what they say besides their curves is true, and read alone."""

import numpy as np
import pytest

from linbyol import plot
from linbyol.cli import landmarks
from linbyol.cli.phase import Phase
from linbyol.cli.simulate import Simulate


@pytest.fixture
def drawn(monkeypatch, tmp_path):
    """The figure that a command with --plot writes, and its bytes."""

    def run(command, **settings):
        kept, write = [], plot._write
        monkeypatch.setattr(plot, "_write", lambda figure, *rest: (kept.append(figure), write(figure, *rest)))
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.pdf"
        assert command(plot=path, **settings).run() == 0
        monkeypatch.undo()
        return kept[0], path.read_bytes()

    return run


def words(figure):
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


@pytest.mark.parametrize("flow", ["modes", "symmetric", "weights", "amplitudes"])
def test_a_trajectory_names_its_lines_its_constants_and_where_it_rests(flow, drawn):
    figure, _ = drawn(Simulate, flow=flow, d=3, t1=400.0, points=21, eta=0.05)
    assert len(words(figure)) == 3
    assert r"$\alpha_p$ = 1" in figure.get_supxlabel()
    assert r"$\eta_c$ = 0.2" in figure.get_supxlabel()
    p_plus = (1 + np.sqrt(1 - 4 * 0.05 * 1.25)) / 2.5
    (panel,) = [ax for ax in figure.axes if "p_+" in "".join(text.get_text() for text in ax.texts)]
    assert panel.lines[-1].get_ydata()[0] == pytest.approx(p_plus, rel=1e-12)
    assert max(line.get_ydata()[-1] for line in panel.lines[:3]) == pytest.approx(p_plus, abs=1e-3)  # e^-8 is left


@pytest.mark.parametrize(
    ("settings", "fields"),
    [
        ({"flow": "modes", "eta": 0.3}, set()),
        ({"flow": "modes", "variant": "no-predictor"}, set()),
        ({"flow": "amplitudes", "variant": "simsiam"}, {"wp"}),
        ({"flow": "modes", "lambda_d": (1.0, 0.1), "lambda_s": (1.2, 0.3)}, {"p", "s"}),  # the second is above
    ],
)
def test_levels_are_shown_where_they_exist(settings, fields):
    command = Simulate(**settings)
    found = landmarks.levels(command, landmarks.of_modes(command))
    assert set(found) == fields
    assert all(len(level) == 1 for _, level in found.values())


def test_a_phase_diagram_has_a_key_and_the_threshold(drawn):
    figure, _ = drawn(Phase, points=(12, 9))
    assert words(figure) == ["collapses", "survives", "slow", r"$\eta = \eta_c$"]
    assert figure.get_supxlabel() == r"$\alpha_p$ = 1; $\tau$ = 1; $p_0$ = 0.1"
    axes = {"eta": np.array([0.1, 0.2]), "sigma2": np.array([0.0, 0.25, 1.0])}
    gap = landmarks.above_threshold(Phase(), axes)
    assert gap == pytest.approx(axes["eta"] - 1 / (4 * (1 + axes["sigma2"][:, None])), abs=1e-15)
    by_tau = {"tau": np.array([0.5, 1.0]), "lambda_s": np.array([1.0, 2.0])}
    gap = landmarks.above_threshold(Phase(x=("tau", 0.5, 1.0), y=("lambda_s", 1.0, 2.0), lambda_d=1.0), by_tau)
    assert gap == pytest.approx(0.04 - by_tau["tau"] ** 2 / (4 * by_tau["lambda_s"][:, None]), abs=1e-15)


def test_the_same_command_gives_the_same_bytes(drawn):
    first, second = (drawn(Simulate, flow="modes", t1=5.0, points=6)[1] for _ in range(2))
    assert first == second
