"""Settings: what is written is read back, and what is wrong gets one sentence with its name."""

import re
from dataclasses import dataclass, replace
from typing import Annotated, Literal, get_args, get_origin

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.settings import read, with_set, with_values
from experiments.tables import digest, kinds, optional, path_of, to_toml, variants
from experiments.trainer.options import Options
from experiments.trainer.program import SCALARS, compiled
from linbyol.checks import InputError
from linbyol.store import FileError


@dataclass(frozen=True)
class Plain:
    steps: int
    eta: float = 4e-4
    name: Annotated[str, "for people"] = "digits"
    centred: bool = False
    rule: Literal["learned", "direct", "set"] = "learned"
    widths: tuple[int, ...] = (64,)
    rules: tuple[Literal["direct", "copy"], ...] = ()
    freq: int | None = 5
    target: Literal["copy", "zero"] | None = "copy"
    alphas: tuple[float, ...] | None = None
    note: "str | None" = None


@dataclass(frozen=True)
class Free:
    eta: float = 4e-4


@dataclass(frozen=True)
class Fast:
    name: Literal["fast"] = "fast"
    eps: float = 0.1
    steps: int = 3


@dataclass(frozen=True)
class Slow:
    name: Literal["slow"] = "slow"
    steps: int = 4
    inner: Plain = Plain(1)


@dataclass(frozen=True)
class Nested:
    way: Fast | Slow = Fast()
    free: Free = Free()
    lr: float = 1.0


@dataclass(frozen=True)
class Tuned:
    way: Fast | Slow = Fast(eps=0.3, steps=8)
    free: Free = Free(7.0)


def values(kind):
    """Any value of a field of this type."""
    if tables := variants(kind):
        return st.one_of(*(st.builds(table, **{n: values(k) for n, k in kinds(table).items()}) for table in tables))
    if rest := optional(kind):
        return st.none() | values(rest).filter(lambda value: value != "none")
    if get_origin(kind) is Literal:
        return st.sampled_from(get_args(kind))
    if get_origin(kind) is tuple:
        return st.lists(values(get_args(kind)[0])).map(tuple)
    plain = {float: st.floats(allow_nan=False), str: st.text(st.characters(exclude_categories=["Cs"]))}
    return plain[kind] if kind in plain else st.from_type(kind)


@hypothesis.settings(deadline=None, max_examples=60)  # the clock of a busy machine says nothing
@given(settings=values(Plain) | values(Nested) | values(Options))
def test_what_is_written_is_read_back(tmp_path_factory, settings):
    path = tmp_path_factory.getbasetemp() / "config.toml"
    path.write_bytes(to_toml(settings).encode())
    assert read(type(settings), path) == settings


@hypothesis.settings(deadline=None, max_examples=60)  # the clock of a busy machine says nothing
@given(settings=values(Plain), other=values(Plain))
def test_digests_tell_settings_apart(settings, other):
    assert re.fullmatch("[0-9a-f]{8}", digest(settings))
    assert (digest(settings) == digest(other)) == (to_toml(settings) == to_toml(other))


def test_a_digest_is_of_values_not_of_how_they_were_typed():
    assert digest(Plain(5, eta=1)) == digest(Plain(5, eta=1.0))
    assert digest(Plain(5, eta=1.0)) != digest(Plain(5, eta=1.0 + 2**-52))
    assert digest(with_set(Plain(5), ["eta=3e-3"])) == digest(Plain(5, eta=0.003))


def test_words_change_settings():
    words = ["eta=4e-3", "name = run 7", "centred=True", "rule=set", "widths=64,128"]
    words += ["rules=direct,copy", "freq=none", "target=None", "alphas=[0.5, 1e-1,]", "steps=1_000", "note=a=b"]
    assert with_set(Plain(5), words) == Plain(
        steps=1000,
        eta=4e-3,
        name="run 7",
        centred=True,
        rule="set",
        widths=(64, 128),
        rules=("direct", "copy"),
        freq=None,
        target=None,
        alphas=(0.5, 0.1),
        note="a=b",
    )
    assert with_set(Plain(5), ["widths=", "eta=inf"]) == replace(Plain(5), widths=(), eta=float("inf"))
    assert with_set(Plain(5), []) == Plain(5)
    assert with_values(Plain(5), {"eta": 2, "widths": [3, 4]}) == Plain(5, eta=2.0, widths=(3, 4))


