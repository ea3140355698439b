"""Networks that a trainer trains: encoders that show every block, and the small networks on top of them.

Each is called `y, net = net(x, train)`: x (b, h, w, c) or (b, n), already float and normalised, and the network comes
back with its running statistics moved. It computes in the dtype of x; parameters keep their own.
"""

from experiments.networks.encoders import ENCODERS, Encoder
from experiments.networks.heads import mlp
from experiments.networks.state import join, refreshed, split

__all__ = ["ENCODERS", "Encoder", "join", "mlp", "refreshed", "split"]
