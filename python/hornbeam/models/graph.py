"""The graph between inputs and outputs: which calls lie on the way, in which order."""

from __future__ import annotations

from typing import Any

from hornbeam import tree
from hornbeam.symbolic import KerasTensor, Node


class GraphPlan:
    """Nodes from inputs to outputs.

    Attributes:
        nodes: Calls in an order in which they can run.
        operations: What is called, by decreasing depth, then in the order of a walk from the
            outputs: the order of `model.layers`, which names in weight files depend on.
        depths: `{id(node): longest way to an output}`.
        aliases: `{id(inner): outer}`: inputs of nested models that stand for tensors around them.
    """

    def __init__(
        self, inputs: list[KerasTensor], outputs: list[KerasTensor], who: str = "Model"
    ) -> None:
        self._who = who
        self._inputs = inputs
        self._given = {id(tensor) for tensor in inputs}
        self.aliases: dict[int, KerasTensor] = {}
        self._indices: dict[int, int] = {}
        self._operations: dict[int, Any] = {}
        order = self._walk(outputs)
        self.nodes = order
        self.depths: dict[int, int] = {}
        self.operations = self._by_depth(order)
        self.steps = [GraphStep(node) for node in order if not self._is_start(node)]

    def run(
        self, values: dict[int, Any], steps: list[GraphStep] | None = None, call: Any = None
    ) -> None:
        """Compute everything from the inputs' values.

        Args:
            values: `{id(symbolic tensor): value}`: has the inputs, and is given the rest.
            steps: Calls to run; all when left out.
            call: `fn(operation, *args, **kwargs)`, in the place of `operation(*args, **kwargs)`.
        """
        for step in self.steps if steps is None else steps:
            if self.aliases:
                for inner, outer in self.aliases.items():
                    if inner not in values and id(outer) in values:
                        values[inner] = values[id(outer)]
            step.run(values, call)

    def _parents(self, node: Node) -> list[Node]:
        """Nodes that must run before this one."""
        parents = []
        for tensor in node.inputs:
            if id(tensor) not in self._given:
                tensor = self.aliases.get(id(tensor), tensor)
            if tensor.node is None or (id(tensor) in self._given and not tensor.node.is_input):
                continue  # a value given, from the middle of another graph
            parents.append(tensor.node)
        return parents

    def _walk(self, outputs: list[KerasTensor]) -> list[Node]:
        done: set[int] = set()
        order: list[Node] = []
        for output in outputs:
            if output.node is None or (id(output) in self._given and not output.node.is_input):
                if id(output) not in self._given:
                    raise ValueError(
                        f"{self._who}: the output {output!r} was not made by any layer."
                    )
                continue
            stack: list[tuple[Node, int]] = [(output.node, 0)]
            while stack:
                node, at = stack.pop()
                if id(node) in done:
                    continue
                if at == 0:
                    self._enter(node)
                parents = [] if self._is_start(node) else self._parents_checked(node)
                while at < len(parents) and id(parents[at]) in done:
                    at += 1
                if at < len(parents):
                    stack.append((node, at + 1))
                    stack.append((parents[at], 0))
                else:
                    done.add(id(node))
                    order.append(node)
        return order

    def _enter(self, node: Node) -> None:
        key = id(node.operation)
        if key not in self._indices:
            self._indices[key] = len(self._indices)
            self._operations[key] = node.operation

    def _is_start(self, node: Node) -> bool:
        return bool(node.outputs) and all(id(tensor) in self._given for tensor in node.outputs)

    def _parents_checked(self, node: Node) -> list[Node]:
        for tensor in node.inputs:
            unknown = id(tensor) not in self._given and id(tensor) not in self.aliases
            if unknown and tensor.node is not None and tensor.node.is_input:
                outer = self._outermost(tensor)
                if outer is None:
                    names = [given.name for given in self._inputs]
                    raise ValueError(
                        f"{self._who}: graph disconnected: layer '{node.operation.name}' needs "
                        f"the input '{tensor.name}', which is not among its inputs. "
                        f"Received: inputs={names}."
                    )
                self.aliases[id(tensor)] = outer
        return self._parents(node)

    def _outermost(self, inner: KerasTensor) -> KerasTensor | None:
        """What stands for an input of a nested model, through as many models as it takes."""
        outer = self._around(inner)
        while outer is not None and id(outer) not in self._given:
            if outer.node is None or not outer.node.is_input:
                break
            outer = self._around(outer)
        return outer

    def _around(self, inner: KerasTensor) -> KerasTensor | None:
        """What a nested model was given for its input `inner`, somewhere after our inputs."""
        seen: set[int] = set()
        queue = [tensor.node for tensor in self._inputs if tensor.node is not None]
        queue += [alias.node for alias in self.aliases.values() if alias.node is not None]
        while queue:
            node = queue.pop(0)
            if id(node) in seen:
                continue
            seen.add(id(node))
            for user in list(node.operation._outbound_nodes):
                inner_inputs = getattr(user.operation, "_graph_inputs", None)
                for i, candidate in enumerate(inner_inputs() if inner_inputs else ()):
                    if candidate is inner and i < len(user.inputs):
                        return user.inputs[i]
                queue.append(user)
                # the inside of nested models is walked too
                for candidate in inner_inputs() if inner_inputs else ():
                    if candidate.node is not None:
                        queue.append(candidate.node)
        return None

    def _by_depth(self, order: list[Node]) -> list[Any]:
        """Depth is the longest way to an output; an operation has that of its deepest call."""
        depth = self.depths
        of_operation: dict[int, int] = {}
        for node in reversed(order):
            key = id(node.operation)
            depth[id(node)] = max(depth.get(id(node), 0), of_operation.get(key, 0))
            of_operation[key] = depth[id(node)]
            if not self._is_start(node):
                for parent in self._parents(node):
                    depth[id(parent)] = max(depth.get(id(parent), 0), depth[id(node)] + 1)
        for tensor in self._inputs:  # inputs that lead to no output
            if tensor.node is not None and id(tensor.node.operation) not in of_operation:
                self._operations[id(tensor.node.operation)] = tensor.node.operation
                self._indices[id(tensor.node.operation)] = -1
                of_operation[id(tensor.node.operation)] = 0
        keys = sorted(of_operation, key=lambda key: (-of_operation[key], self._indices[key]))
        return [self._operations[key] for key in keys]