def test_a_file_changes_what_it_names(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text('steps = 3  # a few\neta = 1\nwidths = [1, 2]\nfreq = "none"\n')
    assert read(Plain, path) == Plain(3, eta=1.0, widths=(1, 2), freq=None)


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("eat=1", "Unknown setting `eat`; did you mean `eta`?"),
        ("wdths=1", "Unknown setting `wdths`; did you mean `widths`?"),
        ("eta", "Setting 'eta' must have the form NAME=VALUE."),
        ("eta=fast", "Setting `eta` must be a number, but is 'fast'."),
        ("eta=nan", "Setting `eta` must be a number, but is 'nan'."),
        ("steps=1.5", "Setting `steps` must be a whole number, but is '1.5'."),
        ("steps=none", "Setting `steps` must be a whole number, but is 'none'."),
        ("centred=2", "Setting `centred` must be true or false, but is '2'."),
        ("rule=copy", "Setting `rule` must be one of learned, direct, set, but is 'copy'."),
        ("widths=1,b", "Setting `widths` must be a list, each a whole number, but is '1,b'."),
        ("rules=set", "Setting `rules` must be a list, each one of direct, copy, but is 'set'."),
        ("freq=x", "Setting `freq` must be a whole number or none, but is 'x'."),
        ("target=old", "Setting `target` must be one of copy, zero or none, but is 'old'."),
        ("alphas=1", "Setting `alphas` is given twice, as 'none' and '1'."),
        ("name=\udcff", r"Setting `name` must be a text in UTF-8, but is '\udcff'."),
    ],
)
def test_wrong_words_get_their_sentence(word, sentence):
    with pytest.raises(InputError) as refused:
        with_set(Plain(5), ["alphas=none", word])
    assert str(refused.value) == sentence


def test_a_name_like_none_lists_those_there_are():
    with pytest.raises(InputError, match=r"Unknown setting `qqq`; known are `steps`, `eta`, .*, `note`\.$"):
        with_set(Plain(5), ["qqq=1"])


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("eat = 1", "Unknown setting `eat` in PATH; did you mean `eta`?"),
        ("eta = true", "Setting `eta` in PATH must be a number, but is True."),
        ('eta = "1"', "Setting `eta` in PATH must be a number, but is '1'."),
        ("freq = 1.0", "Setting `freq` in PATH must be a whole number or none, but is 1.0."),
        ("centred = 1", "Setting `centred` in PATH must be true or false, but is 1."),
        ("rule = true", "Setting `rule` in PATH must be one of learned, direct, set, but is True."),
        ("rule = []", "Setting `rule` in PATH must be one of learned, direct, set, but is []."),
        ('widths = "12"', "Setting `widths` in PATH must be a list, each a whole number, but is '12'."),
        ("widths = 3", "Setting `widths` in PATH must be a list, each a whole number, but is 3."),
        ("[eta]\nx = 1", "Setting `eta` in PATH must be a number, but is {'x': 1}."),
        ("", "Setting `steps` has no default, and is missing in PATH."),
    ],
)
def test_wrong_files_get_their_sentence(tmp_path, line, sentence):
    assert refused(Plain, tmp_path, line) == sentence


def refused(kind, folder, text):
    """The sentence with which a file of this text is refused, PATH for its path."""
    path = folder / "config.toml"
    path.write_text(text)
    with pytest.raises(InputError) as error:
        read(kind, path)
    assert not isinstance(error.value, FileError)
    return str(error.value).replace(str(path), "PATH")


def test_a_file_without_settings_is_told(tmp_path):
    path = tmp_path / "config.toml"
    for content in ("", "# eta = 1\n"):
        path.write_text(content)
        with pytest.raises(FileError, match=r"config\.toml names no setting\.$"):
            read(Free, path)


def test_what_is_no_toml_is_told(tmp_path):
    path = tmp_path / "config.toml"
    for content in (b"eta = = 1", b"\xff\xfe"):
        path.write_bytes(content)
        with pytest.raises(FileError, match=r"config\.toml is not TOML: [^\n]*\.$"):
            read(Plain, path)
    with pytest.raises(FileError, match="absent cannot be read: No such file"):
        read(Plain, tmp_path / "absent")


def test_a_wrong_value_in_code_is_told():
    with pytest.raises(InputError, match="`eta` must be a number, but is '1'"):
        to_toml(Plain(5, eta="1"))
    with pytest.raises(InputError, match=r"`steps` must be a whole number, but is 5\.0"):
        digest(Plain(5.0))


# Tables.


def test_words_choose_tables_and_change_what_is_in_them():
    """A name is a path or the end of one; another choice keeps what both have."""
    assert with_set(Nested(), ["way.steps=7", "way=slow", "lr=2"]) == Nested(way=Slow(steps=7), lr=2.0)
    kept = with_set(Nested(way=Fast(steps=9, eps=0.5)), ["way=slow", "widths=1,2", "free.eta=3"])
    assert kept == Nested(way=Slow(steps=9, inner=Plain(1, widths=(1, 2))), free=Free(3.0))
    assert with_set(kept, ["way.name=fast"]) == Nested(way=Fast(steps=9), free=Free(3.0))
    assert with_values(Nested(), {"eps": 1}) == Nested(way=Fast(eps=1.0))


