"""Captures with a truth, in the layouts in which people have them; checked as a whole, read one at a time."""

from dpanet.datasets.dataset import (
    LAYOUTS,
    Dataset,
    Layout,
    Scene,
    TrainingSplit,
    open_dataset,
    open_training_dataset,
)

__all__ = [
    "LAYOUTS",
    "Dataset",
    "Layout",
    "Scene",
    "TrainingSplit",
    "open_dataset",
    "open_training_dataset",
]
