"""The final table: a row a lane, the untrained network, and mean ± standard deviation over seeds."""

import statistics

import pytest

from experiments.trainer.summary import rows, summary

KNN = {(0, 0.1): 0.9, (1, 0.1): 0.94, (2, 0.1): float("nan"), (0, 0.2): 0.8}


def lanes(shift=0.0):
    return [{"seed": s, "sweep_lr": lr, "rank": 8.0, "F_max": 1.0, "knn": x + shift} for (s, lr), x in KNN.items()]


def test_numbers_are_over_the_seeds_of_a_setting_that_are_finite():
    first, second = summary(lanes(), lanes(-0.1))
    assert first["setting"] == {"sweep_lr": 0.1}
    assert first["trained"]["knn"]["mean"] == pytest.approx(0.92, abs=1e-15)  # rounding
    assert first["trained"]["knn"]["std"] == pytest.approx(statistics.stdev([0.9, 0.94]), abs=1e-15)
    assert first["trained"]["knn"]["seeds"] == 2
    assert first["untrained"]["knn"]["mean"] == pytest.approx(0.82, abs=1e-15)
    assert second["trained"]["knn"] == {"mean": 0.8, "std": None, "seeds": 1}


def test_the_table_has_lanes_the_untrained_network_and_the_mean():
    found = rows(lanes(), lanes(-0.1))
    assert [row["seed"] for row in found] == ["0", "1", "2", "untrained", "mean ± std", "0", "untrained"]
    assert [row["knn"] for row in found] == ["0.9", "0.94", "nan", "0.82 ± 0.028", "0.92 ± 0.028", "0.8", "0.7"]
    assert all("F_max" not in row and row["lr"] in ("0.1", "0.2") for row in found)
    assert rows([], []) == []