def test_a_file_takes_defaults_of_what_it_chooses(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text('[way]\nname = "slow"\n[way.inner]\neta = 2\n')
    assert read(Nested, path) == Nested(way=Slow(steps=4, inner=Plain(1, eta=2.0)))
    for text in ('[way]\nname = "fast"', "[free]\neta = 1", "[way]\neps = 0.3"):  # a default table is taken whole
        path.write_text(text)
        assert read(Tuned, path) == Tuned(**({"free": Free(1.0)} if "free" in text else {}))
    path.write_text('[way]\nname = "slow"')
    assert read(Tuned, path) == Tuned(way=Slow())


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("wya=fast", "Unknown setting `wya`; did you mean `way.name`?"),
        ("epss=1", "Unknown setting `epss`; did you mean `way.eps`?"),
        ("way.esp=1", "Unknown setting `way.esp`; did you mean `way.eps`?"),
        ("free=1", "Setting `free` may be `free.eta`; write which."),
        ("eta=1", "Setting `eta` may be `way.inner.eta` or `free.eta`; write which."),
        ("way=quick", "Setting `way.name` must be one of fast, slow, but is 'quick'."),
        ("eps=x", "Setting `way.eps` must be a number, but is 'x'."),
        ("widths=1", "Setting `way.inner.widths` belongs to way slow, not to fast."),
        ("way.eps=1", "Setting `way.eps` is given twice, as '0' and '1'."),
    ],
)
def test_wrong_words_about_tables_get_their_sentence(word, sentence):
    with pytest.raises(InputError) as refused:
        with_set(Nested(), ["eps=0", word] if "twice" in sentence else [word])
    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[way]\nesp = 1", "Unknown setting `way.esp` in PATH; did you mean `way.eps`?"),
        ("[wya]\neps = 1", "Unknown setting `wya` in PATH; did you mean `way.name`?"),
        ("[lr]\neps = 1", "Setting `lr` in PATH must be a number, but is {'eps': 1}."),
        ("[way]\nname = 3", "Setting `way.name` in PATH must be one of fast, slow, but is 3."),
        ("[way]\ninner = 3", "Unknown setting `way.inner` in PATH; did you mean `way.inner.eta`?"),
        ('[way]\nname = "slow"\neps = 1', "Setting `way.eps` in PATH belongs to way fast, not to slow."),
        ("[way.inner]\nsteps = 1", "Setting `way.inner.steps` in PATH belongs to way slow, not to fast."),
        (
            "eps = 1\nlr = 2\nway = 3",
            "Settings stand in tables now in PATH: write `eps` as `way.eps`, `way` as `way.name`.",
        ),
    ],
)
def test_wrong_tables_get_their_sentence(tmp_path, text, sentence):
    assert refused(Nested, tmp_path, text) == sentence


FLAT = """data = "digits"\nencoder = "mlp"\nwidths = [256, 32]\nprojector = [128, 32]\npredictor = "linear"
rule = "direct"\nnorm = "none"\neps = 0.1\ntarget = "zero"\ngamma_a = 0.99\nlr = 0.1\nepochs = 100\nlog = 1\n"""
TABLES = (
    "write `data` as `data.name`, `encoder` as `encoder.name`, `widths` as `encoder.widths`, `projector` as "
    "`projector.widths`, `predictor` as `method.predictor.name`, `rule` as `method.predictor.rule.name`, `norm` as "
    "`method.predictor.rule.norm`, `eps` as `method.predictor.rule.eps`, `target` as `method.target.start`, "
    "`gamma_a` as `method.target.gamma_a`, `lr` as `optimiser.lr`, `epochs` as `run.epochs`, `log` as `record.log`."
)


def test_a_run_in_the_form_before_tables_is_told_the_new_words(tmp_path):
    assert refused(Options, tmp_path, FLAT) == f"Settings stand in tables now in PATH: {TABLES}"
    for word, now in (("predictor_hidden", "method.predictor.hidden"), ("target", "method.target.start")):
        with pytest.raises(InputError, match=f"^Setting `{word}` is `{now}` now.$"):
            with_set(Options(), [f"{word}=zero"])


def test_each_constant_of_a_lane_has_a_name_of_its_own():
    for name in SCALARS:
        assert path_of(Options, name).endswith(f".{name}")  # refused where several end so


def test_what_is_compiled_has_neither_a_lanes_constants_nor_what_the_host_writes():
    """Runs that differ in those share the program, which cannot read them."""
    program = compiled(Options())
    words = ["lr=0.5", "eta_p=0.1", "gamma_a=0.5", "seeds=1,2", "sweep=eta=0", "first=3", "log=4", "probes="]
    assert compiled(with_set(Options(), words)) == program
    assert hash(compiled(with_set(Options(), words))) == hash(program)
    for word in (
        "method=simsiam",
        "method.target.start=zero",
        "warmup=1",
        "batch=2",
        "augment=none",
        "decay_all=false",
    ):
        assert compiled(with_set(Options(), [word])) != program
    for read_it in (lambda: program.optimiser.lr, lambda: program.method.target.gamma_a, lambda: program.record):
        with pytest.raises(AttributeError):
            read_it()
