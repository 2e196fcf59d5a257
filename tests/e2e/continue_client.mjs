// Completes code with Continue's own client library, as its editor extensions do, and prints what it got.
// usage: node continue_client.mjs MODULE ADDRESS PREFIX SUFFIX
import { pathToFileURL } from "node:url";

const [module, address, prefix, suffix] = process.argv.slice(2);
const { constructLlmApi } = await import(pathToFileURL(module).href);
const { signal } = new AbortController();
const body = { model: "quickfill", prompt: prefix, suffix, max_tokens: 24, temperature: 0, stream: true };

async function joined(chunks) {
  let text = "";
  for await (const chunk of chunks) text += chunk.choices[0]?.delta?.content ?? chunk.choices[0]?.text ?? "";
  return text;
}

const answers = {};
for (const provider of ["mistral", "inception", "vllm"]) {
  const api = constructLlmApi({ provider, apiKey: "none", apiBase: `${address}/v1/` });
  answers[provider] = await joined(api.fimStream({ ...body }, signal));
}
const openai = constructLlmApi({ provider: "openai", apiKey: "none", apiBase: `${address}/v1/` });
answers.completion = await joined(openai.completionStream({ ...body }, signal));
const messages = [{ role: "user", content: "Write the Python function add(a, b). Answer with code alone." }];
answers.chat = await joined(
  openai.chatCompletionStream({ model: "quickfill", messages, max_tokens: 24, stream: true }, signal),
);
console.log(JSON.stringify(answers));
