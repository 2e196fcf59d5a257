// An editor that every browser has: a text field, and in its place the canvas while something is written.

export function plainEditor(place, { label, onEdit }) {
  const field = Object.assign(document.createElement("textarea"), { className: "plain", spellcheck: false });
  field.setAttribute("aria-label", label);
  const canvas = Object.assign(document.createElement("pre"), { className: "plain", hidden: true });
  place.append(field, canvas);

  // As high as the text: the place says where that ends.
  function grow() {
    field.rows = field.value.split("\n").length;
  }
  function edited() {
    grow();
    onEdit();
  }
  field.addEventListener("input", edited);
  return {
    get text() {
      return field.value;
    },
    set text(text) {
      field.value = text;
      grow();
    },
    get cursor() {
      return field.selectionStart;
    },
    insert(text) {
      field.setRangeText(text, field.selectionStart, field.selectionEnd, "end");
      edited();
      field.focus();
    },
    // Show pieces of text in the place of what is edited.
    show(pieces) {
      canvas.replaceChildren(
        ...pieces.map(({ text, style }) => Object.assign(document.createElement("span"), { textContent: text, className: style ?? "" })),
      );
      field.hidden = true;
      canvas.hidden = false;
      canvas.querySelector(".writing")?.scrollIntoView({ block: "nearest" });
    },
    // Go on editing, with another text where one was written.
    finish(text) {
      if (text !== null) field.value = text;
      grow();
      field.hidden = false;
      canvas.hidden = true;
      canvas.replaceChildren();
      field.focus();
    },
    setLanguage() {},
    setDark() {},
    focus() {
      field.focus();
    },
  };
}
