// The clipboard of the page's user.

// Copy a text. Where a browser has no clipboard for the page, because it came over HTTP from another machine, a selected
// text is copied as by hand.
export async function copyText(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const field = Object.assign(document.createElement("textarea"), { value: text, className: "hidden" });
  document.body.append(field);
  field.select();
  const copied = document.execCommand("copy");
  field.remove();
  if (!copied) throw new Error("the browser lets the page copy nothing; select the text and copy it");
}
