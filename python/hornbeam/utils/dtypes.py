"""Names of dtypes."""

from typing import Any

from hornbeam import config
from hornbeam.ops._base import dtype_name


def standardize_dtype(dtype: Any) -> str:
    """The name of a dtype given as a string, a NumPy or PyTorch dtype or a Python type.

    Args:
        dtype: The dtype; the default float dtype for None.

    Example:
        >>> hb.utils.standardize_dtype(np.float64), hb.utils.standardize_dtype(None)
        ('float64', 'float32')
    """
    if dtype is None:
        return config.floatx()
    if dtype is str or dtype == "string":
        return "string"
    text = str(dtype)
    return dtype_name(text.rpartition(".")[2] if text.startswith("torch.") else dtype)
