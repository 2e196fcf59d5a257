// What the page asks of the server.

const ROOT = "/quickfill/v1";

export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export async function info(key) {
  const response = await fetch(`${ROOT}/info`, { headers: headers(key) });
  await expectAnswer(response);
  return response.json();
}

// The events of a request for several holes. Aborting the signal ends the work on the server within a pass.
export async function* fill(request, key, signal) {
  const body = JSON.stringify({ ...request, stream: true });
  const response = await fetch(`${ROOT}/fill`, { method: "POST", headers: headers(key), body, signal });
  await expectAnswer(response);
  const decoder = new TextDecoder();
  let rest = "";
  for (let reader = response.body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) return;
    const events = (rest + decoder.decode(value, { stream: true })).split("\n\n");
    rest = events.pop();
    for (const event of events) {
      const data = JSON.parse(event.replace(/^data: /, ""));
      if (data.error) throw new Refused(data.error.code, data.error.message);
      yield data;
    }
  }
}

function headers(key) {
  return { "Content-Type": "application/json", ...(key ? { Authorization: `Bearer ${key}` } : {}) };
}

async function expectAnswer(response) {
  if (response.ok) return;
  const answer = await response.json().catch(() => null);
  throw new Refused(response.status, answer?.error?.message ?? `the server answers with status ${response.status}`);
}
