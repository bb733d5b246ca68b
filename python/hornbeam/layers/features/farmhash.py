"""FarmHash fingerprints of many strings at once.

The 64-bit fingerprint of Google's FarmHash (Pike and Alakuijala, 2014; `farmhashna::Hash64`), which
TensorFlow's `to_hash_bucket_fast` takes: the bins of `Hashing` equal Keras'. Strings of one length
are worked on together, each step being one of NumPy on unsigned 64-bit numbers, which wrap around.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Words = Any  # uint64 arrays: one number for each string

_K0 = np.uint64(0xC3A5C85C97CB3127)
_K1 = np.uint64(0xB492B66FBE98F273)
_K2 = np.uint64(0x9AE16A3B2F90404F)
_CAT = np.uint64(0xC6A4A7935BD1E995)
_BLOCK = 64  # bytes of a step of the hash of long strings


def by_length(strings: Sequence[bytes], hash_rows: Callable[[Any], Words]) -> Words:
    """Hashes of strings: `hash_rows` gets those of each length as rows of bytes (n, length)."""
    lengths = np.fromiter(map(len, strings), np.int64, len(strings))
    text = np.frombuffer(b"".join(strings), np.uint8)
    starts = np.cumsum(lengths) - lengths
    hashes = np.empty(len(strings), np.uint64)
    for length in np.unique(lengths):
        at = np.flatnonzero(lengths == length)
        rows = text[starts[at, None] + np.arange(length)]
        with np.errstate(over="ignore"):
            hashes[at] = hash_rows(rows)
    return hashes


def fingerprint64(strings: Sequence[bytes]) -> Words:
    """Fingerprints of byte strings.

    Args:
        strings: Byte strings.

    Returns:
        A uint64 array (len(strings),).

    Example:
        >>> from hornbeam.layers.features.farmhash import fingerprint64
        >>> [int(h) % 10 for h in fingerprint64([b"a", b"b", b""])]
        [9, 2, 3]
    """
    return by_length(strings, _hash_rows)


def fingerprint_cat(first: Words, second: Words) -> Words:
    """One fingerprint of two, as TensorFlow's crosses put them together."""
    with np.errstate(over="ignore"):
        mixed = first ^ _CAT ^ (_shift_mix(second * _CAT) * _CAT)
        return _shift_mix(_shift_mix(mixed * _CAT) * _CAT)


def _hash_rows(rows: Any) -> Words:
    length = rows.shape[1]
    if length <= 16:
        return _up_to_16(rows)
    if length <= 32:
        return _up_to_32(rows)
    return _up_to_64(rows) if length <= 64 else _longer(rows)


def fetch(rows: Any, at: int, size: int = 8) -> Words:
    """The little-endian number in `size` bytes from `at`, of each row."""
    part = np.ascontiguousarray(rows[:, at : at + size])
    return part.view(f"<u{size}")[:, 0].astype(np.uint64)


def rotate(x: Words, right: int) -> Words:
    """Bits rotated to the right."""
    return (x >> np.uint64(right)) | (x << np.uint64(64 - right))


def _shift_mix(x: Words) -> Words:
    return x ^ (x >> np.uint64(47))


def _mix(u: Words, v: Words, mul: Words) -> Words:
    a = _shift_mix((u ^ v) * mul)
    return _shift_mix((v ^ a) * mul) * mul


def _up_to_16(rows: Any) -> Words:
    count, length = rows.shape
    mul = _K2 + np.uint64(2 * length)
    if length >= 8:
        a, b = fetch(rows, 0) + _K2, fetch(rows, length - 8)
        return _mix(rotate(b, 37) * mul + a, (rotate(a, 25) + b) * mul, mul)
    if length >= 4:
        a, b = fetch(rows, 0, 4), fetch(rows, length - 4, 4)
        return _mix((a << np.uint64(3)) + np.uint64(length), b, mul)
    if length:
        a, b, c = (rows[:, i].astype(np.uint64) for i in (0, length >> 1, length - 1))
        y, z = a + (b << np.uint64(8)), np.uint64(length) + (c << np.uint64(2))
        return _shift_mix(y * _K2 ^ z * _K0) * _K2
    return np.full(count, _K2)


