"""The explorer: one page that holds the flows as JavaScript, printed by SymPy from `linbyol.equations`."""

from linbyol.explorer.page import explorer

__all__ = ["explorer"]
