"""Trajectories of a flow: `integrate` (adaptive, on diffrax) and `euler`, which is gradient descent itself."""

from linbyol.integrate.events import Event, Moment, collapse, steady
from linbyol.integrate.solve import SOLVER_NAMES, SOLVERS, IntegrationError, euler, integrate
from linbyol.integrate.trajectory import STATES, Trajectory

__all__ = [
    "SOLVERS",
    "SOLVER_NAMES",
    "STATES",
    "Event",
    "IntegrationError",
    "Moment",
    "Trajectory",
    "collapse",
    "euler",
    "integrate",
    "steady",
]
