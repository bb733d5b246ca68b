"""The perspective that takes four points to four others."""

from typing import Any

from hornbeam.ops._base import tensor
from hornbeam.ops.joining import stack


def _basis(points: Any) -> list[Any]:
    """The 3x3 matrix, row by row, that takes e1, e2, e3 and their sum to four points (..., 4, 2).

    With M the first three points as columns (x, y, 1), it is M diag(adj(M) p4).
    """
    (x1, y1), (x2, y2), (x3, y3), (x4, y4) = (
        (points[..., i, 0], points[..., i, 1]) for i in range(4)
    )
    u = (y2 - y3) * x4 + (x3 - x2) * y4 + (x2 * y3 - x3 * y2)
    v = (y3 - y1) * x4 + (x1 - x3) * y4 + (x3 * y1 - x1 * y3)
    w = (y1 - y2) * x4 + (x2 - x1) * y4 + (x1 * y2 - x2 * y1)
    return [x1 * u, x2 * v, x3 * w, y1 * u, y2 * v, y3 * w, u, v, w]


def _adjugate(m: list[Any]) -> list[Any]:
    a, b, c, d, e, f, g, h, i = m
    return [
        e * i - f * h, c * h - b * i, b * f - c * e,
        f * g - d * i, a * i - c * g, c * d - a * f,
        d * h - e * g, b * g - a * h, a * e - b * d,
    ]  # fmt: skip


def homography(start_points: Any, end_points: Any) -> Any:
    """a0, a1, a2, b0, b1, b2, c0, c1 of the perspective from the end points to the start points.

    Float64 inside: the products of coordinates cancel.

    Args:
        start_points: (..., 4, 2).
        end_points: (..., 4, 2).

    Returns:
        (..., 8).
    """
    dtype = start_points.dtype
    to = _basis(tensor(start_points, "float64"))
    back = _adjugate(_basis(tensor(end_points, "float64")))
    h = [sum(to[3 * r + k] * back[3 * k + c] for k in range(3)) for r in range(3) for c in range(3)]
    return tensor(stack([value / h[8] for value in h[:8]], axis=-1), dtype)
