"""Name resolution in one file: which occurrences of a name are those of one declaration.

Python follows `coder.syntax.python_members`, C and C++ `coder.syntax.c_names`; the others are read by tables of their
grammars (`coder.syntax.declaring`). Names behind a dot belong to a declaration only where it is sure: behind `self` and
`this`, in the class itself, behind a class's name, and in C behind what has a known type; in Rust see `rust_members`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import tree_sitter

from coder.syntax.c_names import resolved_in_c
from coder.syntax.declaring import (
    IGNORED,
    IGNORED_NODES,
    INSIDE,
    LATER,
    MEMBERS,
    NAMES,
    NOT_DECLARED,
    OUTER_PARTS,
    OUTSIDE,
    PATTERNS,
    SCOPES,
    Kind,
)
from coder.syntax.python_members import resolved_names
from coder.syntax.rust_members import members_in_rust
from coder.syntax.rust_names import is_resolved_in_rust, is_unsure_in_rust, known_since_in_rust
from coder.syntax.tree import SyntaxTree

Node = tree_sitter.Node

SCRIPTS = ("javascript", "javascriptreact", "typescript", "typescriptreact")
RESOLVED = (*SCRIPTS, "python", "go", "java", "rust", "c", "cpp")
"""The languages whose names are resolved."""

TYPE = ":type"
"""Behind the name of a type of TypeScript, which may have the name of a value; what is both has the name alone."""


@dataclass(frozen=True)
class Occurrence:
    """A name at one place, in characters.

    Attributes:
        binding: what it stands for, the same for all occurrences of one declaration; None where the file does not say.
        declares: whether the name is declared here.
        shape: of the text that a rename leaves here: `{old}: {new}` for a shorthand property.
    """

    start: int
    end: int
    binding: int | None
    declares: bool
    shape: str = "{new}"


def occurrences(tree: SyntaxTree, language: str, name: str) -> list[Occurrence]:
    """Every place of a name, in order; none for a language that is not in `RESOLVED`. Names of methods in Java, and
    members behind `this`, are apart from variables."""
    if language == "python":
        found = list(_python(tree, name))
    elif language in ("c", "cpp"):
        resolved = resolved_in_c(tree, language, name)
        found = [
            Occurrence(start, end, None if of is None else id(of), declares) for start, end, of, declares in resolved
        ]
    elif language == "rust" and is_unsure_in_rust(tree, name):
        return []
    elif language in RESOLVED:
        found = list(_Walk(tree, language, name).run())
        if language == "rust":
            found += _members_in_rust(tree, name)
    else:
        return []
    return sorted(found, key=lambda each: each.start)


def _python(tree: SyntaxTree, name: str) -> Iterator[Occurrence]:
    for node, scope, declares in resolved_names(tree, name):
        yield Occurrence(*tree.span(node), None if scope is None else id(scope), declares)


def _members_in_rust(tree: SyntaxTree, name: str) -> Iterator[Occurrence]:
    places = members_in_rust(tree, name)
    numbers = {member: -1 - index for index, member in enumerate(dict.fromkeys(place.member for place in places))}
    for place in places:  # negative: no identity of a scope's binding
        yield Occurrence(*tree.span(place.node), numbers[place.member], place.declares, place.shape)


@dataclass(eq=False)
class _Binding:
    """A declaration, known from the byte `since` of its scope on."""

    since: int


@dataclass(eq=False)
class _Scope:
    kind: Kind
    parent: _Scope | None = None
    bindings: dict[str, list[_Binding]] = field(default_factory=dict)

    def declare(self, key: str, since: int, apart: bool) -> _Binding:
        known = self.bindings.setdefault(key, [])
        if not known or (apart and known[-1].since != since):
            known.append(_Binding(since))
        return known[-1]

    def resolve(self, key: str, position: int) -> _Binding | None:
        scope: _Scope | None = self
        while scope is not None:
            known = [*scope.bindings.get(key.removesuffix(TYPE), ()), *scope.bindings.get(key, ())]
            seen = [binding for binding in known if binding.since <= position]
            if seen:
                return seen[-1]
            if key.startswith(".") and scope.kind in ("function", "class"):
                return None  # another `this`
            scope = scope.parent
        return None

    def nearest(self, *kinds: Kind) -> _Scope:
        scope = self
        while scope.kind not in kinds and scope.parent is not None:
            scope = scope.parent
        return scope


@dataclass(frozen=True)
class _Declaring:
    """Names below a node are declared in `scope`, and known there from the byte `since` on."""

    scope: _Scope
    since: int = 0


class _Walk:
    """One walk that collects the declarations and the uses of a name, which are resolved behind it."""

    def __init__(self, tree: SyntaxTree, language: str, name: str) -> None:
        self._tree, self._name = tree, name
        self._language = "script" if language in SCRIPTS else language
        self._scopes = SCOPES[self._language]
        self._found: list[tuple[Node, _Binding | None, _Scope | str, str, str]] = []
        self._bodies: dict[str, list[_Scope]] = {}

    def run(self) -> Iterator[Occurrence]:
        pending: list[tuple[Node, _Scope, _Declaring | None, Node | None, str | None]]
        pending = [(self._tree.root, _Scope("module"), None, None, None)]
        while pending:
            node, scope, declaring, parent, part = pending.pop()
            if node.type in self._scopes and node.is_named and not self._is_of_function(parent, part):
                scope = _Scope(self._scopes[node.type], scope)
                if scope.kind == "class" and (name := parent and parent.child_by_field_name("name")):
                    self._bodies.setdefault(self._tree.text_of(name), []).append(scope)
            if not node.child_count or node.type in NAMES:
                self._leaf(node, scope, declaring, parent, part)
                continue
            if node.type in IGNORED_NODES or (node.type == "import_declaration" and self._language == "java"):
                continue
            children = [(child, node.field_name_for_child(index)) for index, child in enumerate(node.children)]
            pending.extend(
                (
                    child,
                    scope.parent or scope if (node.type, name or child.type) in OUTER_PARTS else scope,
                    self._declaring(node, name, child, scope, declaring),
                    node,
                    name,
                )
                for child, name in reversed(children)
            )
        for node, binding, scope, key, shape in self._found:
            found = binding or (
                self._member(scope, key) if isinstance(scope, str) else scope.resolve(key, node.start_byte)
            )
            start, end = self._tree.span(node)
            start += node.type == "private_property_identifier"  # its `#` is no part of the name
            yield Occurrence(start, end, found and id(found), binding is not None, shape)

    def _is_of_function(self, parent: Node | None, part: str | None) -> bool:
        """Return whether a block is a body in Go, in which parameters and results count as declared."""
        return (
            self._language == "go"
            and part == "body"
            and parent is not None
            and self._scopes.get(parent.type) == "function"
        )

    def _member(self, name: str, key: str) -> _Binding | None:
        """Return what a member behind the name of a class stands for, if the class itself declares it."""
        bodies = self._bodies.get(name, [])
        known = bodies[0].bindings.get(key) if len(bodies) == 1 else None
        return known[0] if known else None

    def _leaf(
        self, node: Node, scope: _Scope, declaring: _Declaring | None, parent: Node | None, part: str | None
    ) -> None:
        if node.type not in NAMES | MEMBERS or parent is None or self._tree.text_of(node).lstrip("#") != self._name:
            return
        key = self._key(node, parent, part)
        if key is None:
            return
        if parent.type == "field_access" and part == "field":
            scope = scope.nearest("class")
        shape = "{new}"
        if node.type.startswith("shorthand_") or parent.type == "shorthand_field_initializer":
            shape = "{old}: {new}"
        elif parent.type == "export_specifier" and part == "name" and parent.child_by_field_name("alias") is None:
            shape = "{new} as {old}"
        binding = None
        if key.startswith(".") and parent.type != "member_expression":
            binding = scope.nearest("class").declare(key, 0, apart=False)
        elif declaring is not None and _is_field_too(parent):
            binding = scope.nearest("class").declare(f".{key}", 0, apart=False)
            declaring.scope.bindings.setdefault(key, []).append(binding)
        elif declaring is not None:
            apart = bool(declaring.since) and self._language in ("java", "rust")
            binding = declaring.scope.declare(key, declaring.since, apart)
        self._found.append((node, binding, self._class_before(node, parent) or scope, key, shape))

    def _class_before(self, node: Node, parent: Node) -> str | None:
        """Return the name before a dot where it may be that of a class, whose member the node is."""
        of = parent.child_by_field_name("object")
        if of is None and parent.type == "scoped_type_identifier":
            of = parent.named_children[0]
        name = None if of is None or of == node else self._tree.text_of(of)
        return name if name and of and of.type in ("identifier", "type_identifier") and name[0].isupper() else None

    def _key(self, node: Node, parent: Node, part: str | None) -> str | None:
        """The name as it is looked up; None where it stands for nothing of the file."""
        kind, name = parent.type, self._name
        if (self._language, kind, part) in IGNORED:
            return None
        if node.type in MEMBERS:
            of = parent.child_by_field_name("object")
            in_class = parent.parent is not None and parent.parent.type == "class_body" and part in ("name", "property")
            named = self._class_before(node, parent) is not None
            behind_this = kind == "member_expression" and of is not None and (of.type == "this" or named)
            private = "#" * (node.type == "private_property_identifier")
            return f".{private}{name}" if in_class or behind_this else None
        if self._language == "java":
            return self._java_key(node, parent, part)
        if self._language == "rust":
            return name if is_resolved_in_rust(node, parent, part) else None
        if kind == "import_specifier" and part == "name" and parent.child_by_field_name("alias") is not None:
            return None
        only_type = kind in ("type_alias_declaration", "interface_declaration", "type_parameter") and part == "name"
        if self._language == "script" and node.type == "type_identifier":
            is_class = part == "name" and not only_type
            return name if is_class and kind != "generic_type" else f"{name}{TYPE}"
        exported = parent.parent and parent.parent.parent if kind == "export_specifier" else None
        if exported is not None and exported.child_by_field_name("source") is not None:
            return None
        if kind == "literal_element" and parent.parent is not None and parent.parent.type == "keyed_element":
            return name if parent.parent.children[0] != parent or _is_map(parent.parent) else None
        return name

    def _java_key(self, node: Node, parent: Node, part: str | None) -> str | None:
        kind, of = parent.type, parent.child_by_field_name("object")
        named = self._class_before(node, parent) is not None
        if kind == "method_reference" and node != parent.named_children[0]:
            return f"{self._name}()" if parent.named_children[0].type == "this" else None
        if kind in ("labeled_statement", "method_reference", "scoped_type_identifier", "scoped_identifier"):
            if named and kind == "scoped_type_identifier":
                return self._name
            return self._name if parent.named_children[0] == node and kind != "labeled_statement" else None
        if kind == "method_declaration" and part == "name":
            return f"{self._name}()"
        if kind in ("method_invocation", "field_access") and part in ("name", "field"):
            if of is not None and of.type != "this" and not named:
                return None
            return f"{self._name}()" if kind == "method_invocation" else self._name
        return self._name

    def _declaring(
        self, node: Node, part: str | None, child: Node, scope: _Scope, outer: _Declaring | None
    ) -> _Declaring | None:
        place = self._language, node.type, part
        if place in OUTSIDE:
            return _Declaring(scope.parent or scope)
        if place in INSIDE:
            return _Declaring(scope)
        if place in LATER:
            return _Declaring(scope, 0 if scope.kind == "module" else node.end_byte)
        if self._language == "rust" and node.type in PATTERNS and self._name[:1].isupper():
            return None  # a constant or a variant, which is compared and not bound
        if node.type in PATTERNS and (part not in NOT_DECLARED or (node.type, part) == ("pair_pattern", "value")):
            return outer
        if self._language == "go" and node.type == "type_elem" and _is_of_receiver(node):
            return _Declaring(scope)
        if self._language == "script":
            return self._declaring_in_script(node, part, child, scope)
        if self._language == "go" and part in ("left", "alias"):
            begins = any(each.type == ":=" for each in node.children)
            return _Declaring(scope, node.end_byte if part == "left" else 0) if begins else None
        if self._language == "java":
            return self._declaring_in_java(node, part, child, scope)
        if self._language == "rust" and (since := known_since_in_rust(node, part)) is not None:
            return _Declaring(scope, since)
        return None

    @staticmethod
    def _declaring_in_script(node: Node, part: str | None, child: Node, scope: _Scope) -> _Declaring | None:
        around = node.parent
        if node.type == "variable_declarator" and part == "name" and around is not None:
            is_var = around.type == "variable_declaration"
            return _Declaring(scope.nearest("function", "method", "arrow", "module") if is_var else scope)
        if node.type == "formal_parameters":
            return _Declaring(scope)
        if node.type == "for_in_statement" and part == "left":
            kind = node.child_by_field_name("kind")
            is_var = kind is not None and kind.type == "var"
            within = scope.nearest("function", "method", "arrow", "module") if is_var else scope
            return None if kind is None else _Declaring(within)
        if node.type == "import_specifier":
            return _Declaring(scope) if part == "alias" or node.child_by_field_name("alias") is None else None
        return _Declaring(scope) if node.type in ("import_clause", "namespace_import") else None

    @staticmethod
    def _declaring_in_java(node: Node, part: str | None, child: Node, scope: _Scope) -> _Declaring | None:
        around = node.parent
        if node.type == "variable_declarator" and part == "name" and around is not None:
            return _Declaring(scope, node.start_byte if around.type == "local_variable_declaration" else 0)
        if node.type == "instanceof_expression" and part == "name":
            return _Declaring(scope, node.start_byte)
        if node.type == "type_parameter" and child == node.named_children[0]:
            return _Declaring(scope)
        last = node.type in ("type_pattern", "record_pattern_component") and child == node.named_children[-1]
        return _Declaring(scope, node.start_byte) if last else None


def _is_map(element: Node) -> bool:
    """Return whether a keyed element of Go is one of a map, whose keys are expressions; in a struct they are fields."""
    literal = element.parent and element.parent.parent
    kind = literal.child_by_field_name("type") if literal is not None else None
    return kind is not None and kind.type in ("map_type", "slice_type", "array_type", "implicit_length_array_type")


def _is_of_receiver(element: Node) -> bool:
    """Return whether an argument of a type of Go stands in a method's receiver, where it declares a name."""
    node: Node | None = element
    while node is not None and node.type != "parameter_list":
        node = node.parent
    of = node.parent if node is not None else None
    return of is not None and of.type == "method_declaration" and of.child_by_field_name("receiver") == node


def _is_field_too(parameter: Node) -> bool:
    """Return whether a parameter of a constructor of TypeScript declares a field of its name."""
    return any(
        child.type in ("accessibility_modifier", "readonly", "override_modifier") for child in parameter.children
    )
