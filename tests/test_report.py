"""The report: one well-formed file that fetches nothing, and says what the verdicts say."""

import base64
import io
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from figures import phase_plane, published_tables
from figures.mathematics import Sheet
from figures.report import write_report
from figures.report.verdicts import number
from linbyol import claims, cli
from linbyol.checks import InputError
from linbyol.claims import Result, Verdict
from linbyol.equations import weights_flow
from linbyol.published import PUBLISHED
from theory.proving.latex import equation

VOID = {"meta", "img", "link", "br", "input"}


def picture():
    """A PNG of 2,000 by 1,000 pixels, its left half black, its right half white."""
    pixels, encoded = np.zeros((1000, 2000, 3), np.uint8), io.BytesIO()
    pixels[:, 1000:] = 255
    Image.fromarray(pixels).save(encoded, format="png")
    return encoded.getvalue()


def result(id, expected, verdict, **fields):
    statement = {"statement": f"Statement of {id}.", "title": f"Title of {id}"} | fields.pop("said", {})
    claim = claims.claim(id, source="Theorem 1", kind="numeric", expected=expected, **statement)(lambda run: None)
    return Result(claim, Verdict(verdict, seconds=1.25, **fields))


RESULTS = [
    result("B1", "holds", "holds", numbers={"gap": 1.23456789e-14, "list": [0.5, 2.0], "limit": None, "proven": True}),
    result("B2", "fails", "fails"),
    result("B3", "holds", "undecided", note="Six runs are few."),
    result("B4", "holds", "not run"),
    result("B5", "holds", "fails"),
    result("B6", "fails", "holds"),
    result("B7", "open", "holds", said={"statement": "1 < 2 & <script>alert('x')</script>", "title": 'A "title"'}),
]


class Page(HTMLParser):
    """Checks that tags close in order, and keeps what a reader would be told."""

    def __init__(self, text):
        super().__init__()
        self.stack, self.tags, self.ids, self.links, self.text = [], [], [], [], []
        self.feed(text)
        assert not self.stack

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.append((tag, attributes))
        self.ids += [attributes["id"]] if "id" in attributes else []
        self.links += [attributes[name] for name in ("src", "href") if name in attributes]
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.append((tag, attributes))
        self.ids += [attributes["id"]] if "id" in attributes else []

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "phase_plane.png").write_bytes(picture())
    return tmp_path


