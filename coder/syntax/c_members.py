"""Meanings of names of C and C++, by what the file declares: scopes outwards, classes with their bases, and members
of what the file itself gives a type."""

from __future__ import annotations

from dataclasses import dataclass, field

import tree_sitter

from coder.syntax.c_declaring import CLASSES, PARTS_OF_NAMES, CKind, last_name
from coder.syntax.tree import SyntaxTree

Node = tree_sitter.Node

CType = tuple[str, int]
"""The name of a class, and how many pointers and arrays stand around it."""


MOST_NESTED = 50
"""Parts of an expression that are looked through for its type."""


@dataclass(eq=False)
class CBinding:
    """A declaration, known from the byte `since` of its scope on.

    Attributes:
        overloads: of a function, by the types of their parameters.
    """

    since: int
    type: CType | None = None
    overloads: dict[str, CBinding] = field(default_factory=dict)


@dataclass(eq=False)
class CScope:
    """A part of the text with what it declares; `bases` are names of classes whose members are seen in it too."""

    kind: CKind
    parent: CScope | None = None
    bindings: dict[str, list[CBinding]] = field(default_factory=dict)
    bases: list[str] = field(default_factory=list)

    def declare(self, name: str, since: int, declared: CType | None) -> CBinding:
        known = self.bindings.setdefault(name, [])
        if not known:
            known.append(CBinding(since, declared))
        return known[0]

    def around(self, *kinds: CKind) -> CScope:
        """This scope, or the nearest one around it that is of none of these kinds."""
        return self.parent.around(*kinds) if self.kind in kinds and self.parent is not None else self


@dataclass
class CMeanings:
    """The declarations of a file.

    Attributes:
        bodies: of classes and namespaces, by name. names: of these bodies. aliases: what `typedef` calls a class.
    """

    tree: SyntaxTree
    is_c: bool
    module: CScope = field(default_factory=lambda: CScope("module"))
    bodies: dict[str, list[CScope]] = field(default_factory=dict)
    names: dict[CScope, str] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)

    def type(self, node: Node | None) -> CType | None:
        """The type that a node of the grammar names."""
        if node is not None and node.type in CLASSES:
            name = node.child_by_field_name("name")
            return (f"@{node.start_byte}" if name is None else self.tree.text_of(last_name(name))), 0
        named = node is not None and node.type in ("type_identifier", "qualified_identifier")
        return (self.tree.text_of(last_name(node)), 0) if node is not None and named else None

    def meant(self, node: Node, scope: CScope, name: str) -> CBinding | None:
        of = node.parent
        while of is not None and of.type in PARTS_OF_NAMES:
            node, of = of, of.parent
        if of is None:
            return None
        if of.type == "qualified_identifier" and of.child_by_field_name("name") == node:
            before = of.child_by_field_name("scope")
            if before is None:
                return self.module.bindings.get(name, [None])[0]
            qualifier = self.tree.text_of(last_name(before))
            if qualifier == name:  # a constructor or destructor
                return self.seen(name, scope, node.start_byte)
            return self.member((qualifier, 0), name)
        if of.type == "field_expression" and of.child_by_field_name("field") == node:
            return self._behind(of, scope, name)
        if of.type == "field_designator":
            return self.member(self._designated(of, scope), name)
        key = name
        if self.is_c and of.type in CLASSES:
            key = f"struct {name}"
        return self.seen(key, scope, node.start_byte)

    def seen(self, key: str, scope: CScope | None, position: int) -> CBinding | None:
        while scope is not None:
            known = [each for each in scope.bindings.get(key, ()) if each.since <= position]
            if known and not (self.is_c and scope.kind == "class"):
                return known[-1]
            for base in scope.bases:
                if (found := self.member((base, 0), key)) is not None:
                    return found
            scope = scope.parent
        return None

    def member(self, of: CType | None, name: str) -> CBinding | None:
        """The member of a class or namespace, or of one of its bases, the first one first."""
        pending = [] if of is None else [of[0]]
        looked_in = set[CScope]()
        while pending:
            each = pending.pop()
            bodies = self.bodies.get(self.aliases.get(each, each), [])
            if len(bodies) != 1 or bodies[0] in looked_in:
                continue
            looked_in.add(bodies[0])
            if known := bodies[0].bindings.get(name):
                return known[0]
            pending += reversed(bodies[0].bases)
        return None

    def _behind(self, expression: Node, scope: CScope, name: str, deepest: int = MOST_NESTED) -> CBinding | None:
        """The member that stands behind a dot or an arrow."""
        argument, operator = expression.child_by_field_name("argument"), expression.child_by_field_name("operator")
        if argument is None or operator is None:
            return None
        known = self._type_of(argument, scope, deepest)
        arrow = self.tree.text_of(operator) == "->"
        return self.member(known, name) if known is not None and known[1] == arrow else None

    def _type_of(self, node: Node, scope: CScope, deepest: int) -> CType | None:
        """The type of an expression, where the file says it, and it is not nested deeper."""
        if not deepest:
            return None
        argument = node.child_by_field_name("argument")
        deeper = 0
        binding: CBinding | None = None
        match node.type:
            case "this":
                return self._class_around(scope)
            case "identifier":
                binding = self.seen(self.tree.text_of(node), scope, node.start_byte)
            case "field_expression":
                member = node.child_by_field_name("field")
                binding = None if member is None else self._behind(node, scope, self.tree.text_of(member), deepest - 1)
            case "parenthesized_expression" if len(node.named_children) == 1:
                return self._type_of(node.named_children[0], scope, deepest - 1)
            case "subscript_expression":
                deeper = -1
            case "pointer_expression":
                deeper = -1 if node.children[0].type == "*" else 1
            case _:
                return None
        if binding is not None:
            return binding.type
        inner = self._type_of(argument, scope, deepest - 1) if argument is not None and deeper else None
        return None if inner is None or inner[1] + deeper < 0 else (inner[0], inner[1] + deeper)

    def _class_around(self, scope: CScope | None) -> CType | None:
        while scope is not None:
            if scope.kind == "class" and scope in self.names:
                return self.names[scope], 1
            if scope.bases and self.bodies.get(scope.bases[0]):
                return scope.bases[0], 1
            scope = scope.parent
        return None

    def _designated(self, designator: Node, scope: CScope) -> CType | None:
        """The type of the literal whose member a designator names."""
        pair = designator.parent
        of = pair.parent.parent if pair is not None and pair.parent is not None else None
        if of is not None and of.type == "compound_literal_expression":
            descriptor = of.child_by_field_name("type")
            return self.type(descriptor.child_by_field_name("type")) if descriptor is not None else None
        named = of.child_by_field_name("declarator") if of is not None and of.type == "init_declarator" else None
        declaration = of.parent if of is not None and named is not None and named.type == "identifier" else None
        return self.type(declaration.child_by_field_name("type")) if declaration is not None else None
