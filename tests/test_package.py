"""What holds for the whole package: a quick and quiet import, one-way arrows, no shared symbols."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import hornbeam as hb
from hornbeam import _core

ROOT = Path(__file__).resolve().parents[1]
PYTHON = ROOT / "python" / "hornbeam"
CSRC = ROOT / "csrc"


def python(code: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **env},
    )


def test_version():
    stated = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.M)
    assert stated is not None
    assert hb.__version__ == stated[1]


def test_import_is_quiet():
    done = python("import hornbeam")
    assert done.stdout == ""
    assert done.stderr == ""


def test_import_loads_little():
    """What takes time when a package is imported is what it imports: NumPy, and a few small modules
    of our own; all else loads when it is first used."""
    code = (
        "import sys, numpy; before = set(sys.modules); import hornbeam;"
        "print(*sorted(set(sys.modules) - before))"
    )
    loaded = python(code).stdout.split()
    outside = {name.partition(".")[0] for name in loaded} - set(sys.stdlib_module_names)
    assert outside == {"hornbeam"}
    assert not [name for name in loaded if name.startswith(("hornbeam.layers", "hornbeam.models"))]
    assert sum(name.startswith("hornbeam") for name in loaded) <= 12


def test_import_brings_no_optional_package():
    code = "import sys, hornbeam; print(*sys.modules)"
    loaded = {name.partition(".")[0] for name in python(code).stdout.split()}
    optional = {"matplotlib", "pydot", "onnx", "mpi4py", "sklearn", "tensorboard", "keras", "PIL"}
    assert not loaded & optional


def test_models_leave_costly_modules_for_later():
    code = "import sys, hornbeam; hornbeam.Sequential; print(*sys.modules)"
    loaded = set(python(code).stdout.split())
    assert not loaded & {"h5py", "multiprocessing", "concurrent.futures", "zipfile", "difflib"}


@pytest.mark.parametrize("level", _core.isa_levels())
def test_level_from_the_environment(level):
    code = "from hornbeam import _core; print(_core.isa())"
    assert python(code, HORNBEAM_ISA=level).stdout.strip() == level


# A module may import those of its own row and of the rows above.
ROWS = [
    ["_core", "_lazy", "_openmp", "_version", "_context"],
    [
        "tree",
        "utils",
        "saving",
        "config",
        "dtype_policies",
        "_variable",
        "_tape",
        "scopes",
        "rematerialization",
        "_function",
        "_info",
    ],
    ["symbolic", "utils.seed", "utils.graph", "kernels", "_seeds", "backend"],
    ["ops"],
    [
        "random",
        "utils.dtypes",
        "activations",
        "initializers",
        "regularizers",
        "constraints",
        "saving.op_classes",
        "utils.bounding_boxes",
    ],
    ["losses", "metrics", "optimizers", "mixed_precision"],
    ["layers"],
    [
        "saving.model_file",
        "saving.weights_file",
        "saving.tree_paths",
        "saving.assets",
        "saving.safetensors_file",
        "saving.legacy_h5",
        "saving.file_editor",
        "saving.state_file",
        "saving.copying",
    ],
    [
        "models",
        "callbacks",
        "data",
        "utils.datasets",
        "utils.image_dataset",
        "utils.file_batches",
        "utils.text_files",
        "utils.audio_files",
        "utils.feature_kinds",
        "utils.feature_space",
        "utils.model_graph",
        "utils.model_pictures",
        "preprocessing",
        "datasets",
        "visualization",
        "wrappers",
    ],
]


def imports(path: Path) -> set[tuple[str, bool]]:
    """The modules of hornbeam that a file imports, and whether inside a function."""
    found: set[tuple[str, bool]] = set()

    def visit(node: ast.AST, inside: bool) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
                continue
            names: list[str] = []
            if isinstance(child, ast.ImportFrom) and (child.module or "").startswith("hornbeam"):
                if child.module == "hornbeam":
                    names = [f"hornbeam.{alias.name}" for alias in child.names]
                else:
                    names = [str(child.module)]
            elif isinstance(child, ast.Import):
                names = [alias.name for alias in child.names if alias.name.startswith("hornbeam.")]
            found.update((name.removeprefix("hornbeam."), inside) for name in names)
            visit(child, inside or isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)))

    visit(ast.parse(path.read_text()), False)
    return found


def row(module: str) -> int | None:
    """The row of the longest listed name that the module begins with."""
    best = max(
        (
            (name, i)
            for i, names in enumerate(ROWS)
            for name in names
            if f"{module}.".startswith(f"{name}.")
        ),
        key=lambda pair: len(pair[0]),
        default=None,
    )
    return None if best is None else best[1]


def test_python_arrows():
    wrong = []
    for path in sorted(PYTHON.rglob("*.py")):
        module = ".".join(path.relative_to(PYTHON).with_suffix("").parts).removesuffix(".__init__")
        mine = row(module)
        for other, inside in imports(path):
            theirs = row(other)
            if inside and other != "_core":
                wrong.append(f"{module} imports {other} inside a function")
            elif mine is not None and theirs is not None and theirs > mine:
                wrong.append(f"{module} imports {other}, which is above it")
    assert not wrong, "\n".join(wrong)


# What the files of a folder may include.
INCLUDES = {
    "kernels": {"kernels"},
    "cpu": {"cpu", "kernels"},
    "core": {"core", "kernels"},
    "ops": {"ops", "core", "kernels"},
    "program": {"program", "ops", "core", "kernels"},
    "bindings": {"bindings", "program", "ops", "core", "kernels"},
}


def test_cpp_arrows():
    wrong = []
    for folder, allowed in INCLUDES.items():
        for path in sorted((CSRC / folder).glob("*.*")):
            used = set(re.findall(r'^#include "(\w+)/', path.read_text(), re.M))
            wrong += [f"{path.relative_to(ROOT)} includes {t}/" for t in used - allowed]
    assert not wrong, "\n".join(wrong)


def test_kernels_share_no_symbol():
    """A weak symbol in a kernel file could be linked for every CPU from its AVX-512 copy."""
    objects = [str(o) for o in ROOT.glob("build/*/CMakeFiles/kernels_*.dir/csrc/cpu/*.o")]
    if not objects or shutil.which("nm") is None:
        pytest.skip("needs the object files of a build, and nm")
    symbols = subprocess.run(
        ["nm", "-CA", *objects], capture_output=True, text=True, check=True
    ).stdout
    weak = [line for line in symbols.splitlines() if re.search(r" [WVu] ", line)]
    assert not weak, "\n".join(weak[:20])
