"""Sequences of one length."""

from hornbeam.utils.sequences import pad_sequences

__all__ = ["pad_sequences"]
