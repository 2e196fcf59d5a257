"""Which occurrences of a name are those of one declaration: marked with `‸` in each text, all others are not."""

from __future__ import annotations

import re

import pytest

from coder.syntax.bindings import RESOLVED, Occurrence, occurrences
from coder.syntax.tree import SyntaxTree

MARK = "‸"

PYTHON = {
    "a lambda's parameter is its own": "‸x = 1; g = lambda x: x + 1; print(‸x)",
    "a lambda's parameter in it": "x = 1; g = lambda ‸x: ‸x + 1; print(x)",
    "a nested function's parameter is its own": "def f(‸n):\n    def g(n):\n        return n\n    return g(‸n)",
    "a nested function reads what is around it": "def f(‸n):\n    def g():\n        return ‸n\n    return g",
    "a comprehension's name is its own": "‸n = 1\nxs = [n for n in range(‸n)]\nprint(‸n)",
    "global names the module's": "‸n = 0\ndef f():\n    global ‸n\n    ‸n += 1\ndef g(n):\n    return n",
    "nonlocal names the function's around": (
        "def f():\n    ‸n = 0\n    def g():\n        nonlocal ‸n\n        ‸n += 1\n    return ‸n\nn = 1"
    ),
    "a class's names are not seen in its methods": "‸n = 1\nclass A:\n    n = 2\n    def f(self):\n        return ‸n",
    "what is caught is of the function": "try:\n    f()\nexcept E as ‸e:\n    print(‸e)\ndef g(e):\n    return e",
    "a keyword is no use": "‸rate = 1\nf(rate=‸rate)",
    "an attribute is no use": "‸rate = 1\na.rate = ‸rate",
    "members behind self in one class": (
        "class A:\n    def ‸f(self):\n        return self.‸f()\nclass B:\n    def f(self):\n        return self.f()"
    ),
    "a method of a base, behind self and super": (
        "class A:\n    def ‸f(self): ...\nclass B(A):\n    def g(self):\n        self.‸f()\n        super().‸f()"
    ),
    "an attribute that a base assigns": (
        "class A:\n    def __init__(self):\n        self.‸n = 0\nclass B(A):\n    def f(self):\n        self.‸n = 1"
    ),
    "a base that is not in the file may have it": (
        "class A:\n    def ‸f(self): ...\nclass B(Other, A):\n    def g(self):\n        self.f()"
    ),
    "a base that Python has, and has no such member": (
        "class A:\n    def ‸f(self): ...\nclass B(Exception, A):\n    def g(self):\n        self.‸f()"
    ),
    "a base that Python has, with such a member": (
        "class A:\n    def ‸args(self): ...\nclass B(Exception, A):\n    def g(self):\n        self.args()"
    ),
    "an own method outranks a base's": (
        "class A:\n    def f(self): ...\nclass B(A):\n    def ‸f(self): ...\n    def g(self):\n        self.‸f()"
    ),
    "bases in a circle": "class A(B):\n    def ‸f(self):\n        self.‸f()\nclass B(A):\n    def g(self): ...",
    "what := binds in a comprehension is outside": "def f(xs):\n    [‸y for x in xs if (‸y := g(x))]\n    return ‸y",
    "what := binds in a lambda is its own": "y = 1\nf = lambda: (‸y := 2) + ‸y\nprint(y)",
    "a default is evaluated outside": "‸n = 1\ndef f(n=‸n):\n    return n",
    "a loop with else": "for ‸x in xs:\n    f(‸x)\nelse:\n    g(‸x)",
    "what a case captures": "match p:\n    case [A(y=‸y), *rest] if ‸y:\n        f(‸y, p.y)",
    "a type parameter": "def f[‸T](x: ‸T) -> ‸T:\n    return x\ndef g[T](x: T): ...",
}

