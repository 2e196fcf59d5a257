"""Tables of the grammars of JavaScript, TypeScript, Go, Java and Rust: the nodes that open a scope, and the places of
nodes in which a name is declared. A place is a language, the kind of a node and the field of it."""

from __future__ import annotations

from typing import Literal

Kind = Literal["module", "class", "function", "method", "arrow", "block"]
"""Of a scope."""

SCOPES: dict[str, dict[str, Kind]] = {
    "script": {
        **dict.fromkeys("function_declaration function_expression generator_function generator_function_declaration "
        "function_type function_signature method_signature call_signature construct_signature constructor_type "
        "abstract_method_signature".split(), "function"),
        **dict.fromkeys("class_declaration class abstract_class_declaration interface_declaration internal_module "
        "type_alias_declaration statement_block for_statement for_in_statement catch_clause "
        "switch_body conditional_type index_signature".split(), "block"),
        "method_definition": "method", "arrow_function": "arrow", "class_body": "class",
    },
    "go": {
        **dict.fromkeys("function_declaration method_declaration func_literal function_type "
        "method_elem".split(), "function"),
        **dict.fromkeys("block if_statement for_statement expression_switch_statement type_switch_statement "
        "select_statement expression_case type_case default_case communication_case type_spec".split(), "block"),
    },
    "java": {
        **dict.fromkeys("method_declaration constructor_declaration compact_constructor_declaration "
        "lambda_expression".split(), "function"),
        **dict.fromkeys("class_body interface_body enum_body annotation_type_body".split(), "class"),
        **dict.fromkeys("class_declaration interface_declaration enum_declaration record_declaration "
        "annotation_type_declaration block constructor_body for_statement enhanced_for_statement catch_clause "
        "try_with_resources_statement switch_block switch_rule".split(), "block"),
    },
    "rust": {
        **dict.fromkeys("function_item function_signature_item closure_expression".split(), "function"),
        **dict.fromkeys("block match_arm if_expression while_expression for_expression impl_item trait_item mod_item "
        "struct_item enum_item union_item type_item".split(), "block"),
    },
}  # fmt: skip

OUTSIDE = frozenset(
    ("script", kind, "name") for kind in "function_declaration generator_function_declaration function_signature "
    "class_declaration abstract_class_declaration interface_declaration internal_module type_alias_declaration".split()
) | frozenset(
    [("go", "function_declaration", "name"), ("go", "type_spec", "name")]
) | frozenset(
    ("java", kind, "name") for kind in "class_declaration interface_declaration enum_declaration record_declaration "
    "annotation_type_declaration method_declaration".split()
) | frozenset(
    ("rust", kind, "name") for kind in "function_item function_signature_item struct_item enum_item union_item "
    "trait_item type_item mod_item".split()
)  # fmt: skip
"""Names that are declared around the node that opens a scope."""

INSIDE = frozenset(
    [("script", kind, "name") for kind in "function_expression class type_parameter enum_declaration".split()]
    + [("script", "arrow_function", "parameter"), ("script", "catch_clause", "parameter"),
       ("script", "infer_type", None), ("script", "mapped_type_clause", "name")]
    + [("go", kind, "name") for kind in "parameter_declaration variadic_parameter_declaration "
       "type_parameter_declaration type_alias import_spec".split()]
    + [("java", kind, "name") for kind in "formal_parameter catch_formal_parameter resource enhanced_for_statement "
       "enum_constant".split()]
    + [("java", "lambda_expression", "parameters")]
    + [("rust", kind, "name") for kind in "const_item static_item type_parameter const_parameter".split()]
    + [("rust", kind, "pattern") for kind in ("parameter", "match_arm")]
    + [("rust", "closure_parameters", None), ("rust", "use_as_clause", "alias"), ("rust", "use_list", None),
       ("rust", "use_declaration", "argument")]
)  # fmt: skip
"""Names that are declared in the scope of their node, and known in all of it."""

LATER = frozenset([("go", "var_spec", "name"), ("go", "const_spec", "name"), ("go", "short_var_declaration", "left")])
"""Names that are known behind their node."""

OUTER_PARTS = frozenset([
    ("if_expression", "alternative"), ("try_with_resources_statement", "catch_clause"),
    ("try_with_resources_statement", "finally_clause"),
])  # fmt: skip
"""Parts of nodes, by their field or their own kind, that lie outside of the scope that the node opens."""

PATTERNS = frozenset(
    "array_pattern object_pattern rest_pattern expression_list inferred_parameters required_parameter "
    "optional_parameter assignment_pattern object_assignment_pattern pair_pattern tuple_pattern tuple_struct_pattern "
    "struct_pattern field_pattern ref_pattern mut_pattern captured_pattern or_pattern match_pattern slice_pattern "
    "reference_pattern".split()
)
NOT_DECLARED = frozenset(["right", "value", "type", "key", "decorator", "condition"])
"""Parts of a pattern that declare nothing; but a `pair_pattern`'s value does."""

NAMES = frozenset(
    "identifier type_identifier package_identifier shorthand_property_identifier "
    "shorthand_property_identifier_pattern shorthand_field_identifier".split()
)
MEMBERS = frozenset(["property_identifier", "private_property_identifier"])

IGNORED = frozenset(
    [("java", "element_value_pair", "key"), ("script", "nested_type_identifier", "name"),
     ("script", "export_specifier", "alias"), ("script", "index_signature", "name"),
     ("go", "qualified_type", "name")]
)  # fmt: skip
IGNORED_NODES = frozenset(
    "package_clause package_declaration break_statement continue_statement attribute_item inner_attribute_item label "
    "lifetime".split()
)
