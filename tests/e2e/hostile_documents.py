"""Ten documents that are hard on who counts lines, columns, brackets or holes."""

from __future__ import annotations

FAMILY = "👩\u200d👩\u200d👧"

DOCUMENTS = {
    "a huge line": "values = [" + "'é😋', " * 4_000 + "]\ndef f(x):\n    return <fill>\n",
    "unbalanced": "def f((x:\n  if [x:\n\treturn '''{x\n)]}\nclass :\n  'abc\ndef g(y)\n    return y))\n<fill>",
    "mixed encodings": "\ufeffnaïve = 'Ã©Ã¨'\u2028x = '\x85'\x0by = 'שלום'\x0cz = 'e\u0301🏳️' + vlaue\n\u2029<fill>\n",
    "more than a hundred holes": "".join(f"value_{number} = <fill> + {number}\n" for number in range(130)),
    "holes in strings": "a = '<fill>'\nb = f'{<fill>!r:<fill>}'\n# <fill>\nc = '''\n<fill>\n'''\nd = '<fi<<fill>ll>'\n",
    "pairs around every range": f"😋<fill>😋\n{FAMILY} = '𝒳' + vlaue\ndef 𝓯(𝓍):\n\treturn '😋<fill>😋'\n",
    "every line break": "a = 1\r\nb = <fill>\rc = 3\n\rd = '\\r\\n'\r\r\ndef f():\r    return vlaue\n\r\n\n<fill>\r",
    "control characters": "a = '\0\0'\n\0<fill>\0\nb\x1b[31m = '\x08\x7f'\ndef f():\n\treturn \x00vlaue\n",
    "deeply nested": f"x = {'[(' * 4000}<fill>{')]' * 4000}\n" + "".join(f"{' ' * deep}if x:\n" for deep in range(120)),
    "halves of pairs": "a = '\ud83d'\nb = '\ude0b<fill>\ud83d'\ndef f():\n    return vlaue + '\ud83d'\n",
}