TYPESCRIPT = {
    "a block's name is its own": "let ‸x = 1;\n{ let x = 2; use(x); }\nuse(‸x);",
    "the block's name": "let x = 1;\n{ let ‸x = 2; use(‸x); }\nuse(x);",
    "var belongs to the function": "function f() { if (a) { var ‸x = 1; } return ‸x; }\nx;",
    "a parameter of an arrow": "const f = (‸name: string) => ‸name;\nname;",
    "a shorthand property is a use": "function f(‸name) { return { ‸name, other: o.name }; }",
    "a pattern declares": "const { ‸name, a: { b = ‸name } } = p;\nlog(‸name, p.name);",
    "a pattern's key is none": "const { name: ‸title } = p;\nlog(‸title, name);",
    "a loop's name": "for (const ‸x of xs) { f(‸x); }\nx;",
    "a caught error": "try { f(); } catch (‸e) { g(‸e); }\ne;",
    "an import": "import { a as ‸b } from 'm';\n‸b(a);",
    "an import of a default": "import ‸React from 'react';\n‸React.b; p.React;",
    "a class": "class ‸A {}\nnew ‸A();\nlet x: ‸A;",
    "a type is no value": "type ‸T = string;\nconst T = 1;\nlet x: ‸T = T;",
    "a member behind this": "class A { ‸n = 0; f() { return () => this.‸n; } }\nclass B { n = 1; }\no.n;",
    "a private member": "class A { #‸n = 0; get n() { return this.#‸n; } }",
    "a function expression's own name": "const f = function ‸g() { return ‸g; };\ng;",
    "a parameter that is a field too": (
        "class A { constructor(private ‸n: number) { use(‸n); } f(n) { return this.‸n + n; } }"
    ),
    "a static member behind its class": "class A { static ‸n = 1; f(n) { return A.‸n + B.n; } }",
    "var of a loop belongs to the function": "function f() { use(‸x); for (var ‸x of xs) {} return ‸x; }",
    "an inferred type": "type A<T> = T extends (infer ‸U)[] ? ‸U : never;\ntype U = 1;",
    "a key of a mapped type": "type A<T> = { [‸K in keyof T]: T[‸K] };\ntype K = 1;",
    "a pattern of a parameter": "const f = ({ name: ‸n = 1 }, [a]) => ‸n + a;\nname; n;",
    "a label is no name": "let ‸outer = 1;\nouter: for (;;) { break outer; }\nuse(‸outer);",
    "a block of switch": "let x = 1;\nswitch (y) { case 1: let ‸x = 2; use(‸x); }\nuse(x);",
    "a type parameter": "function f<‸T>(x: ‸T): ‸T { return x; }\ntype T = 1;",
}

GO = {
    "a block's name is its own": "package a\nfunc f() { ‸x := 1; { x := ‸x + 1; use(x) }; use(‸x) }",
    "a name of an if": "package a\nfunc f(n int) { if ‸n := n + 1; ‸n > 2 { use(‸n) }; use(n) }",
    "a parameter": "package a\nfunc f(‸n int) int { return ‸n + a.n }\nfunc g(n int) int { return n }",
    "a result": "package a\nfunc f() (‸err error) { ‸err = g(); return }",
    "a receiver": "package a\nfunc (‸s *Stack) Len() int { return len(‸s.items) }",
    "a field's key is none": "package a\nfunc f(‸n int) P { return P{n: ‸n} }",
    "a map's key is a use": "package a\nfunc f(‸n int) any { return map[int]int{‸n: 1} }",
    "a type": "package a\ntype ‸Box struct{}\nfunc f() *‸Box { return &‸Box{} }",
    "a type of another package is another": "package a\ntype ‸Box struct{}\nvar b other.Box\nvar c ‸Box",
    "a range": "package a\nfunc f(xs []int) { for ‸i, x := range xs { use(‸i, x) }; use(i) }",
    "what is assigned is no declaration": "package a\nvar ‸n int\nfunc f() { ‸n = 2; a.n = 3 }",
    "an import's alias": 'package a\nimport ‸str "strings"\nfunc f() { ‸str.ToUpper(x.str) }',
    "a type parameter of a receiver": "package a\nfunc (l *L[‸T]) f(x ‸T) {}\nvar T = 1",
    "a result that := assigns": "package a\nfunc f() (‸r int) { ‸r, m := g(m); { r, k := h(k); use(r) }; return ‸r }",
    "an array's key is a use": 'package a\nconst ‸A = 0\nvar x = [...]string{‸A: "a"}',
    "a name of a type switch": "package a\nfunc f(v any) { switch ‸t := v.(type) { case int: use(‸t) }; use(t) }",
    "a case's name is its own": "package a\nfunc f(x int) { switch x { case 1: ‸x := 2; use(‸x); default: use(x) } }",
    "a name that is declared again beside a new one": "package a\nfunc f() { a, ‸e := g(); b, ‸e := h(); use(a, ‸e) }",
    "a label is no name": "package a\nfunc f(‸l int) { l: for { break l; continue l }; use(‸l) }",
}

