"""Data sets of captures with their truths: found and checked as a whole, read one scene at a time."""

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
