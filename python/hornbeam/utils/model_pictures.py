"""plot_model and model_to_dot: pictures of a model's layers, without graphviz."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from hornbeam.utils.drawing import FONT, FROZEN, HEAD, INK, TRAINED, Drawing, text_width
from hornbeam.utils.layered import Points, layered
from hornbeam.utils.model_graph import Box, Graph, Options, graph_of
from hornbeam.utils.optional import need

_LINE = FONT * 1.6
_MARGIN = 10.0
_DIRECTIONS = ("TB", "BT", "LR", "RL")
_SPLINES = ("ortho", "polyline", "line")


def plot_model(
    model: Any,
    to_file: Any = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = False,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
    **kwargs: Any,
) -> Drawing:
    """Draw the layers of a model and what flows between them.

    Args:
        model: A built model.
        to_file: Where to: .svg needs nothing else; .png, .pdf and .jpg are written by matplotlib.
            None writes no file.
        show_shapes: Whether boxes have the shapes of inputs and outputs.
        show_dtype: Whether they have the dtypes of outputs.
        show_layer_names: Whether they have the names of layers.
        rankdir: Where arrows point: "TB" down, "BT" up, "LR" to the right, "RL" to the left.
        expand_nested: Whether models inside of the model are drawn with what is in them.
        dpi: Dots in an inch of a .png or .jpg.
        show_layer_activations: Whether boxes have the activations.
        show_trainable: Whether they tell which layers are trained.
        splines: How arrows run: "ortho" in right angles, "polyline" straight around the boxes
            between, "line" straight from box to box.

    Returns:
        The `Drawing`: notebooks show it, `.svg()` is its text, `.save(path)` writes it.

    Example:
        >>> x = hb.Input((4,))
        >>> model = hb.Model(x, hb.layers.Dense(2)(x))
        >>> hb.utils.plot_model(model, to_file=None, show_shapes=True).svg()[:4]
        '<svg'
    """
    _check(model, rankdir, "plot_model", kwargs)
    if splines not in _SPLINES:
        raise ValueError(f"plot_model: splines must be one of {_SPLINES}. Received: {splines!r}.")
    options = Options(
        show_shapes, show_dtype, show_layer_names, show_layer_activations, show_trainable,
        expand_nested,
    )  # fmt: skip
    drawing = Drawing()
    width, height, draw = _block(graph_of(model, options), rankdir, splines)
    drawing.width, drawing.height = width + 2 * _MARGIN, height + 2 * _MARGIN
    draw(drawing, _MARGIN, _MARGIN)
    if to_file is not None:
        drawing.save(to_file, dpi)
    return drawing


def _check(model: Any, rankdir: str, where: str, kwargs: dict[str, Any]) -> None:
    if kwargs:
        raise ValueError(f"{where}: unknown arguments {sorted(kwargs)}.")
    if rankdir not in _DIRECTIONS:
        raise ValueError(f"{where}: rankdir must be one of {_DIRECTIONS}. Received: {rankdir!r}.")
    if not getattr(model, "built", False):
        raise ValueError(
            f"{where}: model '{getattr(model, 'name', model)}' has not been built yet. Call it on "
            f"data, or build() it."
        )


def _block(graph: Graph, rankdir: str, splines: str) -> tuple[float, float, Any]:
    """Width and height of a graph, and a function that draws it from a corner on."""
    sideways = rankdir in ("LR", "RL")
    parts = {box.key: _part(box, rankdir, splines) for box in graph.boxes}
    sizes = {key: (h, w) if sideways else (w, h) for key, (w, h, _) in parts.items()}
    places, lines, whole = layered(sizes, graph.arrows)
    across, along = whole

    def turned(x: float, y: float) -> tuple[float, float]:
        y = along - y if rankdir in ("BT", "RL") else y
        return (y, x) if sideways else (x, y)

    def draw(drawing: Drawing, left: float, top: float) -> None:
        for key, (w, h, part) in parts.items():
            x, y = turned(places[key].x, places[key].y)
            part(drawing, left + x - w / 2, top + y - h / 2)
        for _, points in lines:
            moved: Points = [turned(x, y) for x, y in _bent(points, splines)]
            drawing.arrows.append([(left + x, top + y) for x, y in moved])

    return (along, across, draw) if sideways else (across, along, draw)


def _bent(points: Points, splines: str) -> Points:
    """The way of an arrow from rank to rank, in the manner that is asked for."""
    if splines == "line":
        return [points[0], points[-1]]
    if splines == "polyline":
        return points
    way = points[:1]
    for (x0, y0), (x1, y1) in pairwise(points):
        if abs(x0 - x1) > 0.5:
            way += [(x0, (y0 + y1) / 2), (x1, (y0 + y1) / 2)]
        way.append((x1, y1))
    return way


def _part(box: Box, rankdir: str, splines: str) -> tuple[float, float, Any]:
    """Width and height of a box, and a function that draws it from a corner on."""
    border = INK if box.trainable is None else TRAINED if box.trainable else FROZEN
    width = max(text_width(line, i == 0) for i, line in enumerate(box.lines)) + 14
    height = _LINE * len(box.lines) + 4
    inner: Any = None
    if box.inside is not None:
        inner_width, inner_height, inner = _block(box.inside, rankdir, splines)
        width = max(width, inner_width + 2 * _MARGIN)
        height += inner_height + 2 * _MARGIN

    def draw(drawing: Drawing, left: float, top: float) -> None:
        drawing.boxes.append((left, top, width, height, "white", border))
        drawing.boxes.append((left, top, width, _LINE + 2, HEAD, border))
        for i, line in enumerate(box.lines):
            middle = top + _LINE * (i + 0.72) + (2 if i else 0)
            drawing.texts.append((left + width / 2, middle, line, i == 0))
        if inner is not None:
            below = top + _LINE * len(box.lines) + 4 + _MARGIN
            inner(drawing, left + (width - inner_width) / 2, below)

    return width, height, draw


def model_to_dot(
    model: Any,
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    subgraph: bool = False,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
    **kwargs: Any,
) -> Any:
    """The layers of a model as a graph of pydot, for those who have graphviz.

    Args:
        model: A built model.
        show_shapes: As in `plot_model`, like the arguments below.
        show_dtype: Whether nodes have the dtypes of outputs.
        show_layer_names: Whether they have the names of layers.
        rankdir: Where arrows point.
        expand_nested: Whether nested models become clusters.
        dpi: Dots in an inch.
        subgraph: Whether a `pydot.Cluster` is returned, to be put into another graph.
        show_layer_activations: Whether nodes have the activations.
        show_trainable: Whether they tell which layers are trained.
        splines: How arrows run, in graphviz' words.

    Returns:
        A `pydot.Dot`, or a `pydot.Cluster`.
    """
    _check(model, rankdir, "model_to_dot", kwargs)
    pydot = need("pydot", "for model_to_dot", "plot", "plot_model does without it.")
    options = Options(
        show_shapes, show_dtype, show_layer_names, show_layer_activations, show_trainable,
        expand_nested,
    )  # fmt: skip
    if subgraph:
        dot = pydot.Cluster(style="dashed", graph_name=model.name, label=f'"{model.name}"')
        dot.set("labeljust", "l")
    else:
        dot = pydot.Dot(graph_type="digraph")
        dot.set("rankdir", rankdir)
        dot.set("dpi", str(dpi))
        dot.set("splines", splines)
        dot.set("concentrate", "True")
        dot.set_node_defaults(shape="box")
    _fill(pydot, dot, graph_of(model, options))
    return dot


def _fill(pydot: Any, dot: Any, graph: Graph) -> None:
    first: dict[int, str] = {}
    last: dict[int, str] = {}
    for box in graph.boxes:
        label = "\\n".join(line.replace('"', "'") for line in box.lines)
        if box.inside is None or not box.inside.boxes:
            color = "black" if box.trainable is None else TRAINED if box.trainable else FROZEN
            dot.add_node(pydot.Node(str(box.key), label=f'"{label}"', color=f'"{color}"'))
            first[box.key] = last[box.key] = str(box.key)
        else:
            cluster = pydot.Cluster(str(box.key), label=f'"{label}"', style="dashed")
            _fill(pydot, cluster, box.inside)
            dot.add_subgraph(cluster)
            first[box.key] = str(box.inside.boxes[0].key)
            last[box.key] = str(box.inside.boxes[-1].key)
    for start, end in graph.arrows:
        dot.add_edge(pydot.Edge(last[start], first[end]))