JAVA = {
    "a field against a parameter": (
        "class A { int ‸count; void set(int count) { this.‸count = count; } int get() { return ‸count; } }"
    ),
    "the parameter": "class A { int count; void set(int ‸count) { this.count = ‸count; } }",
    "a local behind its declaration": "class A { int n; void f() { use(n); int ‸n = 1; use(‸n); } }",
    "a block's name": "class A { void f() { { int ‸n = 1; use(‸n); } int n = 2; use(n); } }",
    "a lambda's parameter": "class A { int n; void f() { run(‸n -> ‸n + 1); use(n); } }",
    "a method is no field": "class A { int ‸f() { return 1; } int f; int g() { return ‸f() + f + o.f(); } }",
    "a loop's name": "class A { void f() { for (int ‸i = 0; ‸i < 2; ‸i++) { use(‸i); } use(i); } }",
    "a resource": "class A { void f() { try (var ‸in = open()) { read(‸in); } } Object in; }",
    "a pattern of instanceof": "class A { void f(Object o) { if (o instanceof B ‸b) { use(‸b); } } }",
    "a type parameter": "class A<‸T> { ‸T f(‸T t) { return t; } }\nclass B { T t; }",
    "a class": "class ‸Box { ‸Box next; static ‸Box of() { return new ‸Box(); } }",
    "a member of a class behind its name": (
        "class A { static int ‸N = 1; int f(int N) { return A.‸N + B.N; } }\nclass C { int g() { return A.‸N; } }"
    ),
    "a method behind its class": "class A { static int ‸f() { return 1; } int g() { return A.‸f() + o.f(); } }",
    "a constant of an enum": "enum E { ‸A, B; E f() { return E.‸A; } }",
    "a method that is referred to": "class A { void ‸f() {} void g() { run(this::‸f, o::f); } }",
    "a record's pattern": "class A { void f(Object o) { if (o instanceof P(int ‸a, int b)) { use(‸a); } } }",
    "a rule of switch": "class A { void f(Object o) { switch (o) { case B ‸s -> use(‸s); default -> use(s); } } }",
    "a resource is not known in finally": "class A { void f() { try (R ‸r = x()) { ‸r.x(); } finally { r.y(); } } }",
    "an inner class behind the outer one": "class A { class ‸B {} }\nclass C { A.‸B b; D.B d; }",
    "a label is no name": "class A { void f(int ‸l) { l: for (;;) { break l; } use(‸l); } }",
}

