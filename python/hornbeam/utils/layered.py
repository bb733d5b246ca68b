"""Layered drawings of graphs: boxes in ranks, long arrows led around the boxes between."""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import dataclass

GAP, RANK_GAP = 18.0, 30.0  # between boxes of a rank, between ranks
_SWEEPS = 8


@dataclass
class Place:
    """The middle and the size of a box."""

    x: float
    y: float
    width: float
    height: float


Points = list[tuple[float, float]]


def layered(
    sizes: dict[int, tuple[float, float]], arrows: list[tuple[int, int]]
) -> tuple[dict[int, Place], list[tuple[tuple[int, int], Points]], tuple[float, float]]:
    """Places of boxes so that arrows point down.

    Args:
        sizes: `{key: (width, height)}`.
        arrows: Pairs of keys, without cycles.

    Returns:
        Places, the points that each arrow passes, and the size of the whole.
    """
    rank = _ranks(sizes, arrows)
    rows: list[list[int]] = [[] for _ in range(max(rank.values(), default=0) + 1)]
    for key in sizes:
        rows[rank[key]].append(key)
    widths = {key: size[0] for key, size in sizes.items()}
    chains: list[tuple[tuple[int, int], list[int]]] = []
    free = -1
    for start, end in arrows:  # a long arrow passes an invisible box in each rank between
        chain = [start]
        for between in range(rank[start] + 1, rank[end]):
            rows[between].append(free)
            widths[free] = 8.0
            chain.append(free)
            free -= 1
        chains.append(((start, end), [*chain, end]))
    links = [(a, b) for _, chain in chains for a, b in itertools.pairwise(chain)]
    _order(rows, links)
    x = _spread(rows, widths, links)
    heights = [max((sizes[k][1] for k in row if k in sizes), default=0.0) for row in rows]
    y, top = [], 0.0
    for height in heights:
        y.append(top + height / 2)
        top += height + RANK_GAP
    level = {key: i for i, row in enumerate(rows) for key in row}
    left = min((x[k] - widths[k] / 2 for k in x), default=0.0)
    right = max((x[k] + widths[k] / 2 for k in x), default=0.0)
    places = {k: Place(x[k] - left, y[level[k]], *sizes[k]) for k in sizes}
    lines = []
    for arrow, chain in chains:
        points = [(x[chain[0]] - left, y[level[chain[0]]] + sizes[chain[0]][1] / 2)]
        for key in chain[1:-1]:
            half = heights[level[key]] / 2
            points += [(x[key] - left, y[level[key]] - half), (x[key] - left, y[level[key]] + half)]
        points.append((x[chain[-1]] - left, y[level[chain[-1]]] - sizes[chain[-1]][1] / 2))
        lines.append((arrow, points))
    return places, lines, (right - left, max(top - RANK_GAP, 0.0))


def _ranks(sizes: dict[int, tuple[float, float]], arrows: list[tuple[int, int]]) -> dict[int, int]:
    """The longest way from a start; starts are pulled down to just above their first user."""
    before, after = defaultdict(list), defaultdict(list)
    for start, end in arrows:
        before[end].append(start)
        after[start].append(end)
    rank: dict[int, int] = {}
    waiting = {key: len(before[key]) for key in sizes}
    ready = [key for key in sizes if not waiting[key]]
    while ready:
        key = ready.pop(0)
        rank[key] = max((rank[k] + 1 for k in before[key]), default=0)
        for user in after[key]:
            waiting[user] -= 1
            if not waiting[user]:
                ready.append(user)
    for key in sizes:
        if not before[key] and after[key]:
            rank[key] = min(rank[user] for user in after[key]) - 1
    return rank


def _order(rows: list[list[int]], links: list[tuple[int, int]]) -> None:
    """Sort ranks by the mean place of the neighbours, down and up again, so that few cross."""
    up, down = defaultdict(list), defaultdict(list)
    for a, b in links:
        down[a].append(b)
        up[b].append(a)
    for sweep in range(_SWEEPS):
        across, order = (up, rows[1:]) if sweep % 2 == 0 else (down, rows[-2::-1])
        for row in order:
            at = {key: i for r in rows for i, key in enumerate(r)}
            mean = {
                key: sum(at[k] for k in across[key]) / len(across[key]) if across[key] else at[key]
                for key in row
            }
            row.sort(key=mean.__getitem__)


def _spread(
    rows: list[list[int]], widths: dict[int, float], links: list[tuple[int, int]]
) -> dict[int, float]:
    """Places along the ranks: near the neighbours, without overlaps."""
    near = defaultdict(list)
    for a, b in links:
        near[a].append(b)
        near[b].append(a)
    x: dict[int, float] = {}
    for row in rows:
        at = 0.0
        for key in row:
            x[key] = at + widths[key] / 2
            at += widths[key] + GAP
        for key in row:
            x[key] -= (at - GAP) / 2
    for _ in range(3 * _SWEEPS):
        for row in rows:
            wish = {k: sum(x[n] for n in near[k]) / len(near[k]) if near[k] else x[k] for k in row}
            _settle(row, wish, widths, x)
    return x


def _settle(
    row: list[int], wish: dict[int, float], widths: dict[int, float], x: dict[int, float]
) -> None:
    """Boxes of a rank at their wishes; those that would overlap stand together around the mean."""
    groups: list[tuple[list[int], float, float]] = []  # keys, width, middle
    for key in row:
        group = ([key], widths[key], wish[key])
        while groups and groups[-1][2] + groups[-1][1] / 2 + GAP > group[2] - group[1] / 2:
            keys, width, middle = groups.pop()
            whole = width + GAP + group[1]
            n, m = len(keys), len(group[0])
            # the middle at which the members are nearest to their wishes
            mine = middle - width / 2 + whole / 2
            other = group[2] + group[1] / 2 - whole / 2
            group = (keys + group[0], whole, (n * mine + m * other) / (n + m))
        groups.append(group)
    for keys, width, middle in groups:
        at = middle - width / 2
        for key in keys:
            x[key] = at + widths[key] / 2
            at += widths[key] + GAP
