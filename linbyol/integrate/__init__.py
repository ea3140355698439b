"""Trajectories of a flow: `integrate` (adaptive, on diffrax) and `euler`, which is gradient descent itself."""

from linbyol.integrate.solve import SOLVER_NAMES, SOLVERS, Event, IntegrationError, collapse, euler, integrate, steady
from linbyol.integrate.trajectory import STATES, Trajectory

__all__ = [
    "SOLVERS",
    "SOLVER_NAMES",
    "STATES",
    "Event",
    "IntegrationError",
    "Trajectory",
    "collapse",
    "euler",
    "integrate",
    "steady",
]