RUST = {
    "a later let is another name": "fn f(n: i32) { let ‸x = n; let x = ‸x + 1; use_it(x); }",
    "the later one": "fn f(n: i32) { let x = n; let ‸x = x + 1; use_it(‸x); }",
    "a block's name is its own": "fn f() { let ‸x = 1; { let x = 2; g(x); } g(‸x); }",
    "a parameter": "fn f(‸n: i32) -> i32 { ‸n + p.n }\nfn g(n: i32) -> i32 { n }",
    "a closure's parameter": "fn f(x: i32) { let g = |‸x: i32| ‸x + 1; g(x); }",
    "what if let binds is not in else": "fn f(v: i32) { if let Some(‸v) = g(v) { h(‸v) } else { h(v) } }",
    "what while let binds": "fn f(v: i32) { while let Some(‸v) = g(v) { h(‸v); } h(v); }",
    "what let else binds is behind it": "fn f(v: i32) { let Some(‸v) = g(v) else { return h(v) }; h(‸v); }",
    "a loop's name": "fn f(i: i32) { for ‸i in 0..i { g(‸i); } g(i); }",
    "an arm's names": "fn f(x: i32) { match p { P { x: ‸k } | Q(‸k) if ‸k > 1 => ‸k, k => k }; }",
    "a shorthand of a pattern": "fn f(p: P) { let P { ‸x, .. } = p; g(‸x, p.x); }",
    "a field behind self, where it is a struct's": (
        "struct P { ‸x: i32 }\nimpl P { fn x(&self) -> i32 { self.‸x } fn f(&self, x: i32) { self.x(); x } }\n"
        "struct Q { x: i32 }\nimpl Q { fn f(&self) -> i32 { self.x } }\nfn f(p: P) -> i32 { p.x }"
    ),
    "a field in literals and patterns": (
        "struct P<T> { ‸x: T }\nimpl<T> P<T> { fn new(x: T) -> Self { Self { ‸x } } }\n"
        "fn f(x: i32) { let P { ‸x: a } = P { ‸x: 1 }; let Q { x, .. } = Q { x: 2 }; g(a, x); }"
    ),
    "a field in a macro's arguments": (
        'struct P { ‸x: i32 }\nimpl P { fn f(&self) { println!("{}", self.‸x); g!(q.x); } }'
    ),
    "a field that a trait's methods use": "struct P { ‸x: i32 }\nimpl T for P { fn f(&self) -> i32 { self.‸x } }",
    "a method behind self, and behind its struct's name": (
        "struct P { f: i32 }\nimpl P { fn ‸f(&self) -> i32 { self.f } fn g(&self) { self.‸f(); Self::‸f(self); } }\n"
        "impl Q { fn g(&self) { self.f(); } }\nfn f(p: &P) { P::‸f(p); Q::f(p); p.f(); f(p); }"
    ),
    "two structs of one name": "mod a { struct P { x: i32 } }\nstruct P { x: i32 }\nfn f(‸x: i32) -> i32 { ‸x }",
    "a shorthand of a struct": "fn f(‸x: i32) -> P { P { ‸x, y: p.x } }",
    "a constant in a pattern is a use": "const ‸MAX: i32 = 1;\nfn f(n: i32) { match n { ‸MAX => 1, _ => 0 }; }",
    "a struct": "struct ‸P { x: i32 }\nimpl ‸P { fn new() -> ‸P { ‸P { x: 1 } } }\nfn f() { ‸P::new(); a::P; }",
    "a variant is no name": "enum ‸E { A }\nfn f() -> ‸E { ‸E::A }\nfn A() {}",
    "a method is no function": "fn ‸len() {}\nimpl P { fn len(&self) { ‸len(); self.len(); P::len(); } }",
    "arguments of a macro": 'fn f(‸x: i32) { println!("{}", ‸x); assert_eq!(‸x, p.x); }',
    "a type parameter": "fn f<‸T: Show>(t: ‸T) -> ‸T { t }\nfn g<T>(t: T) {}",
    "an import": "use a::b::{‸c, d as e};\nfn f() { ‸c(d, p.c); }",
    "a label is no name": "fn f(‸outer: i32) { 'outer: loop { break 'outer; } g(‸outer); }",
}

C = {
    "a block's name is its own": "void f(void) { int ‸x = 1; { int x = 2; use(x); } use(‸x); }",
    "a parameter": "int f(int *‸n) { return *‸n + p->n; }\nint g(int n) { return n; }",
    "a parameter that is called": "int f(int (*‸cb)(int x), int x) { return ‸cb(x); }",
    "a name of a prototype is its own": "int f(int n);\nint f(int ‸n) { return ‸n; }",
    "a loop's name": "void f(int i) { for (int ‸i = 0, n = ‸i; ‸i < n; ‸i++) use(‸i); use(i); }",
    "a name is known behind its declarator": "int n; void f(void) { use(n); int ‸n = 1, *m = &‸n; use(‸n); }",
    "a function with its prototype": (
        "static int ‸f(int a);\nint g(void) { return ‸f(1); }\nstatic int ‸f(int b) { return b; }"
    ),
    "a tag is apart from a name": (
        "struct ‸node { struct ‸node *next; };\nint node;\nvoid f(struct ‸node *n) { use(node); }"
    ),
    "a name apart from its tag": "typedef struct node { int v; } ‸node;\n‸node *make(struct node *n);",
    "a type that is named once": "typedef struct { int v; } ‸Box;\n‸Box *f(‸Box b) { return sizeof(‸Box); }",
    "a constant of an enum": "enum E { ‸A, B = ‸A };\nint f(int x) { switch (x) { case ‸A: return p->A; } }",
    "a label is no name": "int f(int ‸end) { goto end; end: return ‸end; }",
    "a field behind names of its type": (
        "struct S { int ‸n; };\nstruct T { int n; };\n"
        "int f(struct S *s, struct T *t, struct S u) { return s->‸n + t->n + u.‸n + v->n; }"
    ),
    "a field through other fields": (
        "typedef struct { int ‸n; } In;\ntypedef struct { In *in; In all[3]; } Out;\n"
        "int f(Out *o) { return o->in->‸n + o->all[0].‸n + (*o->in).‸n + o->n; }"
    ),
    "a designated field": (
        "struct S { int ‸n; };\nstruct S s = { .‸n = 1 };\nint f(int n) { return g((struct S){ .‸n = n }); }"
    ),
    "a macro is one everywhere": "#define ‸N 3\nint a[‸N];\n#ifdef ‸N\nint f(void) { return ‸N; }\n#endif\n#undef ‸N",
    "a parameter of a macro is no name": "#define M(n) ((n) + 1)\nint f(int ‸n) { return M(‸n); }",
}

