"""Every claim of the papers is executable: B1 to B144 once each, and every claim is complete."""

import re

import experiments.studies
import theory
from linbyol.claims import collect

CLAIMS = [*collect(theory), *collect(experiments.studies)]


def test_every_numbered_claim_is_there_once():
    ids = [claim.id for claim in CLAIMS]
    assert [f"B{n}" for n in range(1, 145) if ids.count(f"B{n}") != 1] == []
    assert len(set(ids)) == len(ids)


def test_no_claim_has_a_number_beyond_the_numbered():
    """B1 to B144, C1 to C60, M1 to M44; a letter: a corrected or further statement; L1, L2, … are our own."""
    numbered = (("B", 144), ("C", 60), ("M", 44))
    known = {f"{letter}{n}" for letter, last in numbered for n in range(1, last + 1)}
    for claim in CLAIMS:
        number, letter = re.fullmatch(r"([BCLM]\d+)([a-z]?)", claim.id).groups()
        assert number in known or number.startswith("L"), claim.id
        assert not letter or number in {other.id for other in CLAIMS}, f"{claim.id} stands beside nothing"


def test_every_claim_is_complete():
    for claim in CLAIMS:
        for field in ("title", "statement", "source"):
            assert getattr(claim, field).strip(), (claim.id, field)
        assert claim.kind in ("symbolic", "numeric", "real data", "reading"), claim.id
        assert claim.expected in ("holds", "fails", "open"), claim.id
        assert callable(claim.check), claim.id
        assert len(claim.title) < 90, claim.id  # a table shows it on one line