class GraphStep:
    """One call of the graph, prepared."""

    __slots__ = ("node", "one_in", "one_out")

    def __init__(self, node: Node) -> None:
        self.node = node
        plain = len(node.args) == 1 and isinstance(node.args[0], KerasTensor) and not node.kwargs
        self.one_in = id(node.args[0]) if plain else None
        single = len(node.outputs) == 1 and isinstance(node.output_structure, KerasTensor)
        self.one_out = id(node.outputs[0]) if single else None

    def run(self, values: dict[int, Any], call: Any) -> None:
        node = self.node
        if call is not None:
            args, kwargs = node.fill(values)
            result = call(node.operation, *args, **kwargs)
        elif self.one_in is not None:
            result = node.operation(values[self.one_in])
        else:
            args, kwargs = node.fill(values)
            result = node.operation(*args, **kwargs)
        if self.one_out is not None:
            values[self.one_out] = result
        else:
            for tensor, value in zip(node.outputs, tree.flatten(result), strict=True):
                values[id(tensor)] = value


class HasPlan:
    """A base class of what is made from symbolic inputs and outputs."""

    _plan: GraphPlan
    _inputs: list[KerasTensor]
    _outputs: list[KerasTensor]

    @property
    def operations(self) -> list[Any]:
        """Layers and functions that the graph calls."""
        return list(self._plan.operations)

    @property
    def inputs(self) -> list[KerasTensor]:
        """Symbolic inputs, flat."""
        return list(self._inputs)

    @property
    def outputs(self) -> list[KerasTensor]:
        """Symbolic outputs, flat."""
        return list(self._outputs)
