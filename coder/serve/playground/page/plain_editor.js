// An editor that every browser has: a text field, and in its place the canvas while something is written.

export function plainEditor(place, { label }) {
  const field = Object.assign(document.createElement("textarea"), { className: "plain", spellcheck: false });
  field.setAttribute("aria-label", label);
  const canvas = Object.assign(document.createElement("pre"), { className: "plain", hidden: true });
  place.append(field, canvas);
  return {
    get text() {
      return field.value;
    },
    set text(text) {
      field.value = text;
    },
    get cursor() {
      return field.selectionStart;
    },
    insert(text) {
      field.setRangeText(text, field.selectionStart, field.selectionEnd, "end");
      field.focus();
    },
    // Show pieces of text in the place of what is edited.
    show(pieces) {
      canvas.replaceChildren(
        ...pieces.map(({ text, style }) => Object.assign(document.createElement("span"), { textContent: text, className: style ?? "" })),
      );
      field.hidden = true;
      canvas.hidden = false;
    },
    // Go on editing, with another text where one was written.
    finish(text) {
      if (text !== null) field.value = text;
      field.hidden = false;
      canvas.hidden = true;
      field.focus();
    },
    setLanguage() {},
    setDark() {},
    focus() {
      field.focus();
    },
  };
}
