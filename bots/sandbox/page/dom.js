// Building the page: elements from data. Text is only ever set as text, so nothing that people or bots write runs.

export function el(tag, options = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "style") Object.assign(node.style, value);
    else if (name === "dataset") Object.assign(node.dataset, value);
    else if (name === "class") node.className = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

const COLORS = ["#e17076", "#7bc862", "#65aadd", "#a695e7", "#ee7aae", "#6ec9cb", "#faa774"];

// A round picture with initials, coloured by the id.
export function avatar(name, id, small = false) {
  const words = String(name).trim().split(/\s+/);
  const letters = words.slice(0, 2).map((word) => [...word][0] ?? "").join("").toUpperCase();
  const style = { background: COLORS[Math.abs(Number(id)) % COLORS.length] };
  return el("span", { class: small ? "avatar avatar-small" : "avatar", style, "aria-hidden": "true" }, letters);
}

// A note over a phone that goes away by itself.
export function toast(host, text, seconds = 3) {
  host.querySelector(".toast")?.remove();
  const note = el("div", { class: "toast", role: "status" }, text);
  host.append(note);
  setTimeout(() => note.remove(), seconds * 1000);
}

// A window over a phone (or over the page): title, content, buttons. Closed by the backdrop or Escape.
export function dialog(host, content, ...buttons) {
  const close = () => shade.remove();
  const row = el("div", { class: "dialog-buttons" }, buttons.map(([text, act, main]) =>
    el("button", { type: "button", class: main ? "dialog-main" : "", onclick: () => { if (act?.() !== false) close(); } }, text)));
  const box = el("div", { class: "dialog", role: "dialog", "aria-modal": "true" }, content, row);
  const shade = el("div", { class: "shade", onclick: (event) => { if (event.target === shade) close(); } }, box);
  shade.addEventListener("keydown", (event) => { if (event.key === "Escape") close(); });
  host.append(shade);
  (box.querySelector("input, select, .dialog-main") ?? box.querySelector("button"))?.focus();
  return close;
}

// A small menu next to a button; a tap anywhere closes it.
export function menu(host, items) {
  const open = host.querySelector(".menu");
  if (open) { open.remove(); return; }
  const box = el("div", { class: "menu", role: "menu" }, items.map(([icon, text, act]) =>
    el("button", { type: "button", role: "menuitem", onclick: act }, el("span", { class: "menu-icon" }, icon), el("span", {}, text))));
  host.append(box);
  setTimeout(() => document.addEventListener("click", () => box.remove(), { once: true }));
}

export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = el("textarea", { class: "offscreen" });
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}