CPP = {
    "a range's name": "void f(std::vector<int> x) { for (auto& ‸y : y) use(‸y); for (int x : x) use(x); }",
    "names of a structured binding": (
        "void f(M m) { for (const auto& [‸k, v] : m) use(‸k, v); auto [k, w] = g(); use(k); }"
    ),
    "a lambda's parameter is its own": "void f(int ‸n) { auto g = [](int n) { return n; }; g(‸n); }",
    "a captured name": "void f(int ‸n) { auto g = [&‸n, m = ‸n](int k) { return ‸n + m; }; }",
    "a name that a capture makes": "void f(int n) { auto g = [‸n = n]() { return ‸n; }; use(n); }",
    "a name of an if": "void f(int c) { if (int ‸c = g(); ‸c > 1) { use(‸c); } else use(‸c); use(c); }",
    "a caught error": "void f(int e) { try { g(); } catch (const E& ‸e) { use(‸e); } use(e); }",
    "a field in its class": (
        "class A { public: A(int n) : ‸n_(n) {} int get() const { return ‸n_; }"
        " void set(int x) { this->‸n_ = x; } int ‸n_; };\n"
        "int f(A a) { return a.‸n_ + b.n_; }"
    ),
    "a field against a parameter": ("struct A { int ‸n; void set(int n) { this->‸n = n; } int get() { return ‸n; } };"),
    "a field in a method outside": "struct A { int f(); int ‸n; };\nint n;\nint A::f() { return ‸n + ::n; }",
    "a method with its definition": (
        "struct A { int ‸f(); int g() { return ‸f(); } };\nint A::‸f() { return 1; }\nint f();"
    ),
    "a member of a base": "struct A { int ‸n; };\nstruct B : public A { int f() { return ‸n + this->‸n; } };",
    "a class, its constructor and destructor": (
        "class ‸Box { public: explicit ‸Box(int n); ~‸Box(); };\n‸Box::‸Box(int n) {}\n‸Box::~‸Box() {}\n‸Box b(1);"
    ),
    "a template with its parameter": (
        "template <typename ‸T, int N> class A { ‸T x; };\ntemplate <typename T> T f(T t) { return t; }"
    ),
    "a class that is a template": "template <class T> struct ‸A { ‸A<T>* next; };\n‸A<int> a;\nvoid f(‸A<B::A> x);",
    "a name of a namespace": (
        "namespace a { int ‸n; int f() { return ‸n; } }\nint n;\nint g() { return a::‸n + b::n + n; }"
    ),
    "a namespace that goes on": (
        "namespace a { void ‸f(); }\nnamespace b { void f(); }\nnamespace a { void g() { ‸f(); } }"
    ),
    "a namespace": "namespace ‸a { int n; }\nint f() { return ‸a::n + b::a; }",
    "a namespace without a name": "namespace { int ‸n; }\nint f() { return ‸n; }",
    "a constant of an enum class": "enum class E { ‸A };\nint A;\nE f() { return A ? E::‸A : D::A; }",
    "a constant of an enum in a class": (
        "struct S { enum E { ‸A }; int f() { return ‸A; } };\nint g() { return S::‸A + A; }"
    ),
    "a name that using brings": "namespace a { void ‸f(); }\nvoid f(int);\nvoid g() { using a::‸f; ‸f(); }",
    "a name that using brings from elsewhere": (
        "void ‸swap(int n);\nvoid g() { using std::swap; swap(1); }\nvoid h() { ‸swap(2); }"
    ),
    "an alias": "using ‸V = std::vector<int>;\n‸V f(‸V v);",
    "an attribute is no name": "[[unused]] int ‸unused = 1;\nint f() { return ‸unused; }",
    "a later default": "int ‸n = 1;\nvoid f(int m = ‸n, int n = 2) { use(n); }",
}

SPECIFIED = {
    (language, title): text
    for language, texts in {
        "python": PYTHON,
        "typescript": TYPESCRIPT,
        "go": GO,
        "java": JAVA,
        "rust": RUST,
        "c": C,
        "cpp": CPP,
    }.items()
    for title, text in texts.items()
}


