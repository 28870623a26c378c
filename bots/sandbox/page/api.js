// The control API of the sandbox, as functions. Errors carry the server's sentence.

const BASE = "/sandbox/api";

async function ask(path, options) {
  const response = await fetch(BASE + path, options);
  const body = await response.json();
  if (!response.ok) throw new Error(body.error ?? response.statusText);
  return body;
}

export const get = (path) => ask(path);

export const post = (path, body = {}) =>
  ask(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

export const clearFaults = () => ask("/faults", { method: "DELETE" });

export const chat = (key) => get(`/chats/${encodeURIComponent(key)}?last=200`);

export const act = (key, name, body) => post(`/chats/${encodeURIComponent(key)}/${name}`, body);

export const answerTo = (callback, seconds) => get(`/callbacks/${callback}?wait=${seconds}`);

// A file of the person's disk as the media of a message.
export async function mediaOf(file, kind) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return { kind, data: btoa(text), name: file.name, mime: file.type };
}
