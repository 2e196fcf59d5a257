"""PythonScope analysis of Python: which names are read that nothing binds.

Follows the language reference (section 4.2, "Naming and binding") without the order of execution: a name that is bound
anywhere in a scope counts as bound in all of it. It reads tree-sitter's tree, so it does not depend on the Python that
runs it, and it reads code that is broken elsewhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import tree_sitter

from coder.syntax.python_scope import ASKS_FOR_VERSION, KNOWN, OF_PYTHON_2, PythonScope, ScopeKind
from coder.syntax.slips import misspelt
from coder.syntax.soundness import compiler_error
from coder.syntax.tree import Span, SyntaxTree

MAKE_NAMES = frozenset(["exec", "execfile", "globals", "vars"])
"""Functions with which a module can bind names that no analysis sees."""

COMPREHENSIONS = ("list_comprehension", "set_comprehension", "dictionary_comprehension", "generator_expression")
TARGETS = ("pattern_list", "tuple_pattern", "list_pattern", "list_splat_pattern", "dictionary_splat_pattern")
TARGETS_IN_EXPRESSIONS = ("tuple", "list", "list_splat", "parenthesized_expression", "as_pattern_target")

Node = tree_sitter.Node


def undefined_names(tree: SyntaxTree) -> list[tuple[str, Span]] | None:
    """Names that are read and bound nowhere, in order, each with the place where it is read.

    None where nothing can be said: with star imports, and where names may be made at run time. In code that does not
    compile, whose scopes are a guess, only names are reported that look like another one, misspelt.
    """
    analysis = Analysis(tree)
    analysis.run()
    if analysis.unknowable:
        return None
    known = KNOWN | (OF_PYTHON_2 if ASKS_FOR_VERSION.search(tree.text) else frozenset())
    if tree.root.has_error or compiler_error(tree.text) is not None:
        known |= analysis.names_not_misspelt()
    found = [
        (name, tree.span(node)) for name, node, scope in analysis.uses if name not in known and not scope.resolves(name)
    ]
    return sorted(found, key=lambda name_and_span: name_and_span[1])


def bound_names(tree: SyntaxTree) -> set[str]:
    """Every name that is bound in some scope of the text."""
    analysis = Analysis(tree)
    analysis.run()
    return set().union(*(scope.bound for scope in analysis.scopes))


class Analysis:
    """One walk over the tree that collects what is bound and what is read. The order of the walk does not matter."""

    def __init__(self, tree: SyntaxTree) -> None:
        self.uses: list[tuple[str, Node, PythonScope]] = []
        self.unknowable = False
        self.scopes = [PythonScope("module")]
        self.tree = tree
        self._pending: list[tuple[Node, PythonScope]] = [(tree.root, self.scopes[0])]
        self.bindings: list[tuple[str, Node, PythonScope]] = []
        self.attributes: list[tuple[Node, str, PythonScope]] = []
        self.classes: dict[tuple[PythonScope, str], list[PythonScope]] = {}
        self.bases: dict[PythonScope, tuple[list[Node], PythonScope]] = {}
        self.members: list[tuple[Node, PythonScope]] = []
        self.of_super: list[tuple[Node, PythonScope]] = []
        self._guarded: list[tuple[int, int]] = []

    def run(self) -> None:
        while self._pending:
            node, scope = self._pending.pop()
            handler = getattr(self, f"_{node.type}", None) if node.is_named else None
            if node.is_error:
                self._bind(self.scopes[0], *_identifiers(node))
            elif handler is not None:
                handler(node, scope)
            elif node.type in COMPREHENSIONS:
                self._comprehension(node, scope)
            else:
                self._read(scope, *node.named_children)
        self.all_uses = self.uses
        self.uses = [use for use in self.uses if not self._is_guarded(use[1])]

    def names_not_misspelt(self) -> frozenset[str]:
        """Names that are read more than once, are bound somewhere, or look like none that is."""
        times = Counter(self.tree.text_of(node) for node in _identifiers(self.tree.root))
        bound = frozenset().union(*(scope.bound for scope in self.scopes))
        names = {name for name, _, _ in self.uses}
        meant = {name for name in names if times[name] > 1 or name in bound}
        return frozenset(names - misspelt(names - meant, bound))

    def _read(self, scope: PythonScope, *nodes: Node | None) -> None:
        self._pending.extend((node, scope) for node in nodes if node is not None)

    def _bind(self, scope: PythonScope, *nodes: Node | None) -> None:
        found = [(self.tree.text_of(node), node, scope) for node in nodes if node is not None]
        scope.bound.update(name for name, _, _ in found)
        self.bindings += found

    def _inner(self, kind: ScopeKind, parent: PythonScope) -> PythonScope:
        self.scopes.append(PythonScope(kind, parent))
        return self.scopes[-1]

    def _targets(self, scope: PythonScope, *nodes: Node | None) -> None:
        """Bind the names that are assigned to; what stands in front of a dot or a bracket is read."""
        for node in nodes:
            if node is None:
                continue
            if node.type == "identifier":
                self._bind(scope, node)
            elif node.type in TARGETS or node.type in TARGETS_IN_EXPRESSIONS:
                self._targets(scope, *node.named_children)
            else:
                self._read(scope, node)

    def _is_guarded(self, node: Node) -> bool:
        return any(start <= node.start_byte and node.end_byte <= end for start, end in self._guarded)

    # What follows is called by the names of the grammar's nodes.

    def _identifier(self, node: Node, scope: PythonScope) -> None:
        name = self.tree.text_of(node)
        self.unknowable |= name in MAKE_NAMES and not (name == "vars" and _has_arguments(node))
        if not node.is_missing:
            self.uses.append((name, node, scope))

    def _attribute(self, node: Node, scope: PythonScope) -> None:
        of, member = node.child_by_field_name("object"), node.child_by_field_name("attribute")
        if of is not None and member is not None and self.tree.text_of(of) in ("self", "cls"):
            self.members.append((member, scope))
        elif of is not None and member is not None and self.tree.text_of(of) == "super()":
            self.of_super.append((member, scope))
        elif of is not None and member is not None and of.type == "identifier":
            self.attributes.append((member, self.tree.text_of(of), scope))
        self._read(scope, of)

    def _member_type(self, node: Node, scope: PythonScope) -> None:
        self._read(scope, node.named_children[0])

    def _keyword_argument(self, node: Node, scope: PythonScope) -> None:
        self._read(scope, node.child_by_field_name("value"))

    def _assignment(self, node: Node, scope: PythonScope) -> None:
        self._targets(scope, node.child_by_field_name("left"))
        self._read(scope, node.child_by_field_name("type"), node.child_by_field_name("right"))

    def _named_expression(self, node: Node, scope: PythonScope) -> None:
        self._bind(scope.for_walrus, node.child_by_field_name("name"))
        self._read(scope, node.child_by_field_name("value"))

    def _for_statement(self, node: Node, scope: PythonScope) -> None:
        left = node.child_by_field_name("left")
        self._targets(scope, left)
        self._read(scope, *(child for child in node.named_children if child != left))

    def _as_pattern(self, node: Node, scope: PythonScope) -> None:
        alias = node.child_by_field_name("alias")
        self._targets(scope, alias)
        self._read(scope, *(child for child in node.named_children if child != alias))

    def _comprehension(self, node: Node, scope: PythonScope) -> None:
        inner = self._inner("comprehension", scope)
        clauses = [child for child in node.named_children if child.type == "for_in_clause"]
        for child in node.named_children:
            if child.type == "for_in_clause":
                self._targets(inner, child.child_by_field_name("left"))
                # The first iterable is evaluated outside.
                self._read(scope if child == clauses[0] else inner, *child.children_by_field_name("right"))
            else:
                self._read(inner, child)

    def _lambda(self, node: Node, scope: PythonScope) -> None:
        inner = self._inner("function", scope)
        self._parameters_of(node, inner, scope)
        self._read(inner, node.child_by_field_name("body"))

    def _function_definition(self, node: Node, scope: PythonScope) -> None:
        self._bind(scope, node.child_by_field_name("name"))
        outer = self._type_parameters(node.child_by_field_name("type_parameters"), scope)
        inner = self._inner("function", outer)
        self._parameters_of(node, inner, outer)
        self._read(outer, node.child_by_field_name("return_type"))
        self._read(inner, node.child_by_field_name("body"))

    def _class_definition(self, node: Node, scope: PythonScope) -> None:
        self._bind(scope, node.child_by_field_name("name"))
        outer = self._type_parameters(node.child_by_field_name("type_parameters"), scope)
        superclasses = node.child_by_field_name("superclasses")
        self._read(outer, superclasses)
        inner, name = self._inner("class", outer), node.child_by_field_name("name")
        bases = superclasses.named_children if superclasses is not None else []
        self.bases[inner] = [base for base in bases if base.type not in ("keyword_argument", "comment")], outer
        if name is not None:
            self.classes.setdefault((scope, self.tree.text_of(name)), []).append(inner)
        self._read(inner, node.child_by_field_name("body"))

    def _type_alias_statement(self, node: Node, scope: PythonScope) -> None:
        names = list(_identifiers(node.child_by_field_name("left")))
        outer = self._inner("type parameters", scope)
        self._bind(scope, *names[:1])
        self._bind(outer, *names[1:])
        self._read(outer, node.child_by_field_name("right"))

    def _type_parameters(self, node: Node | None, scope: PythonScope) -> PythonScope:
        """A scope with the type parameters of a function or class; the scope itself where there are none."""
        if node is None:
            return scope
        inner = self._inner("type parameters", scope)
        for parameter in node.named_children:
            names = list(_identifiers(parameter))
            bounds = names[1:]
            self._bind(inner, *names[:1])
            self.uses.extend((self.tree.text_of(bound), bound, inner) for bound in bounds if _stands_alone(bound))
        return inner

    def _parameters_of(self, node: Node, inner: PythonScope, outer: PythonScope) -> None:
        """Bind parameters; their defaults and annotations are evaluated outside."""
        parameters = node.child_by_field_name("parameters")
        for parameter in parameters.named_children if parameters is not None else ():
            name = parameter.child_by_field_name("name")
            if name is None and parameter.type == "typed_parameter":
                name = parameter.named_children[0]
            self._targets(inner, name or parameter)
            self._read(outer, parameter.child_by_field_name("type"), parameter.child_by_field_name("value"))

    def _import_statement(self, node: Node, scope: PythonScope) -> None:
        for child in node.children_by_field_name("name"):
            self._bind(scope, child.child_by_field_name("alias") or child.named_children[0])

    def _import_from_statement(self, node: Node, scope: PythonScope) -> None:
        self.unknowable |= any(child.type == "wildcard_import" for child in node.named_children)
        self._import_statement(node, scope)

    def _future_import_statement(self, node: Node, scope: PythonScope) -> None:
        self._import_statement(node, scope)

    def _global_statement(self, node: Node, scope: PythonScope) -> None:
        scope.module.bound.update(map(self.tree.text_of, node.named_children))
        self._look_up_in(scope.module, node, scope)

    def _nonlocal_statement(self, node: Node, scope: PythonScope) -> None:
        self._look_up_in(scope.parent or scope, node, scope)

    def _look_up_in(self, outer: PythonScope, node: Node, scope: PythonScope) -> None:
        if outer is not scope:
            scope.looked_up_in.update((self.tree.text_of(child), outer) for child in node.named_children)
        self._read(scope, *node.named_children)

    def _delete_statement(self, node: Node, scope: PythonScope) -> None:
        targets = node.named_children
        self._targets(scope, *(targets[0].named_children if targets[0].type == "expression_list" else targets))

    def _try_statement(self, node: Node, scope: PythonScope) -> None:
        body = node.child_by_field_name("body")
        if body is not None and any(self._catches_name_errors(child) for child in node.named_children):
            self._guarded.append((body.start_byte, body.end_byte))
        self._read(scope, *node.named_children)

    def _catches_name_errors(self, node: Node) -> bool:
        if node.type != "except_clause":
            return False
        names = [self.tree.text_of(name) for child in node.named_children[:-1] for name in _identifiers(child)]
        return not names or "NameError" in names

    def _case_clause(self, node: Node, scope: PythonScope) -> None:
        for child in node.named_children:
            if child.type == "case_pattern":
                self._pattern(child, scope)
            else:
                self._read(scope, child)

    def _pattern(self, node: Node, scope: PythonScope) -> None:
        """Bind what a `case` captures; read the classes and constants it compares with."""
        children = node.named_children
        match node.type:
            case "identifier":
                self._bind(scope, node)
            case "dotted_name" if len(children) == 1:
                self._bind(scope, *children)
            case "dotted_name":
                self._read(scope, children[0])
            case "class_pattern":
                self._read(scope, children[0].named_children[0])
                self._patterns(children[1:], scope)
            case "keyword_pattern":
                self._patterns(children[1:], scope)
            case _:
                self._patterns(children, scope)

    def _patterns(self, nodes: list[Node], scope: PythonScope) -> None:
        for node in nodes:
            self._pattern(node, scope)


def _identifiers(node: Node | None) -> Iterator[Node]:
    """Every identifier in a node, in order."""
    pending = [node] if node is not None else []
    while pending:
        node = pending.pop()
        if node.type == "identifier":
            yield node
        pending.extend(reversed(node.named_children))


def _stands_alone(node: Node) -> bool:
    """Return whether an identifier is no attribute of something."""
    parent = node.parent
    return parent is None or parent.type != "attribute" or parent.child_by_field_name("object") == node


def _has_arguments(node: Node) -> bool:
    """Return whether it is called with arguments."""
    arguments = node.parent and node.parent.child_by_field_name("arguments")
    return arguments is not None and bool(arguments.named_children)