def found_in(language: str, text: str, name: str) -> list[Occurrence]:
    tree = SyntaxTree.of(text, language)
    assert tree is not None
    return occurrences(tree, language, name)


@pytest.mark.parametrize(("language", "title"), SPECIFIED)
def test_the_marked_places_are_those_of_one_declaration(language: str, title: str):
    marked = SPECIFIED[language, title]
    text = marked.replace(MARK, "")
    places = [match.start() - index for index, match in enumerate(re.finditer(MARK, marked))]
    name = re.match(r"\w+", text[places[0] :])
    assert name is not None
    found = found_in(language, text, name.group())
    binding = next(each.binding for each in found if each.start == places[0])
    assert binding is not None
    assert [each.start for each in found if each.binding == binding] == places
    assert any(each.declares for each in found if each.binding == binding)


@pytest.mark.parametrize(
    ("language", "text", "name", "shapes"),
    [
        ("typescript", "const a = 1;\nf({ a });\nexport { a };", "a", ["{new}", "{old}: {new}", "{new} as {old}"]),
        ("rust", "fn f(x: i32) -> P { P { x } }", "x", ["{new}", "{old}: {new}"]),
        ("rust", "struct P { x: i32 }\nfn f() { P { x }; }", "x", ["{new}", "{old}: {new}", "{new}: {old}"]),
        ("rust", "fn f(p: P) { let P { x } = p; g(x); }", "x", ["{old}: {new}", "{new}"]),
    ],
)
def test_a_shorthand_keeps_its_key(language: str, text: str, name: str, shapes: list[str]):
    assert [each.shape for each in found_in(language, text, name)] == shapes


@pytest.mark.parametrize(
    "text",
    [
        'fn f(x: i32) { println!("{x}"); }',
        'fn f(x: i32) { println!("{x:?} {}", x); }',
        "fn f(x: i32) { each!(|x| x + 1); }",
        "macro_rules! m { () => { x }; }\nfn f(x: i32) { g(x); }",
    ],
)
def test_what_a_macro_may_declare_or_name_is_left_alone(text: str):
    assert found_in("rust", text, "x") == []


def test_a_doubled_bracket_of_a_format_names_nothing():
    assert len(found_in("rust", 'fn f(x: i32) { println!("{{x}}"); g(x); }', "x")) == 2


@pytest.mark.parametrize(
    ("language", "text", "name"),
    [
        ("c", "#define TWICE (n + n)\nint f(int n) { return TWICE; }", "n"),
        ("c", "#define GET(p) (p)->n\nstruct S { int n; };", "n"),
        ("c", "namespace a { class B { int n; }; int f(int n) { return n; } }", "n"),
    ],
)
def test_what_the_text_does_not_say_is_left_alone(language: str, text: str, name: str):
    assert found_in(language, text, name) == []


def test_what_stands_in_broken_text_may_be_declared_there():
    found = found_in("c", "int n; void f(void) { int int n ) ( 1; g(n); } int h(void) { return n; }", "n")
    assert [each.binding == found[0].binding for each in found] == [True, False, True]


@pytest.mark.parametrize(
    "text",
    [
        "void f(int a);\nvoid f(char *a);\nvoid g() { f(1); }",
        "struct A { int f(); int f() const; int g() { return f(); } };",
    ],
)
def test_functions_that_share_a_name_are_not_told_apart(text: str):
    first, second, use = found_in("cpp", text, "f")
    assert None not in (first.binding, second.binding)
    assert first.binding != second.binding
    assert use.binding is None


def test_other_languages_are_not_resolved():
    assert "csharp" not in RESOLVED
    tree = SyntaxTree.of("int x = 1;", "c")
    assert tree is not None
    assert occurrences(tree, "csharp", "x") == []


@pytest.mark.parametrize(
    "text",
    [
        "struct S { int x; }; void f(S s) { " + "(" * 3000 + "s" + ")" * 3000 + ".x; }",
        "struct S { S *n; int x; }; void f(S s) { s." + "n->" * 3000 + "x; }",
        "struct B0 { int x; };"
        + "".join(f"struct B{i} : B{i - 1} {{}};" for i in range(1, 2000))
        + "int B1999::f() { x; }",
        "struct A : A { int x; };",
    ],
    ids=["brackets", "members of members", "bases", "a base of itself"],
)
def test_whatever_is_nested_is_resolved_without_an_error(text: str):
    assert found_in("cpp", text, "x")
