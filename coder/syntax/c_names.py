"""Names of C and C++ in one file: which places stand for the same thing.

The preprocessor knows no scopes: the name of a macro means the macro everywhere, and a name in the text of one means
what stands around its uses, so nothing is said of it. A member behind a dot or an arrow is resolved where the file
itself declares the type of what stands before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import tree_sitter

from coder.syntax.c_declaring import (
    ATTRIBUTES,
    BLOCKS,
    CLASSES,
    DECLARATIONS,
    DECLARATORS,
    MACROS,
    NAMED,
    NAMES,
    CKind,
    innermost_declarator,
    is_own_declarator,
    is_scoped,
    last_name,
    signature,
)
from coder.syntax.c_members import CBinding, CMeanings, CScope, CType
from coder.syntax.tree import SyntaxTree

Node = tree_sitter.Node

Resolved = tuple[int, int, object | None, bool]
"""A place in characters, the declaration that it stands for, and whether it is declared there."""


OF_CPP = re.compile(
    r"^[ \t]*(?:class\s+\w+[^;.,\n]*[{:]|namespace\s+[\w:]*\s*\{|template\s*<|using\s+(?:namespace\s+)?[\w:]+\s*[;=]"
    r"|(?:public|private|protected)\s*:)",
    re.MULTILINE,
)
"""Beginnings of lines that a header of C does not have."""


@dataclass(frozen=True)
class CDeclaring:
    """A scope that names below a node are declared in, and their type."""

    scope: CScope
    since: int
    type: CType | None
    parameters: str | None = None


def resolved_in_c(tree: SyntaxTree, language: str, name: str) -> list[Resolved]:
    """Every place of a name; none where the text of a macro has it, and in a header of C++ that is read as one of C."""
    if language == "c" and OF_CPP.search(tree.text):
        return []
    analysis = CAnalysis(tree, language == "c", name)
    analysis.run()
    return [] if analysis.unsure else list(analysis.resolved())


class CAnalysis:
    """One walk over the tree: what every scope declares, and where one name stands."""

    def __init__(self, tree: SyntaxTree, is_c: bool, name: str) -> None:
        self._tree, self._is_c, self._name = tree, is_c, name
        self._known = CMeanings(tree, is_c)
        self._declared: list[tuple[Node, CBinding, str]] = []
        self._used: list[tuple[Node, CScope]] = []
        self._broken: list[CScope] = []
        self._macros: list[tuple[int, int, bool]] = []
        self._is_macro = False
        self.unsure = False

    def run(self) -> None:
        pending: list[tuple[Node, CScope, CDeclaring | None]] = [(self._tree.root, self._known.module, None)]
        while pending:
            node, scope, declaring = pending.pop()
            if node.type in MACROS:
                self._macro(node)
            if node.type in ATTRIBUTES:
                continue
            if node.type in NAMES:
                self._leaf(node, scope, declaring)
                continue
            inner = self._scope_of(node, scope)
            for index in range(node.child_count - 1, -1, -1):
                child, part = node.children[index], node.field_name_for_child(index)
                is_outside = part == "name" or (node.type == "function_definition" and part == "type")
                within = scope if is_outside else inner
                pending.append((child, within, self._declaring(node, part, child, scope, inner, declaring)))

    def resolved(self) -> Iterator[Resolved]:
        for node, scope in [each for each in self._used if _is_brought(each[0])]:
            known = self._known.meant(node, scope, self._name) or CBinding(0)
            scope.bindings.setdefault(self._name, []).append(known)
        for scope in self._broken:
            scope.declare(self._name, 0, None)
        if self._is_macro:
            yield from ((start, end, self, declares) for start, end, declares in self._macros)
            yield from ((*self._tree.span(node), self, False) for node, *_ in (*self._declared, *self._used))
            return
        for node, binding, parameters in self._declared:
            own = binding.overloads.get(parameters, binding) if len(binding.overloads) > 1 else binding
            yield *self._tree.span(node), own, True
        for node, scope in self._used:
            meant = self._known.meant(node, scope, self._name)
            yield *self._tree.span(node), None if meant and len(meant.overloads) > 1 else meant, False

    # What is declared.

    def _scope_of(self, node: Node, scope: CScope) -> CScope:
        """The scope of what is in a node. Asking for a parent takes time by the depth, so that only a few are asked."""
        kind = BLOCKS.get(node.type)
        if node.type == "function_declarator" and not is_own_declarator(node):
            kind = "function"
        if node.type == "namespace_definition" and (name := node.child_by_field_name("name")) is not None:
            for each in self._tree.text_of(name).split("::"):
                known = [body for body in self._known.bodies.get(each, []) if body.parent is scope]
                scope = known[0] if known else self._body(each, CScope("namespace", scope))
            return scope
        if node.type in ("field_declaration_list", "enumerator_list") and (parent := node.parent) is not None:
            return self._class_body(node, parent, scope)
        if kind is None:
            return scope
        inner = CScope(kind, scope)
        if node.type == "function_definition":
            named = innermost_declarator(node)
            of = named.child_by_field_name("scope") if named is not None else None
            while named is not None and named.type == "qualified_identifier" and of is not None:
                inner.bases.insert(0, self._tree.text_of(last_name(of)))
                named = named.child_by_field_name("name")
                of = named.child_by_field_name("scope") if named is not None else None
        return inner

    def _class_body(self, node: Node, of: Node, scope: CScope) -> CScope:
        field = of.parent if of.parent is not None and of.parent.type == "field_declaration" else None
        known = self._known.type(of)
        if known is None or (known[0][0] == "@" and field and field.child_by_field_name("declarator") is None):
            return scope  # its members are those of the class around
        body = self._body(known[0], CScope("class", scope))
        for each in (child for child in of.children if child.type == "base_class_clause"):
            kinds = ("type_identifier", "template_type", "qualified_identifier")
            body.bases += [self._tree.text_of(last_name(base)) for base in each.named_children if base.type in kinds]
        return body

    def _body(self, name: str, scope: CScope) -> CScope:
        self._known.bodies.setdefault(name, []).append(scope)
        self._known.names[scope] = name
        return scope

    def _declaring(
        self, node: Node, part: str | None, child: Node, scope: CScope, inner: CScope, outer: CDeclaring | None
    ) -> CDeclaring | None:
        if node.type in DECLARATIONS and part == "declarator":
            return self._declaration(node, child, inner if node.type == "for_range_loop" else scope)
        if node.type in DECLARATORS and part in (None, "declarator"):
            if outer is None or outer.parameters is not None:
                return outer
            if node.type == "function_declarator":
                return CDeclaring(outer.scope, outer.since, None, signature(self._tree, node))
            deeper = node.type in ("pointer_declarator", "array_declarator")
            known = (outer.type[0], outer.type[1] + deeper) if outer.type is not None else None
            return CDeclaring(outer.scope, outer.since, known)
        if node.type in ("type_parameter_declaration", "variadic_type_parameter_declaration"):
            return CDeclaring(scope, 0, None)
        if node.type == "lambda_capture_initializer" and part == "left":
            return CDeclaring(scope, node.end_byte, None)
        if node.type in ("template_type", "nested_namespace_specifier") and part in (None, "name"):
            return outer
        if part != "name" or node.type not in NAMED or (node.type in CLASSES and not self._is_declared(node)):
            return None
        if node.type == "optional_type_parameter_declaration":
            return CDeclaring(scope, 0, None)
        if node.type in CLASSES and child.type != "type_identifier":
            return None  # a specialisation of a template
        if (parent := node.parent) is not None and parent.type == "friend_declaration":
            return None
        skipped: tuple[CKind, ...] = ("template", "class") if self._is_c else ("template",)
        return CDeclaring(scope.around(*skipped) if node.type != "enumerator" else scope, 0, None)

    def _declaration(self, node: Node, child: Node, scope: CScope) -> CDeclaring:
        parent = node.parent
        if parent is not None and parent.type == "template_parameter_list":
            return CDeclaring(scope, 0, None)
        if parent is not None and parent.type == "friend_declaration":
            return CDeclaring(scope.around("class", "template"), 0, None)
        scope, since, declared = scope.around("template"), 0, self._known.type(node.child_by_field_name("type"))
        if scope.kind in ("function", "block"):
            body = node.child_by_field_name("body")
            since = body.start_byte if node.type == "for_range_loop" and body is not None else child.start_byte
        if node.type == "type_definition" and declared is not None and child.type == "type_identifier":
            self._known.aliases[self._tree.text_of(child)] = declared[0]
        return CDeclaring(scope, since, declared)

    @staticmethod
    def _is_declared(specifier: Node) -> bool:
        parent = specifier.parent
        has_body = specifier.child_by_field_name("body") is not None
        alone = parent is not None and parent.type in ("translation_unit", "declaration_list", "template_declaration")
        return has_body or alone or (parent is not None and parent.type.startswith("preproc_"))

    def _leaf(self, node: Node, scope: CScope, declaring: CDeclaring | None) -> None:
        name = self._tree.text_of(node)
        parent = node.parent
        if parent is None or parent.type in MACROS or (declaring is None and name != self._name):
            return
        if parent.is_error:
            self._broken += [scope] if name == self._name else []  # it may be declared here
            return
        key = self._key(node, name)
        is_constructor = declaring is not None and name in self._known.bodies and self._is_body_of(scope, name)
        if declaring is None or is_constructor or parent.type in ("destructor_name", "qualified_identifier"):
            if name == self._name:
                self._used.append((node, scope))
            return
        binding = declaring.scope.declare(key, declaring.since, declaring.type)
        if declaring.parameters is not None and not self._is_c:
            binding.overloads.setdefault(declaring.parameters, CBinding(0))
        if parent.type == "enumerator" and declaring.scope.kind == "class" and not is_scoped(parent):
            outside = declaring.scope.parent
            if outside is not None:
                outside.around("class" if self._is_c else "template").bindings.setdefault(key, []).append(binding)
        if name == self._name:
            self._declared.append((node, binding, declaring.parameters or ""))

    def _is_body_of(self, scope: CScope, name: str) -> bool:
        while scope.kind in ("function", "template") and scope.parent is not None:
            scope = scope.parent
        return scope in self._known.bodies[name]

    def _key(self, node: Node, name: str) -> str:
        """The name as it is looked up: tags of C are apart from other names."""
        of = node.parent
        return f"struct {name}" if self._is_c and of is not None and of.type in CLASSES else name

    def _macro(self, node: Node) -> None:
        """Notice a macro of this name, and a macro whose text has it."""
        name, text = node.child_by_field_name("name"), node.child_by_field_name("value")
        parameters = node.child_by_field_name("parameters")
        own = {self._tree.text_of(each) for each in parameters.named_children} if parameters is not None else set()
        if name is not None and self._tree.text_of(name) == self._name:
            declares = node.type in ("preproc_def", "preproc_function_def")
            self._is_macro |= declares
            self._macros.append((*self._tree.span(name), declares))
        if text is not None and self._name not in own:
            self.unsure |= re.search(rf"\b{re.escape(self._name)}\b", self._tree.text_of(text)) is not None
        argument = node.child_by_field_name("argument")
        if argument is not None and self._tree.text_of(argument).strip() == self._name:
            start = self._tree.span(argument)[0]
            self._macros.append((start, start + len(self._name), False))


def _is_brought(node: Node) -> bool:
    """Return whether `using` brings a name into its scope, from another one."""
    of = node.parent
    while of is not None and of.type == "qualified_identifier":
        of = of.parent
    return of is not None and of.type == "using_declaration" and all(child.type != "namespace" for child in of.children)