def _up_to_32(rows: Any) -> Words:
    length = rows.shape[1]
    mul = _K2 + np.uint64(2 * length)
    a, b = fetch(rows, 0) * _K1, fetch(rows, 8)
    c, d = fetch(rows, length - 8) * mul, fetch(rows, length - 16) * _K2
    return _mix(rotate(a + b, 43) + rotate(c, 30) + d, a + rotate(b + _K2, 18) + c, mul)


def _up_to_64(rows: Any) -> Words:
    length = rows.shape[1]
    mul = _K2 + np.uint64(2 * length)
    a, b = fetch(rows, 0) * _K2, fetch(rows, 8)
    c, d = fetch(rows, length - 8) * mul, fetch(rows, length - 16) * _K2
    y = rotate(a + b, 43) + rotate(c, 30) + d
    z = _mix(y, a + rotate(b + _K2, 18) + c, mul)
    e, f = fetch(rows, 16) * mul, fetch(rows, 24)
    g, h = (y + fetch(rows, length - 32)) * mul, (z + fetch(rows, length - 24)) * mul
    return _mix(rotate(e + f, 43) + rotate(g, 30) + h, e + rotate(f + a, 18) + g, mul)


class _Long:
    """What the hash of strings of more than 64 bytes carries from block to block."""

    def __init__(self, rows: Any) -> None:
        self.rows = rows
        zero = np.zeros(len(rows), np.uint64)
        seed = np.uint64(81)
        self.y = zero + seed * _K1 + np.uint64(113)
        self.z = _shift_mix(self.y * _K2 + np.uint64(113)) * _K2
        self.x = zero + seed * _K2 + fetch(rows, 0)
        self.v, self.w = (zero, zero), (zero, zero)

    def block(self, at: int, mul: Words, nine: int = 1) -> None:
        """Take in the 64 bytes from `at`."""
        rows, many = self.rows, np.uint64(nine)
        self.x = rotate(self.x + self.y + self.v[0] + fetch(rows, at + 8), 37) * mul
        self.y = rotate(self.y + self.v[1] + fetch(rows, at + 48), 42) * mul
        self.x = self.x ^ (self.w[1] * many)
        self.y = self.y + self.v[0] * many + fetch(rows, at + 40)
        self.z = rotate(self.z + self.w[0], 33) * mul
        self.v = self._weak(at, self.v[1] * mul, self.x + self.w[0])
        self.w = self._weak(at + 32, self.z + self.w[1], self.y + fetch(rows, at + 16))
        self.z, self.x = self.x, self.z

    def _weak(self, at: int, a: Words, b: Words) -> tuple[Words, Words]:
        w, x, y, z = (fetch(self.rows, at + offset) for offset in (0, 8, 16, 24))
        a = a + w
        b = rotate(b + a + z, 21)
        c = a
        a = a + x + y
        return a + z, b + rotate(a, 44) + c


def _longer(rows: Any) -> Words:
    length = rows.shape[1]
    state = _Long(rows)
    for at in range(0, (length - 1) // _BLOCK * _BLOCK, _BLOCK):
        state.block(at, _K1)
    mul = _K1 + ((state.z & np.uint64(0xFF)) << np.uint64(1))
    w = state.w[0] + np.uint64((length - 1) % _BLOCK)
    v = state.v[0] + w
    state.v, state.w = (v, state.v[1]), (w + v, state.w[1])
    state.block(length - _BLOCK, mul, nine=9)
    first = _mix(state.v[0], state.w[0], mul) + _shift_mix(state.y) * _K0 + state.z
    return _mix(first, _mix(state.v[1], state.w[1], mul) + state.x, mul)
