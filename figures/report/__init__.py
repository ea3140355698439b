"""The report: every claim with its verdict, the equations as they are integrated, and the figures, on one page."""

from figures.report.page import write_report

__all__ = ["write_report"]
