"""What older code imports from `keras.legacy`."""

from hornbeam.legacy import saving as saving

__all__ = ["saving"]
