"""What no verb can use is one sentence and an exit status, before anything is computed, written or replaced."""

import os
import re
import stat
from contextlib import suppress
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from linbyol import cli
from linbyol.checks import InputError
from linbyol.cli import options
from linbyol.cli.explain import Explain
from linbyol.cli.fit import Fit
from linbyol.cli.simulate import Simulate, flow
from linbyol.equations import Constants, Isotropic
from linbyol.integrate.trajectory import STATES

HUGE = "99999999999999999999999999"

REFUSED = {  # command line: exit status, what the sentence says
    # sizes and numbers
    "simulate modes --d 100000000000": (2, "The state (--d, --n) would need about"),
    "simulate modes --points 10000000000": (2, "The trajectory (--points, --d, --n) would need about"),
    "simulate weights --n 100000000": (2, "this machine has"),
    f"simulate modes --seed {HUGE}": (2, f"`seed` must be at most 4294967295, but is {HUGE}."),
    "simulate modes --seed -1": (2, "`seed` must be at least 0, but is -1."),
    "simulate modes --rtol 5": (2, "`rtol` must be at most 0.1, but is 5."),
    "simulate modes --atol -1": (2, "`atol` must be at least 0, but is -1."),
    "simulate modes --tau nan": (2, "`tau` must be finite, but is nan."),
    "simulate modes --alpha-p 0": (2, "`alpha_p` must be positive, but is 0."),
    "simulate modes --eta-p -1": (2, "`eta_p` must be at least 0, but is -1."),
    "simulate modes --lambda-d 1 --lambda-s 0.5": (2, "but is 0.5 where lambda_d is 1."),
    "simulate modes --lambda-d --lambda-s": (2, "`lambda_d` names nothing."),
    "simulate modes --lambda-d 1": (2, "belong together, but lambda_s is missing."),
    "simulate jepa --depth 0": (2, "`depth` must be at least 1, but is 0."),
    "explain mae --depth 1.5": (2, "--depth must be a whole number, but is '1.5'"),
    "simulate mae --lambda-d 0 --lambda-s 1": (2, "`lambda_d` must be positive, but is 0."),
    "explain jepa --lambda-d -1 --lambda-s 1": (2, "`lambda_d` must be at least 0, but is -1."),
    "simulate sigreg --lambda-d 1 --lambda-s 0.5": (2, "but is 0.5 where lambda_d is 1."),
    "explain bhep --mu -1": (2, "`mu` must be at least 0, but is -1."),
    "phase --points 1000000 1000000": (2, "The diagram (--points) would need about 100,000 GB"),
    "phase --points 1 10": (2, "`points` must be at least 2, but is 1."),
    "phase --p0 nan": (2, "`p0` must be finite, but is nan."),
    "phase --s0 -1": (2, "`s0` must be at least 0, but is -1."),
    "phase --t1 -1": (2, "`t1` must be positive, but is -1."),
    "phase --x eta 0.3 0.01": (2, "--x must go to a larger value, but goes from 0.3 to 0.01."),
    "phase --x eta 0.1 0.1": (2, "--x must go to a larger value, but goes from 0.1 to 0.1."),
    "phase --y lambda_d 0.5 1.5 --x eta 0 .1 --lambda-s 1": (2, "at least lambda_d (of X), but is 1 where lambda_d is"),
    "explain --tau inf": (2, "`tau` must be finite, but is inf."),
    "explain --lambda-d 2 --lambda-s 1": (2, "but is 1 where lambda_d is 2."),
    "fit good.npz --tau0 nan": (2, "`tau0` must be finite, but is nan."),
    "data moments images.npz -o o.npz --views 2000000000": (2, "A batch of views (--views) would need about"),
    "data moments images.npz -o o.npz --views 1": (2, "`views` must be at least 2, but is 1."),
    "data moments images.npz -o o.npz --noise -1": (2, "`noise` must be at least 0, but is -1."),
    "bench --trajectories 100000000000": (2, "The workload (--trajectories) would need about 100,000 GB"),
    "bench --sizes 1000000": (2, "The matrix flows (--sizes) would need about"),
    # without effect, empty, twice
    "simulate modes --n 5": (2, "`n` has no effect for modes"),
    "simulate symmetric --beta 0.4": (2, "`beta` has no effect where no target moves"),
    "simulate modes --variant simsiam --tau 0.5": (2, "`tau` has no effect for simsiam"),
    "simulate modes --init good.npz --tau 0.5": (2, "`tau` has no effect beside --init"),
    "simulate modes --init good.npz --d 4": (2, "`d` has no effect beside --init"),
    "simulate modes --init good.npz --seed 0": (2, "`seed` has no effect beside --init"),
    "simulate weights --moments m.npz --n 3": (2, "`n` has no effect beside --moments"),
    "simulate weights --moments m.npz --sigma2 1": (2, "describe the data twice."),
    "simulate modes --solver ''": (2, "Argument '' is empty"),
    "phase --x eta 0.01 0.3 --eta 0.04": (2, "`eta` has no effect beside --x eta, which sweeps it."),
    "phase --x beta 0 1": (2, "--x beta has no effect without --ema"),
    "phase --s0 0.1 --t1 100": (2, "`t1` has no effect beside --s0"),
    "phase --show p": (2, "`show` has no effect without --plot."),
    "phase --show alignment --s0 0.1 --plot a.png": (2, "--show alignment is known on the parabola"),
    "phase --log": (2, "`log` names nothing."),
    "phase --log x x": (2, "`log` names x twice."),
    "explain --simsiam --beta 0.4": (2, "`beta` has no effect beside --simsiam"),
    "data moments views.npz -o o.npz --seed 0": (
        2,
        "`seed` has no effect for views.npz, whose views are made",
    ),
    "bench --only": (2, "`only` names nothing."),
    "bench --only nobody": (2, "`only` must be one of linbyol, "),
    "bench --quick --sizes 4 8": (2, "`sizes` has no effect beyond the first beside --quick."),
    "bench --only linbyol --sizes 4": (2, "`sizes` has no effect beside --only"),
    "figure phase_plane phase_plane": (2, "`names` names phase_plane twice."),
    "figure --list --fast": (2, "`fast` has no effect beside --list"),
    # what a file holds
    "simulate weights --moments nan.npz": (3, "File nan.npz cannot be used: argument `X_aug` must be finite"),
    "simulate weights --moments shape.npz": (3, "File shape.npz cannot be used: argument `X_aug` must have the shape"),
    "simulate weights --moments words.npz": (3, "File words.npz cannot be used: argument `X` must be real, but has"),
    "simulate weights --moments single.npz": (
        3,
        "File single.npz is not a readable npz archive: it is a single",
    ),
    "simulate modes --init minus.npz": (
        3,
        "File minus.npz cannot be used: argument `s` must be at least 0, but is",
    ),
    "simulate modes --init table.npz": (3, "File table.npz cannot be used: argument `p` must be"),
    "simulate modes --init pipe.npz": (3, "File pipe.npz cannot be read: it is a named pipe."),
    "fit text.npz": (3, "File text.npz is not a readable npz archive: it is no archive."),
    "fit empty.npz": (3, "File empty.npz is not a readable npz archive: it is empty."),
    "fit short.npz": (3, "File short.npz is not a readable npz archive: "),
    "fit table.npz": (3, "File table.npz must hold the array `ts`, but holds p, s, tau."),
    "data moments one.npz -o o.npz": (3, "File one.npz cannot be used: argument `views` must hold at least 2 views"),
    # where it is written
    "simulate modes --out -": (2, "`out` must be a file, but is -"),
    "simulate modes --out t.png": (2, "`out` must end in .npz, but is t.png."),
    "simulate modes --out device.npz": (3, "File device.npz cannot be written: it is a device."),
    "simulate modes --out pipe.npz": (3, "File pipe.npz cannot be written: it is a named pipe."),
    "simulate modes --out circle.npz": (3, "File circle.npz cannot be written: Too many levels of symbolic links."),
    "simulate modes --init good.npz --out link.npz": (2, "File link.npz would be overwritten by `out`, but is read"),
    "data moments images.npz -o images.npz": (2, "File images.npz would be overwritten by `out`, but is read"),
    "phase --out folder": (3, "File folder cannot be written: it is a folder."),
    "phase --plot a.txt": (2, "`plot` must end in .png, .pdf, .svg, but is a.txt."),
    "phase --plot nowhere/a.png": (3, "there is no folder"),
    "bench --plot x.txt": (2, "`plot` must end in .png, .pdf, .svg, but is x.txt."),
    "bench --out x.txt": (2, "`out` must end in .json, but is x.txt."),
    "figure phase_plane --out text.npz": (3, "Folder text.npz cannot be made: File exists."),
    "figure phase_plane --results nowhere": (3, "Folder nowhere of --results does not exist."),
    "data list --folder nowhere": (3, "Folder nowhere does not exist."),
    "plot run --out folder": (3, "File folder cannot be written: it is a folder."),
    "plot run --out pipe.npz": (3, "File pipe.npz cannot be written: it is a named pipe."),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder of files that look like what is asked for."""
    root = tmp_path_factory.mktemp("doors")
    modes = {"p": [0.1, 0.2], "tau": [1.0, 1.0]}
    np.savez(root / "good.npz", s=[0.1, 0.2], **modes)
    np.savez(root / "minus.npz", s=[0.1, -0.2], **modes)
    np.savez(root / "table.npz", p=np.ones((2, 3)), s=np.ones((2, 3)), tau=np.ones((2, 3)))
    np.savez(root / "m.npz", X=np.eye(3), X_aug=np.eye(3))
    np.savez(root / "nan.npz", X=np.eye(3), X_aug=np.full((3, 3), np.nan))
    np.savez(root / "shape.npz", X=np.eye(3), X_aug=np.eye(4))
    np.savez(root / "words.npz", X=np.array(["a"]), X_aug=np.eye(3))
    np.savez(root / "images.npz", images=np.ones((4, 3, 3)))
    np.savez(root / "views.npz", views=np.ones((4, 2, 9)))
    np.savez(root / "one.npz", views=np.ones((4, 1, 9)))
    with (root / "single.npz").open("wb") as file:
        np.save(file, np.eye(3))
    (root / "short.npz").write_bytes((root / "m.npz").read_bytes()[:200])
    (root / "text.npz").write_text("text\n")
    (root / "empty.npz").write_bytes(b"")
    (root / "folder").mkdir()
    (root / "link.npz").symlink_to("good.npz")
    (root / "circle.npz").symlink_to("circle.npz")
    os.mkfifo(root / "pipe.npz")
    with suppress(PermissionError):  # only root makes devices
        os.mknod(root / "device.npz", stat.S_IFCHR | 0o666, os.makedev(1, 7))  # as /dev/full
    (root / "run").mkdir()
    (root / "run" / "metrics.csv").write_text("step,seed,lr,loss\n1,0,0.1,0.5\n")
    (root / "run" / "spectra.jsonl").write_text("")
    return root


def contents(folder):
    """What there is: kind, inode, size and time of change of each."""
    found = {path: path.lstat() for path in folder.rglob("*")}
    return {path: (s.st_mode, s.st_ino, s.st_size, s.st_mtime_ns) for path, s in found.items()}


@pytest.mark.parametrize("line", REFUSED)
def test_what_cannot_be_used_is_one_sentence_and_nothing_is_touched(line, folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    code, sentence = REFUSED[line]
    if "device" in line and not (folder / "device.npz").exists():
        pytest.skip("only root makes devices")
    before = contents(folder)
    found = cli.run([word.strip("'") for word in line.split()])
    out, err = capsys.readouterr()
    assert (found, out) == (code, "")
    assert sentence in err
    assert re.fullmatch(r"linbyol: .*\.\n", err)
    assert contents(folder) == before


VARIANTS = ("byol", "simsiam", "no-stop-gradient", "no-predictor", "held-target")


@pytest.mark.parametrize("name", ["weights", "modes", "amplitudes", "symmetric"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_the_constants_without_effect_are_those_that_the_rate_does_not_depend_on(name, variant):
    """By derivatives of the rate at a state of no symmetry."""
    command = Simulate(flow=name, variant=variant)
    try:
        rate = flow(command)
    except InputError:
        assert name == "symmetric" or variant == "no-stop-gradient"
        return
    rng = np.random.default_rng(0)
    state = STATES[name.capitalize()]
    shapes = {"W": (2, 3), "Wa": (2, 3), "Wp": (2, 2), "F": (2, 2)}
    y = state(**{field: jnp.asarray(rng.uniform(0.3, 0.7, shapes.get(field, (2,)))) for field in state._fields})
    k = Isotropic(1.3, 0.4, 0.1, 0.25, 0.8)
    if name == "weights":
        k = Constants(*k[:3], jnp.eye(3), k.sigma2 * jnp.eye(3))
    slopes = jax.jacfwd(lambda k: rate(y, k))(k)
    idle = {option for option, _ in command.idle()}
    for field in ("alpha_p", "beta", "eta"):
        found = any(float(jnp.abs(getattr(leaf, field)).max()) > 0 for leaf in slopes)
        assert found == (field not in idle)


def test_a_default_is_told_from_the_same_number_typed():
    marked = {"alpha_p", "beta", "tau", "sigma2", "simsiam"}
    assert options.given(Explain()) & marked == set()
    assert options.given(Explain(beta=0.4, simsiam=True)) & marked == {"beta", "simsiam"}
    plain = options.checked(Explain(simsiam=True))
    assert (type(plain.beta), plain.beta) == (float, 0.4)
    with pytest.raises(InputError, match="`beta` has no effect"):
        options.checked(Explain(beta=0.4, simsiam=True))


@pytest.mark.parametrize("name", ["a\nb.npz", "a\x00b", "\x1b[31m", "a\udcff.npz"])
def test_names_that_no_sentence_could_hold_are_refused(name):
    with pytest.raises(
        InputError, match=r"^Argument `file` must be text without control characters, in UTF-8, but is '"
    ):
        options.checked(Fit(file=Path(name)))
    assert options.checked(Fit(file=Path("Bild\u202f1 \u00fc.npz")))
