// The controls: how to decode, kept from visit to visit.

const POLICIES = {
  threshold: { label: "Least confidence", min: 0.5, max: 0.99, step: 0.01, value: 0.9 },
  factor: { label: "Factor", min: 0.25, max: 4, step: 0.25, value: 1 },
  entropy: { label: "Entropy, nats", min: 0.05, max: 2, step: 0.05, value: 0.25 },
  fixed: { label: "Steps of a canvas", min: 1, max: 16, step: 1, value: 4 },
  auto: null,
  autoregressive: null,
  verified: null,
  lookup: null,
};
const NO_CANVAS = ["auto", "autoregressive", "lookup"];

const element = (id) => document.getElementById(id);

export class Controls {
  constructor() {
    for (const name of Object.keys(POLICIES)) element("policy").append(new Option(name, name));
    element("policy").addEventListener("change", () => this.choosePolicy());
    element("settings").addEventListener("input", () => this.showValues());
    element("settings").addEventListener("submit", (event) => event.preventDefault());
    element("lines").addEventListener("input", () => (this.followsExample = false));
    this.sizes = [];
    this.followsExample = false;
    this.choosePolicy();
  }

  // What the server has decides what can be chosen.
  offer({ canvas_sizes: sizes, most_tokens: most }) {
    this.sizes = sizes;
    element("canvas").max = sizes.length - 1;
    element("canvas").value = Math.max(0, sizes.findLastIndex((size) => size <= 16));
    element("tokens").max = Math.min(256, most);
    this.showValues();
  }

  choosePolicy() {
    const parameter = POLICIES[element("policy").value];
    element("parameter-field").hidden = parameter === null;
    element("canvas-field").hidden = NO_CANVAS.includes(element("policy").value);
    if (parameter !== null) {
      const { label, ...range } = parameter;
      element("parameter-label").textContent = label;
      Object.assign(element("parameter"), { min: range.min, max: range.max, step: range.step });
      element("parameter").value = range.value;
    }
    this.showValues();
  }

  showValues() {
    element("parameter-value").value = element("parameter").value;
    element("canvas-value").value = this.sizes[element("canvas").value] ?? "";
    element("tokens-value").value = element("tokens").value;
    element("lines-value").value = element("lines").value;
    element("temperature-value").value = element("temperature").value;
  }

  // Take over what an example asks for. It holds until the text becomes another, or the user chooses.
  followExample({ fewestLines = 1 }) {
    element("lines").value = fewestLines;
    this.followsExample = true;
    this.showValues();
  }

  leaveExample() {
    if (!this.followsExample) return;
    element("lines").value = 1;
    this.followsExample = false;
    this.showValues();
  }

  get key() {
    return element("key").value;
  }

  askForKey() {
    element("key-field").hidden = false;
    element("key").focus();
  }

  // The part of a request that the controls decide.
  get request() {
    const name = element("policy").value;
    const parameter = POLICIES[name] === null ? "" : `:${element("parameter").value}`;
    const size = NO_CANVAS.includes(name) ? undefined : this.sizes[element("canvas").value];
    return {
      policy: name + parameter,
      canvas_size: size,
      max_tokens: Number(element("tokens").value),
      constraints: { min_lines: Number(element("lines").value) },
      temperature: Number(element("temperature").value),
    };
  }
}
