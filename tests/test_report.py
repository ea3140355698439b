"""The report: one well-formed file that fetches nothing and runs nothing, and says what the verdicts say."""

import base64
import re
from html.parser import HTMLParser

import pytest

from figures import mathematics, phase_plane
from figures.report.page import number, write_report
from linbyol import claims
from linbyol.checks import InputError
from linbyol.claims import Result, Verdict
from linbyol.equations import weights_flow
from theory.proving.latex import equation

VOID = {"meta", "img", "path", "link", "br"}
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


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
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "phase_plane.png").write_bytes(PNG)
    return tmp_path


@pytest.fixture(scope="module")
def html(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    (folder / "figures").mkdir()
    (folder / "figures" / "phase_plane.png").write_bytes(PNG)
    path = write_report(folder / "report.html", RESULTS, claims.environment(), folder / "figures")
    return path.read_text()


def test_it_is_one_well_formed_file_that_needs_nothing(html):
    page = Page(html)
    assert len(page.ids) == len(set(page.ids))
    assert all(link.startswith(("#", "data:image/png;base64,")) for link in page.links)
    assert all(link[1:] in page.ids for link in page.links if link.startswith("#"))
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in page.tags}
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


def test_claims_are_grouped_by_what_their_file_is_about(html):
    assert f"<caption>{__doc__.rstrip('.')}</caption>" in html


def test_equations_are_drawn_and_named(html):
    for line in equation(weights_flow):
        assert mathematics.svg(line) in html
    names = [dict(attributes).get("aria-label", "") for tag, attributes in Page(html).tags if tag == "svg"]
    assert equation(weights_flow)[1] in names
    assert all(names)


def test_an_outline_stays_in_its_box():
    drawing = mathematics.svg(r"\dot W_p = \alpha_p \left(\tau F - \frac{\kappa}{2} \{W_p, F\}\right)^\top")
    width, height = (float(x) for x in re.search(r'viewBox="0 0 (\S+) (\S+)"', drawing).groups())
    points = [float(x) for x in re.findall(r"-?\d+\.?\d*", re.search(r' d="([^"]*)"', drawing).group(1))]
    assert len(points) > 200  # letters, not an empty box
    for size, coordinates in ((width, points[::2]), (height, points[1::2])):
        assert min(coordinates) > -1
        assert max(coordinates) < size + 1  # a pixel: italics lean out of their advance width


def test_figures_are_inside_with_captions_and_missing_ones_are_left_out(html):
    assert base64.b64encode(PNG).decode() in html
    pictures = [attributes for tag, attributes in Page(html).tags if tag == "img"]
    assert [picture["alt"] for picture in pictures] == [phase_plane.CAPTION]


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
