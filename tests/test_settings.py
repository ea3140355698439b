"""Settings: what is written is read back, and what is wrong gets one sentence with its name."""

import re
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.settings import digest, read, to_toml, with_set, with_values
from linbyol.checks import InputError
from linbyol.store import FileError


@dataclass(frozen=True)
class Plain:
    steps: int
    eta: float = 4e-4
    name: Annotated[str, "for people"] = "digits"
    centred: bool = False
    rule: Literal["learned", "direct", "set"] = "learned"
    bits: Literal[16, 32] = 32
    widths: tuple[int, ...] = (64,)
    crop: tuple[float, float] = (0.2, 1.0)
    rules: tuple[Literal["direct", "copy"], ...] = ()
    freq: int | None = 5
    target: Literal["copy", "zero"] | None = "copy"
    alphas: tuple[float, ...] | None = None
    note: "str | None" = None


@dataclass(frozen=True)
class Free:
    eta: float = 4e-4


numbers = st.floats(allow_nan=False)
texts = st.text(st.characters(exclude_categories=["Cs"]))
plain = st.builds(
    Plain,
    steps=st.integers(),
    eta=numbers,
    name=texts,
    centred=st.booleans(),
    rule=st.sampled_from(["learned", "direct", "set"]),
    bits=st.sampled_from([16, 32]),
    widths=st.lists(st.integers()).map(tuple),
    crop=st.tuples(numbers, numbers),
    rules=st.lists(st.sampled_from(["direct", "copy"])).map(tuple),
    freq=st.none() | st.integers(),
    target=st.sampled_from([None, "copy", "zero"]),
    alphas=st.none() | st.lists(numbers).map(tuple),
    note=st.none() | texts.filter(lambda text: text != "none"),
)


@hypothesis.settings(deadline=None, max_examples=60)  # the clock of a busy machine says nothing
@given(settings=plain)
def test_what_is_written_is_read_back(tmp_path_factory, settings):
    path = tmp_path_factory.getbasetemp() / "config.toml"
    path.write_bytes(to_toml(settings).encode())
    assert read(Plain, path) == settings


@hypothesis.settings(deadline=None, max_examples=60)  # the clock of a busy machine says nothing
@given(settings=plain, other=plain)
def test_digests_tell_settings_apart(settings, other):
    assert re.fullmatch("[0-9a-f]{8}", digest(settings))
    assert (digest(settings) == digest(other)) == (to_toml(settings) == to_toml(other))


def test_a_digest_is_of_values_not_of_how_they_were_typed():
    assert digest(Plain(5, eta=1)) == digest(Plain(5, eta=1.0))
    assert digest(Plain(5, eta=1.0)) != digest(Plain(5, eta=1.0 + 2**-52))
    assert digest(with_set(Plain(5), ["eta=3e-3"])) == digest(Plain(5, eta=0.003))


def test_words_change_settings():
    words = ["eta=4e-3", "name = run 7", "centred=True", "rule=set", "bits=16", "widths=64,128", "crop=0.1,1"]
    words += ["rules=direct,copy", "freq=none", "target=None", "alphas=[0.5, 1e-1,]", "steps=1_000", "note=a=b"]
    assert with_set(Plain(5), words) == Plain(
        steps=1000,
        eta=4e-3,
        name="run 7",
        centred=True,
        rule="set",
        bits=16,
        widths=(64, 128),
        crop=(0.1, 1.0),
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
        ("bits=8", "Setting `bits` must be one of 16, 32, but is '8'."),
        ("widths=1,b", "Setting `widths` must be a list, each a whole number, but is '1,b'."),
        ("crop=1", "Setting `crop` must be a list of 2: a number, a number, but is '1'."),
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
        ("bits = true", "Setting `bits` in PATH must be one of 16, 32, but is True."),
        ("widths = 3", "Setting `widths` in PATH must be a list, each a whole number, but is 3."),
        ("[eta]\nx = 1", "Setting `eta` in PATH must be a number, but is {'x': 1}."),
        ("", "Setting `steps` has no default, and is missing in PATH."),
    ],
)
def test_wrong_files_get_their_sentence(tmp_path, line, sentence):
    path = tmp_path / "config.toml"
    path.write_text(line)
    with pytest.raises(InputError) as refused:
        read(Plain, path)
    assert str(refused.value) == sentence.replace("PATH", str(path))
    assert not isinstance(refused.value, FileError)


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
