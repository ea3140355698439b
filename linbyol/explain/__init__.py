"""Why a mode survives or collapses, and which modes a model learns, in which order: sentences with their numbers."""

from linbyol.explain.byol import Explanation, explain
from linbyol.explain.deep import LOSSES, Course, explain_deep
from linbyol.explain.no_loss import explain_open, explain_slaved
from linbyol.explain.regularised import REGULARISERS, Held, explain_regularised
from linbyol.explain.words import Account, Change, apart

__all__ = [
    "LOSSES", "REGULARISERS", "Account", "Change", "Course", "Explanation", "Held", "apart", "explain",
    "explain_deep", "explain_open", "explain_regularised", "explain_slaved",
]  # fmt: skip
