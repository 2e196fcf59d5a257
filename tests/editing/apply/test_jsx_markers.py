"""Markers among the elements of JSX, in both forms of its comments, wherever they stand."""

from __future__ import annotations

import pytest

from coder.api.completion import Where
from coder.api.text_requests import ApplyRequest
from coder.editing.apply import apply_edit
from tests.editing.apply.models import nobody

PAGE = """export function Page({ name }) {
  const greeting = "hello";
  return (
    <main>
      <h1>{greeting}</h1>
      <p>{name}</p>
      <Footer />
    </main>
  );
}
"""

EDIT = """export function Page({ name }) {
  INSIDE
  return (
    <main>
      AMONG
      <p>{name.trim()}</p>
      AMONG
    </main>
  );
}
"""

FORMS = ("{/* ... existing code ... */}", "// ... existing code ...", "/* ... existing code ... */")


@pytest.mark.parametrize("path", ["page.jsx", "page.tsx", "page.js"])
@pytest.mark.parametrize("inside", FORMS)
@pytest.mark.parametrize("among", FORMS)
def test_a_marker_stands_for_elements_in_any_form_of_a_comment(path: str, inside: str, among: str):
    edit = EDIT.replace("INSIDE", inside).replace("AMONG", among)
    merged = apply_edit(ApplyRequest(PAGE, edit, Where(path)), nobody).text
    assert merged == PAGE.replace("{name}</p>", "{name.trim()}</p>")
