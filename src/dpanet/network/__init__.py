"""The networks: two views in, the deblurred picture out. Tensors only; files are read and written elsewhere."""

from dpanet.network.base import Network
from dpanet.network.build import build
from dpanet.network.description import Description
from dpanet.network.dpanet import DPANet
from dpanet.network.dpanet_config import DPANetConfig
from dpanet.network.presets import PRESETS, preset

__all__ = ["PRESETS", "DPANet", "DPANetConfig", "Description", "Network", "build", "preset"]