@pytest.fixture(scope="module")
def html(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    (folder / "figures").mkdir()
    (folder / "figures" / "phase_plane.png").write_bytes(picture())
    path = write_report(folder / "report.html", RESULTS, claims.environment(), folder / "figures")
    return path.read_text()


def test_it_is_one_well_formed_file_that_needs_nothing(html):
    page = Page(html)
    assert len(page.ids) == len(set(page.ids))
    assert all(link.startswith(("#", "data:image/avif;base64,")) for link in page.links)
    assert all(link[1:] in page.ids for link in page.links if link.startswith("#"))
    assert not {"link", "iframe", "object"} & {tag for tag, _ in page.tags}
    assert [attributes for tag, attributes in page.tags if tag == "script"] == [{}]
    assert not re.search(r"https?:|@import|url\(", html)


def test_each_verdict_stands_in_words(html):
    rows = {row[:2]: row for row in re.findall(r'(?s)<tr id="(B\d".*?)</tr>', html)}
    for id, words in {
        "B1": ("✓ holds", "as expected"), "B2": ("✓ fails", "as expected"), "B3": ("– undecided", "Six runs are few."),
        "B4": ("– not run",), "B5": ("✗ fails", "contradicts: holds expected"),
        "B6": ("✗ holds", "contradicts: fails expected"), "B7": ("✓ holds", "settled"),
    }.items():  # fmt: skip
        assert all(word in rows[id] for word in words), id
        assert ("bad" in rows[id]) == (id in ("B5", "B6"))
    assert "gap <b>1.235e−14</b>, list <b>0.5, 2</b>, limit <b>not finite</b>, proven <b>yes</b>" in rows["B1"]
    assert "1 &lt; 2 &amp; &lt;script&gt;" in rows["B7"]


def test_contradictions_come_first_and_are_counted(html):
    first = html[html.index("<caption>") : html.index("</table>")]
    assert "contradict what is expected" in first
    assert re.findall(r'href="#(B\d+)"', first) == ["B5", "B6"]
    assert "<b>2</b>contradict what is expected" in html
    assert "<b>2</b>hold<" in html
    assert "<b>1</b>fail, as expected" in html


def test_without_contradictions_there_is_no_such_table(folder):
    html = write_report(folder / "report.html", RESULTS[:4], {}, None).read_text()
    assert "Verdicts that contradict" not in html
    assert "<b>0</b>contradict what is expected" in html


def test_published_numbers_stand_beside_ours(folder):
    html = write_report(folder / "report.html", [result("B123", "holds", "undecided"), *RESULTS], {}, None).read_text()
    section = html[html.index('<section id="published">') : html.index('<section id="equations">')]
    cells = lambda row: [re.sub("<[^>]*>", "", cell) for cell in re.findall(r"<t[hd].*?</t[hd]>", row)]  # noqa: E731
    rows = [cells(row) for row in re.findall(r"(?s)<tr>(.*?)</tr>", section)]
    assert rows[:2] == [["Setting", "Published", "Ours"], ["B123 Title of B123: undecided"]]
    assert [row[0] for row in rows[2:]] == list(PUBLISHED["B123"])
    found = {name: (theirs, ours) for name, theirs, ours in rows[2:]}
    assert found["ImageNet SimSiam, sym"] == ("0.10", "—")
    table = published_tables.data()["Table 3"]
    values = table["ours"][table["labels"].index("symmetric")]
    assert found["1 layer, no EMA, sym"] == (
        "36.62 ± 1.85",
        f"{np.mean(values):.2f} ± {np.std(values, ddof=1):.2f} (5 seeds)",
    )


def test_claims_are_grouped_by_what_their_file_is_about(html):
    assert f"<caption>{__doc__.rstrip('.')}</caption>" in html


def test_equations_are_drawn_and_named(html):
    sheet = Sheet()
    for line in equation(weights_flow):
        assert sheet.svg(line) in html
    page = Page(html)
    drawn = [attributes for tag, attributes in page.tags if tag == "svg" and attributes["class"] == "equation"]
    assert equation(weights_flow)[1] in [attributes["aria-label"] for attributes in drawn]
    used = {attributes["href"][1:] for tag, attributes in page.tags if tag == "use"}
    assert len(used) > 30
    assert used <= set(page.ids)


def test_an_outline_stays_in_its_box():
    sheet = Sheet()
    drawing = sheet.svg(r"\dot W_p = \alpha_p \left(\tau F - \frac{\kappa}{2} \{W_p, F\}\right)^\top")
    width, height = (float(x) for x in re.search(r'viewBox="0 0 (\S+) (\S+)"', drawing).groups())
    em, left, base = (float(x) for x in re.search(r"matrix\((\S+) 0 0 -\S+ (\S+) (\S+)\)", drawing).groups())
    outlines = dict(re.findall(r'<path id="(\S+)" d="([^"]*)"', sheet.glyphs))
    placed = re.findall(r'<use href="#(\S+)" transform="translate\((\S+) (\S+)\) scale\((\S+)\)"/>', drawing)
    assert len(placed) == 20  # letters, signs and brackets, of which W, p and F are set again and drawn once
    assert len(outlines) == len({name for name, *_ in placed}) == 16
    for name, x, y, scale in placed:
        points = np.array(re.findall(r"-?\d+\.?\d*", outlines[name]), float).reshape(-1, 2) * float(scale)
        across, up = ((points + [float(x), float(y)]) * em).T
        assert left + across.min() > -1
        assert left + across.max() < width + 1  # a pixel: italics lean out of their advance width
        assert base - up.max() > -1
        assert base - up.min() < height + 1


def test_figures_are_inside_with_captions_and_missing_ones_are_left_out(html):
    (picture,) = (attributes for tag, attributes in Page(html).tags if tag == "img")
    assert picture["alt"] == phase_plane.CAPTION
    image = Image.open(io.BytesIO(base64.b64decode(picture["src"].partition(",")[2])))
    assert image.format == "AVIF"
    assert image.size == (1520, 760)
    assert (picture["width"], picture["height"]) == ("1000", "500")
    dark, light = np.asarray(image)[:, [300, 1200]].mean(axis=(0, 2))
    assert dark < 5
    assert light > 250


def test_errata_name_their_numbers_and_their_correction(folder):
    found = [
        result("B99", "fails", "fails", numbers={"gap": 0.5}),
        result("B99c", "holds", "holds"),
        result("B100", "fails", "holds"),
    ]
    html = write_report(folder / "report.html", found, {}, None).read_text()
    errata = html[html.index('<section id="errata">') : html.index('<section id="equations">')]
    assert re.findall(r'href="#(\w+)"', errata) == ["B99", "B99c"]
    assert "gap <b>0.5</b>" in errata


def test_the_verb_writes_the_report_of_a_run_again(tmp_path, capsys):
    assert cli.run(["reproduce", "--only", "B108", "--jobs", "1", "--out", str(tmp_path)]) == 0
    assert not (tmp_path / "report.html").exists()
    record = json.loads((tmp_path / "claims.json").read_text())
    gone = record["claims"][0] | {"id": "B9999"}
    (tmp_path / "claims.json").write_text(json.dumps(record | {"claims": [*record["claims"], gone]}))
    assert cli.run(["report", str(tmp_path)]) == 0
    html = (tmp_path / "report.html").read_text()
    assert re.findall(r'<tr id="(\w+)" data-paper="([^"]*)" data-status="(\w+)"', html) == [
        ("B108", "Tian, Chen &amp; Ganguli 2021", record["claims"][0]["verdict"])
    ]
    assert "claim B9999 is not in the code any more" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "words", "said"),
    [
        (None, [], "claims.json"),
        ("{", [], "is not JSON"),
        ('{"claims": [{"id": "B108"}]}', [], "is not one that `linbyol reproduce` wrote"),
        ('{"claims": 3}', [], "is not one that `linbyol reproduce` wrote"),
        ("{}", ["--out", "report.pdf"], "must end in .html"),
    ],
)
def test_what_is_no_run_is_one_sentence(content, words, said, tmp_path, capsys):
    if content is not None:
        (tmp_path / "claims.json").write_text(content)
    assert cli.run(["report", str(tmp_path), *words]) in (2, 3)
    error = capsys.readouterr().err.strip()
    assert said in error
    assert "\n" not in error


def test_the_environment_is_told(html):
    environment = claims.environment()
    assert environment["python"] in html
    assert f"jax: {environment['versions']['jax']}" in html


def test_the_same_results_give_the_same_bytes_and_bad_paths_one_sentence(html, folder):
    again = write_report(folder / "again.html", RESULTS, claims.environment(), folder / "figures")
    assert again.read_text() == html
    with pytest.raises(InputError, match="cannot be written"):
        write_report(folder / "nowhere" / "report.html", RESULTS, {}, None)
    assert sorted(path.name for path in folder.iterdir()) == ["again.html", "figures"]


def test_numbers_are_short():
    assert number(0.123456) == "0.1235"
    assert number({"BYOL": [1e-12, 3], "ok": False}) == "BYOL: 1e−12, 3, ok: no"
