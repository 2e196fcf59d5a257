"""What a conversation asks for."""

from __future__ import annotations

import pytest

from coder.api.completion import Turn
from coder.editing.instructions import SYSTEM
from coder.serve.openai.conversation import (
    Continue,
    Converse,
    Describe,
    Fill,
    Rewrite,
    conversation_of,
    task_of,
)
from coder.serve.openai.openai_types import ChatMessage, TextPart

CODE = "def net(price):\n    return price\n"


def user(text: str) -> ChatMessage:
    return ChatMessage(role="user", content=text)


def assistant(text: str) -> ChatMessage:
    return ChatMessage(role="assistant", content=text)


def test_code_and_words_are_code_to_be_changed():
    task = task_of([user(f"Add a docstring.\n```py\n{CODE}```\n")])
    assert task == Rewrite(CODE, 0, len(CODE), "Add a docstring.", "python")


def test_words_about_earlier_code():
    task = task_of([user("a function for net prices"), assistant(f"```python\n{CODE}```"), user("rename it to total")])
    assert task == Rewrite(CODE, 0, len(CODE), "rename it to total", "python")


def test_code_with_holes_is_filled():
    assert task_of([user("```go\nfunc f(<fill>) int { return <fill> }\n```")]) == Fill(
        ("func f(", ") int { return ", " }\n"), "go"
    )


@pytest.mark.parametrize("text", [f"```python\n{CODE}```", "def net(price):\n"])
def test_code_alone_is_gone_on_with(text: str):
    task = task_of([user(text)])
    assert isinstance(task, Continue)
    assert task.language == "python"
    assert task.code[len(task.code) - task.shown :] == task.code


@pytest.mark.parametrize(
    ("words", "language"),
    [
        ("Write a function that adds two numbers", "python"),
        ("Reverse a string in Go", "go"),
        ("a parser for dates, in c++", "cpp"),
        ("put it in order", "python"),
    ],
)
def test_words_alone_describe_code(words: str, language: str):
    assert task_of([user(words)]) == Describe(words, language)


def test_the_system_may_name_the_language():
    system = ChatMessage(role="system", content="You write code in Rust and nothing else.")
    assert task_of([system, user("reverse a string")]) == Describe("reverse a string", "rust")


def test_an_answer_that_was_begun_is_gone_on_with():
    task = task_of([user("add two numbers"), assistant("Sure:\n```python\ndef add(")])
    assert task == Continue("def add(", "python", fenced=False)


def test_parts_of_a_message_are_one_text():
    parts = [TextPart(type="text", text="reverse "), TextPart(type="text", text="a string")]
    assert task_of([ChatMessage(role="user", content=parts)]) == Describe("reverse a string", "python")


def test_a_selection_in_llama_vim():
    line = "-" * 40
    system = (
        f"You are a text-editing assistant.\n\n--- CONTEXT     {line}\n\n--- PREFIX      {line}\nimport math\n"
        f"--- SELECTION   {line}\nx = 1\ny = 2\n--- SUFFIX      {line}\nprint(x)\n"
    )
    messages = [ChatMessage(role="system", content=system), user("INSTRUCTION: swap them")]
    task = task_of(messages)
    assert isinstance(task, Rewrite)
    assert (task.instruction, task.fenced) == ("swap them", False)
    assert task.text == "import math\nx = 1\ny = 2\nprint(x)\n"
    assert task.text[task.start : task.end] == "x = 1\ny = 2"


class TestOfAModelThatFollowsInstructions:
    def test_words_are_words(self):
        task = conversation_of([user("hello, who are you?")])
        assert task == Converse((SYSTEM, Turn("user", "hello, who are you?")))

    def test_all_turns_are_told_in_the_roles_that_the_model_knows(self):
        messages = [
            ChatMessage(role="developer", content="Be brief."),
            user("add 1 and 2"),
            ChatMessage(role="tool", content="3"),
            assistant("It is 3."),
            user(f"and this?\n```py\n{CODE}```"),
        ]
        task = conversation_of(messages)
        assert isinstance(task, Converse)
        assert [turn.role for turn in task.turns] == ["system", "user", "user", "assistant", "user"]
        assert task.turns[-1].text == messages[-1].text

    def test_an_answer_that_the_client_has_begun_is_gone_on_with(self):
        task = conversation_of([user("reverse a string"), assistant("```python\ndef reverse(")])
        assert isinstance(task, Converse)
        assert task.begun == "```python\ndef reverse("
        assert task.turns[-1] == Turn("user", "reverse a string")

    def test_marked_holes_are_filled(self):
        assert isinstance(conversation_of([user("```go\nfunc f(<fill>) {}\n```")]), Fill)
