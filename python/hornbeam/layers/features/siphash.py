"""SipHash-2-4 of many strings at once (Aumasson and Bernstein, 2012).

The keyed hash behind TensorFlow's `to_hash_bucket_strong`, which layers with a `salt` use.
"""

from collections.abc import Sequence

import numpy as np

from hornbeam.layers.features.farmhash import Words, by_length, fetch, rotate

_START = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)


def siphash(strings: Sequence[bytes], key: Sequence[int]) -> Words:
    """Keyed hashes of byte strings.

    Args:
        strings: Byte strings.
        key: Two integers of 64 bits.

    Returns:
        A uint64 array (len(strings),).

    Example:
        >>> from hornbeam.layers.features.siphash import siphash
        >>> hex(siphash([bytes(range(15))], [0x0706050403020100, 0x0F0E0D0C0B0A0908])[0])
        '0xa129ca6149be45e5'
    """
    keys = [np.uint64(int(part) % 2**64) for part in key]
    return by_length(strings, lambda rows: _hash_rows(rows, keys))


def _hash_rows(rows: Words, keys: list[np.uint64]) -> Words:
    count, length = rows.shape
    full = -(-(length + 1) // 8) * 8  # the last byte holds the length
    padded = np.zeros((count, full), np.uint8)
    padded[:, :length] = rows
    padded[:, -1] = length % 256
    v = [np.full(count, np.uint64(s) ^ keys[i % 2]) for i, s in enumerate(_START)]
    for at in range(0, full, 8):
        word = fetch(padded, at)
        v[3] = v[3] ^ word
        _rounds(v, 2)
        v[0] = v[0] ^ word
    v[2] = v[2] ^ np.uint64(0xFF)
    _rounds(v, 4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def _rounds(v: list[Words], count: int) -> None:
    for _ in range(count):
        v[0] = v[0] + v[1]
        v[2] = v[2] + v[3]
        v[1] = rotate(v[1], 64 - 13) ^ v[0]
        v[3] = rotate(v[3], 64 - 16) ^ v[2]
        v[0] = rotate(v[0], 32)
        v[2] = v[2] + v[1]
        v[0] = v[0] + v[3]
        v[1] = rotate(v[1], 64 - 17) ^ v[2]
        v[3] = rotate(v[3], 64 - 21) ^ v[0]
        v[2] = rotate(v[2], 32)
