"""Rosenbrock methods for small systems: a step that needs no iteration and is stable for any stiffness.

Each stage solves (I - γ h J) U_i = γ (h f(y + Σ a_ij U_j) + Σ c_ij U_j) with the exact Jacobian J of the flow; the last
two stages belong to methods of neighbouring orders, so the last increment is the local error. Hairer & Wanner, Solving
ODEs II, Sec. IV.7. All is written for one trajectory of scalars, and mapped over lanes by whoever calls it.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from linbyol.equations.combinators import Flow

Row = tuple[float, ...]
Matrix = list[list[Any]]  # a small matrix of scalars, written out


class Method(NamedTuple):
    """Coefficients in the form above; A and C are strictly lower triangular, given by rows."""

    order: int  # of the step; the local error has that order too
    gamma: float
    A: tuple[Row, ...]
    C: tuple[Row, ...]


_R4: Row = (1.221224509226641, 6.019134481288629, 12.53708332932087, -0.6878860361058950)
_R5: Row = (
    -7.502846399306121, 2.561846144803919, -11.627539656261098, -0.18268767659942256, 0.030198172008377946,
)  # fmt: skip

RODAS4 = Method(  # Hairer & Wanner 1996: six stages, L-stable
    4,
    0.25,
    (
        (),
        (1.544,),
        (0.9466785280815826, 0.2557011698983284),
        (3.314825187068521, 2.896124015972201, 0.9986419139977817),
        _R4,
        (*_R4, 1.0),
    ),
    (
        (),
        (-5.6688,),
        (-2.430093356833875, -0.2063599157091915),
        (-0.1073529058151375, -9.594562251023355, -20.47028614809616),
        (7.496443313967647, -10.24680431464352, -33.99990352819905, 11.70890893206160),
        (8.083246795921522, -7.981132988064893, -31.52159432874371, 16.31930543123136, -6.058818238834054),
    ),
)

RODAS5P = Method(  # Steinebach 2023, BIT Numer. Math. 63, 27: eight stages, L-stable
    5,
    0.21193756319429014,
    (
        (),
        (3.0,),
        (2.849394379747939, 0.45842242204463923),
        (-6.954028509809101, 2.489845061869568, -10.358996098473584),
        (2.8029986275628964, 0.5072464736228206, -0.3988312541770524, -0.04721187230404641),
        _R5,
        (*_R5, 1.0),
        (*_R5, 1.0, 1.0),
    ),
    (
        (),
        (-14.155112264123755,),
        (-17.97296035885952, -2.859693295451294),
        (147.12150275711716, -1.41221402718213, 71.68940251302358),
        (165.43517024871676, -0.4592823456491126, 42.90938336958603, -5.961986721573306),
        (24.854864614690072, -3.0009227002832186, 47.4931110020768, 5.5814197821558125, -0.6610691825249471),
        (
            30.91273214028599, -3.1208243349937974, 77.79954646070892, 34.28646028294783, -19.097331116725623,
            -28.087943162872662,
        ),
        (
            37.80277123390563, -3.2571969029072276, 112.26918849496327, 66.9347231244047, -40.06618937091002,
            -54.66780262877968, -9.48861652309627,
        ),
    ),
)  # fmt: skip

METHODS = {"rodas4": RODAS4, "rodas5p": RODAS5P}


def step(method: Method, flow: Flow, y: Any, k: Any, h: Any, carried: Any = None) -> tuple[Any, Any, Any]:
    """The state after h, the step's local error, and an earlier error `carried` along (None: no error is carried).

    y is a pytree of scalars; the three results have its type.
    """
    leaves, tree = jax.tree.flatten(y)
    rate = lambda x: jax.tree.leaves(flow(jax.tree.unflatten(tree, x), k))  # noqa: E731
    gamma = method.gamma
    factors = implicit(rate, leaves, gamma * h)
    U: Matrix = []
    for a, c in zip(method.A, method.C, strict=True):
        at = [_sum([(1.0, x), *((b, u[i]) for b, u in zip(a, U, strict=True))]) for i, x in enumerate(leaves)]
        right = [gamma * h * v for v in rate(at)]
        if U:
            right = [v + gamma * _sum([(b, u[i]) for b, u in zip(c, U, strict=True)]) for i, v in enumerate(right)]
        U.append(solve(factors, right))
    after = [x + u for x, u in zip(at, U[-1], strict=True)]
    moved = None if carried is None else carry(factors, gamma, jax.tree.leaves(carried))
    pack = lambda x: None if x is None else jax.tree.unflatten(tree, x)  # noqa: E731
    return pack(after), pack(U[-1]), pack(moved)


def implicit(rate: Any, x: list[Any], size: Any) -> Matrix:
    """The factors of I - size J, J the Jacobian of the rate at x."""
    return decompose([[(i == j) - size * a for j, a in enumerate(row)] for i, row in enumerate(jacobian(rate, x))])


def carry(factors: Matrix, gamma: float, error: list[Any]) -> list[Any]:
    """An error at the end of a step that it had at its start, with the factors of I - γ h J."""
    thrice = [error := solve(factors, error) for _ in range(3)]
    return [_sum(list(zip(propagator(gamma), e, strict=True))) for e in zip(*thrice, strict=True)]


def propagator(gamma: float) -> tuple[float, float, float]:
    """Weights of s, s², s³ with s = 1/(1 - γ z): e^z to second order, and 0 at z = -∞.

    An error grows or falls along the flow as e^(h J) says, and (I - γ h J) is factored already.
    """
    c = 1 / (2 * gamma * gamma) - 2 / gamma + 1
    b = 1 / gamma - 1 - 2 * c
    return 1 - b - c, b, c


def jacobian(rate: Any, x: list[Any]) -> Matrix:
    """∂rate_i/∂x_j, column by column, so that what is zero for any state costs nothing."""
    columns = []
    for j, at in enumerate(x):
        along = lambda v, j=j: rate([*x[:j], v, *x[j + 1 :]])  # noqa: E731
        columns.append(jax.jvp(along, (at,), (jnp.ones_like(at),))[1])
    return [list(row) for row in zip(*columns, strict=True)]


def decompose(A: Matrix) -> Matrix:
    """A = L U in place of A, without pivoting: near I for small h, and a step that comes out bad is refused."""
    A = [list(row) for row in A]
    for i, pivot in enumerate(A):
        for row in A[i + 1 :]:
            row[i] = row[i] / pivot[i]
            for j in range(i + 1, len(A)):
                row[j] = row[j] - row[i] * pivot[j]
    return A


def solve(factors: Matrix, right: list[Any]) -> list[Any]:
    """x of L U x = right.

    Each x is the result of a division, not of a product with 1/pivot: XLA on CPU keeps what it holds for expensive,
    and would compute anything else again in each of its users (5 times the time of a step).
    """
    x = list(right)
    for i, row in enumerate(factors):
        for j in range(i):
            x[i] = x[i] - row[j] * x[j]
    for i in reversed(range(len(x))):
        for j in range(i + 1, len(x)):
            x[i] = x[i] - factors[i][j] * x[j]
        x[i] = x[i] / factors[i][i]
    return x


def _sum(terms: list[tuple[float, Any]]) -> Any:
    """Σ c x, without terms that are zero and products with 1."""
    products = [x if c == 1 else c * x for c, x in terms if c]
    return sum(products[1:], products[0])
