"""The class of all networks, and what they do to the views before anything else."""

from __future__ import annotations

from typing import Any, ClassVar

import torch.nn.functional as F
from torch import Tensor, nn

from dpanet.errors import ConfigError, ShapeError
from dpanet.network.config import ModelConfig
from dpanet.network.defocus_head import DefocusHead
from dpanet.network.description import Description
from dpanet.network.old_names import rename_parameters

SMALLEST_SIDE = 16
"""Smallest allowed side of a view, in px."""


class Network(nn.Module):
    """A network that turns two views into the deblurred picture.

    Subclasses implement `with_scales` and `description`. Parameters that were saved under earlier names are loaded.
    """

    family: ClassVar[str]
    """Name of the kind of network in checkpoints."""
    config: Any
    """Of the subclass's own kind of `ModelConfig`."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.defocus: DefocusHead | None = None
        self.register_load_state_dict_pre_hook(_accept_old_names)  # type: ignore[no-untyped-call]

    @property
    def description(self) -> Description:
        """What the network needs and can do."""
        raise NotImplementedError

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        """Deblur a pair.

        Args:
            left: (B, 3, H, W), RGB, display-encoded, 1.0 = white, H and W at least 16 px.
            right: likewise, of the same shape.

        Returns:
            (B, 3, H, W), the deblurred picture. Sizes that are no multiple of `ModelConfig.multiple_of` are padded
            by reflection on the right and below, and cropped again.

        Raises:
            ShapeError: if the views differ in shape or are too small.
        """
        return self.with_scales(left, right)[0]

    def with_scales(self, left: Tensor, right: Tensor) -> list[Tensor]:
        """Deblur a pair; return the picture and the network's smaller pictures, which the training loss compares too.

        The smaller pictures are not cropped: give sides that are multiples of `ModelConfig.multiple_of`.

        Returns:
            `Description.scales` pictures, (B, 3, h, w), finest first.

        Raises:
            ShapeError: as `forward`.
        """
        raise NotImplementedError

    def with_defocus(self, left: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
        """Deblur a pair; return the picture and the defocus map, where `Description.has_defocus` says so.

        Returns:
            The picture, (B, 3, H, W), and the signed blur radius, (B, 1, H, W), in px; its sign: `DefocusHead`.

        Raises:
            ShapeError: as `forward`.
            ConfigError: if the network has no defocus map.
        """
        raise ConfigError(
            f"the model {self.config.name!r} has no defocus map; take one whose config has defocus, such as compact"
        )


def check_views(left: Tensor, right: Tensor) -> None:
    """Check that both views are (B, 3, H, W) of one shape, with at least 16 px a side.

    Raises:
        ShapeError: if not.
    """
    if left.shape != right.shape or left.dim() != 4 or left.shape[1] != 3:
        raise ShapeError(
            f"the network was given views of shapes {tuple(left.shape)} and {tuple(right.shape)}; "
            "it needs two (B, 3, H, W) tensors of one shape"
        )
    if min(left.shape[-2:]) < SMALLEST_SIDE:
        raise ShapeError(
            f"the views are {left.shape[-1]} x {left.shape[-2]} px; at least {SMALLEST_SIDE} px a side are needed"
        )


def pad_to_multiple(view: Tensor, multiple: int) -> Tensor:
    """Pad a view on the right and below until both sides are multiples of `multiple`.

    Args:
        view: (B, C, H, W).
        multiple: px.

    Returns:
        The padded view; the padding is a reflection, repeated where the view is smaller than the padding.
    """
    height, width = view.shape[-2:]
    missing = (-height % multiple, -width % multiple)
    while missing != (0, 0):
        step = (min(missing[0], view.shape[-2] - 1), min(missing[1], view.shape[-1] - 1))
        view = F.pad(view, (0, step[1], 0, step[0]), mode="reflect")
        missing = (missing[0] - step[0], missing[1] - step[1])
    return view


def _accept_old_names(module: nn.Module, parameters: dict[str, Any], prefix: str, *_: Any) -> None:
    """Rename, in place, parameters that were saved under earlier names."""
    inside = {
        name[len(prefix) :]: parameters.pop(name) for name in list(parameters) if name.startswith(prefix)
    }
    parameters.update({prefix + name: tensor for name, tensor in rename_parameters(inside).items()})
