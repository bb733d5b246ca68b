"""CIFAR-100: small photographs in a hundred classes."""

from hornbeam.datasets import _cifar
from hornbeam.datasets._reading import Split

__all__ = ["load_data"]


def load_data(label_mode: str = "fine") -> Split:
    """60,000 photographs of 32 by 32 pixels in a hundred classes, 10,000 of them for tests.

    Reads `~/.keras/datasets/cifar-100-python-target_archive` (the published archive), or the folder
    `cifar-100-python-target/cifar-100-python`.

    Args:
        label_mode: "fine" for the hundred classes, "coarse" for the twenty that they belong to.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: uint8 (N, 32, 32, 3), or (N, 3, 32, 32) if
        `hb.config.image_data_format()` is "channels_first", and integers (N, 1).

    Raises:
        FileNotFoundError: If the files are not there; nothing is downloaded.
    """
    if label_mode not in ("fine", "coarse"):
        raise ValueError(
            f"cifar100.load_data: label_mode must be 'fine' or 'coarse'. Received: {label_mode!r}."
        )
    return _cifar.load(
        "cifar-100", "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
        ["train"], "test", f"{label_mode}_labels",
    )  # fmt: skip
