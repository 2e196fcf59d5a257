"""The keywords of the languages that have a grammar here, by the language's name."""

from __future__ import annotations

import keyword

_COMMON = "break case continue default do else for if return switch while"
_JAVASCRIPT = (
    f"{_COMMON} async await catch class const debugger delete export extends false finally function import in "
    "instanceof let new null of static super this throw true try typeof var void yield"
)
_TYPESCRIPT = (
    f"{_JAVASCRIPT} abstract as declare enum implements interface keyof namespace override private protected public "
    "readonly satisfies type"
)
_C = (
    f"{_COMMON} char const double enum extern float goto inline int long register short signed sizeof static struct "
    "typedef union unsigned void volatile"
)
_CPP = (
    f"{_C} auto bool catch class concept consteval constexpr delete explicit false friend mutable namespace new "
    "noexcept nullptr operator override private protected public requires template this throw true try "
    "typename using virtual"
)
_GO = (
    "break case chan const continue default defer else fallthrough for func go goto if import interface map package "
    "range return select struct switch type var"
)
_RUST = (
    "as async await break const continue crate dyn else enum extern false fn for if impl in let loop match mod move "
    "mut pub ref return self static struct super trait true type unsafe use where while"
)
_JAVA = (
    f"{_COMMON} abstract boolean byte catch char class double enum extends false final finally float implements import "
    "instanceof int interface long native new null package private protected public record short static super "
    "synchronized this throw throws transient true try void volatile"
)

KEYWORDS: dict[str, tuple[str, ...]] = {
    "python": tuple(keyword.kwlist),
    "javascript": tuple(_JAVASCRIPT.split()),
    "javascriptreact": tuple(_JAVASCRIPT.split()),
    "typescript": tuple(_TYPESCRIPT.split()),
    "typescriptreact": tuple(_TYPESCRIPT.split()),
    "go": tuple(_GO.split()),
    "rust": tuple(_RUST.split()),
    "java": tuple(_JAVA.split()),
    "c": tuple(_C.split()),
    "cpp": tuple(_CPP.split()),
}
