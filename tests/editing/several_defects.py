"""Code with several small defects, and the same code without them, by what is wrong and the file's name."""

from __future__ import annotations

SEVERAL = {
    ("a.py", "heads without colons, a misspelt word"): (
        "def f(xs)\n    for x in xs\n        print(x)\n    retrun xs\n",
        "def f(xs):\n    for x in xs:\n        print(x)\n    return xs\n",
    ),
    ("a.py", "a comma for a colon"): (
        "def f(xs):\n    for x in xs,\n        print(x)\n    return xs\n",
        "def f(xs):\n    for x in xs:\n        print(x)\n    return xs\n",
    ),
    ("a.py", "three in a function"): (
        "def total(xs, ys):\n    result = 0\n    for x in xs\n        result += x\n    for y in ys:\n"
        "        result += int(y\n    print(result]\n    return result\n",
        "def total(xs, ys):\n    result = 0\n    for x in xs:\n        result += x\n    for y in ys:\n"
        "        result += int(y)\n    print(result)\n    return result\n",
    ),
    ("a.py", "a head, a condition and a word"): (
        "def f(a:\n    if a\n        retrun a\n    return 2\n",
        "def f(a):\n    if a:\n        return a\n    return 2\n",
    ),
    ("a.py", "a class with two defects on one line"): (
        "class A\n    def f(self, a\n        while a\n            a -= 1\n        retrun a\n",
        "class A:\n    def f(self, a):\n        while a:\n            a -= 1\n        return a\n",
    ),
    ("a.py", "every clause without its colon"): (
        "def f(p, g):\n    with open(p) as f\n        x = f.read(\n    try\n        g(x)\n    except ValueError\n"
        "        pass\n    else\n        return [x\n",
        "def f(p, g):\n    with open(p) as f:\n        x = f.read()\n    try:\n        g(x)\n    except ValueError:\n"
        "        pass\n    else:\n        return [x]\n",
    ),
    ("a.py", "names of another file"): (
        "def f(xs:\n    for x in os.path.split(xs)\n        retrun g(x)\n",
        "def f(xs):\n    for x in os.path.split(xs):\n        return g(x)\n",
    ),
    ("a.py", "a name of another file behind await"): (
        "async def f(xs):\n    out = []\n    async for x in xs\n        try:\n            out.append(await page(x)\n"
        "        except* OSError:\n            pass\n    return out\n",
        "async def f(xs):\n    out = []\n    async for x in xs:\n        try:\n            out.append(await page(x))\n"
        "        except* OSError:\n            pass\n    return out\n",
    ),
    ("a.js", "two brackets"): (
        "function f(a) {\n  return g(a;\n}\n\nfunction h(b) {\n  return [b;\n}\n",
        "function f(a) {\n  return g(a);\n}\n\nfunction h(b) {\n  return [b];\n}\n",
    ),
    ("a.js", "no brace at a function's end"): (
        "function f(a) {\n  return g(a);\n\nfunction h(b) {\n  return b;\n}\n",
        "function f(a) {\n  return g(a);\n}\n\nfunction h(b) {\n  return b;\n}\n",
    ),
    ("a.js", "no brace at a function's beginning"): (
        "function f(a)\n  return g(a);\n}\n",
        "function f(a) {\n  return g(a);\n}\n",
    ),
    ("a.js", "two parentheses and a word"): (
        "function f(a) {\n  if (a {\n    return g(a;\n  }\n  retrun b;\n}\n",
        "function f(a) {\n  if (a) {\n    return g(a);\n  }\n  return b;\n}\n",
    ),
    ("a.ts", "three brackets"): (
        "function f(a: number, b: string: string {\n  const x = [1, 2;\n  return g(x, b;\n}\n",
        "function f(a: number, b: string): string {\n  const x = [1, 2];\n  return g(x, b);\n}\n",
    ),
    ("a.ts", "two methods"): (
        "class A {\n  f(x: number {\n    return x;\n  }\n\n  g() {\n    return [1, 2;\n  }\n}\n",
        "class A {\n  f(x: number) {\n    return x;\n  }\n\n  g() {\n    return [1, 2];\n  }\n}\n",
    ),
    ("a.java", "two semicolons"): (
        "class A {\n  int f(int a) {\n    int b = a + 1\n    int c = b * 2\n    return c;\n  }\n}\n",
        "class A {\n  int f(int a) {\n    int b = a + 1;\n    int c = b * 2;\n    return c;\n  }\n}\n",
    ),
    ("a.java", "a parenthesis, a word and a semicolon"): (
        "class A {\n  int f(int a) {\n    System.out.println(a;\n    retrun a\n  }\n}\n",
        "class A {\n  int f(int a) {\n    System.out.println(a);\n    return a;\n  }\n}\n",
    ),
    ("a.java", "no brace at a method's beginning"): (
        "class A {\n  int f(int a)\n    return a;\n  }\n}\n",
        "class A {\n  int f(int a) {\n    return a;\n  }\n}\n",
    ),
    ("a.java", "no brace at a method's end"): (
        "class A {\n  int f(int a) {\n    return a;\n\n  int g() {\n    return 1;\n  }\n}\n",
        "class A {\n  int f(int a) {\n    return a;\n  }\n\n  int g() {\n    return 1;\n  }\n}\n",
    ),
    ("a.rs", "a semicolon and a parenthesis"): (
        "fn f(a: i32) -> i32 {\n    let b = a + 1\n    let c = g(b;\n    c\n}\n",
        "fn f(a: i32) -> i32 {\n    let b = a + 1;\n    let c = g(b);\n    c\n}\n",
    ),
    ("a.rs", "a brace and a parenthesis"): (
        "fn f(a: i32) -> i32\n    a\n}\n\nfn g(b: i32 -> i32 {\n    b\n}\n",
        "fn f(a: i32) -> i32 {\n    a\n}\n\nfn g(b: i32) -> i32 {\n    b\n}\n",
    ),
    ("a.go", "two parentheses"): (
        "package a\n\nfunc f(a int {\n\treturn g(a\n}\n",
        "package a\n\nfunc f(a int) {\n\treturn g(a)\n}\n",
    ),
    ("a.go", "a brace and a parenthesis"): (
        "package a\n\nfunc f(a int) int\n\tif a > 1 {\n\t\treturn a\n\t}\n\treturn g(a\n}\n",
        "package a\n\nfunc f(a int) int {\n\tif a > 1 {\n\t\treturn a\n\t}\n\treturn g(a)\n}\n",
    ),
    ("a.go", "a brace and a word"): (
        "package a\n\nfunc f(xs []int) int {\n\tsum := 0\n\tfor _, x := range xs\n\t\tsum += x\n\t}\n\tretrun sum\n}\n",
        "package a\n\nfunc f(xs []int) int {\n\tsum := 0\n\tfor _, x := range xs {\n\t\tsum += x\n"
        "\t}\n\treturn sum\n}\n",
    ),
    ("a.c", "a semicolon and a parenthesis"): (
        'int f(int a) {\n    int b = a + 1\n    printf("%d", b;\n    return b;\n}\n',
        'int f(int a) {\n    int b = a + 1;\n    printf("%d", b);\n    return b;\n}\n',
    ),
}
