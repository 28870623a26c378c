// One message as a bubble: text from entities, media, buttons. No raw HTML anywhere.

import { copyText, el, toast } from "./dom.js";
import { current, t } from "./texts.js";

const TAGS = {
  bold: "b", italic: "i", underline: "u", strikethrough: "s", code: "code", pre: "pre",
  blockquote: "blockquote", expandable_blockquote: "blockquote",
};

// Text with entities (UTF-16 offsets, as JavaScript counts) to nodes.
export function textNodes(text, entities, phone) {
  const build = (from, to, list) => {
    const nodes = [];
    let at = from;
    list.forEach((entity, index) => {
      const end = entity.offset + entity.length;
      if (entity.offset < at || end > to) return; // inside the one before: built there
      nodes.push(text.slice(at, entity.offset));
      const inner = list.slice(index + 1).filter((e) => e.offset >= entity.offset && e.offset + e.length <= end);
      nodes.push(entityNode(entity, text.slice(entity.offset, end), build(entity.offset, end, inner), phone));
      at = end;
    });
    return [...nodes, text.slice(at, to)];
  };
  return build(0, text.length, entities);
}

function entityNode(entity, text, children, phone) {
  switch (entity.type) {
    case "text_link": return link(entity.url, children, phone);
    case "url": return link(text, children, phone);
    case "email": return link(`mailto:${text}`, children, phone);
    case "phone_number": return link(`tel:${text.replace(/[^\d+]/g, "")}`, children, phone);
    case "bot_command": return el("a", { class: "command", href: "#", onclick: (e) => { e.preventDefault(); phone.say(text); } }, children);
    case "spoiler": return el("span", { class: "spoiler", onclick: (e) => e.currentTarget.classList.add("open") }, children);
    case "code": return el("code", { title: t("copied", { text: "" }), onclick: () => phone.copy(text) }, children);
    case "mention": case "text_mention": case "hashtag": return el("span", { class: "command" }, children);
    default: return el(TAGS[entity.type] ?? "span", {}, children);
  }
}

// Only addresses that cannot run script become links; links to the bots of the sandbox are followed right here.
function link(url, children, phone) {
  if (!/^(https?|mailto|tel|tg):/i.test(url)) return el("span", {}, children);
  const follow = (event) => { if (phone.follows(url)) event.preventDefault(); };
  return el("a", { href: url, target: "_blank", rel: "noopener noreferrer", onclick: follow }, children);
}

// The bubble (or album) of one or more messages, with its inline buttons below.
export function bubble(messages, phone) {
  const first = messages[0];
  const mine = !phone.room.bot ? false : !first.from.is_bot;
  const when = `${messages.some((message) => message.edited) ? `${t("edited")} ` : ""}${clock(first.date)}`;
  const last = messages.findLast((message) => message.text);
  const spacer = () => el("span", { class: "spacer", "aria-hidden": "true" }, when); // room for the clock
  const body = el("div", { class: `bubble ${mine ? "mine" : "theirs"}${bare(first) ? " bare" : ""}` },
    phone.room.type.endsWith("group") && el("div", { class: "author" }, first.from.name),
    first.forward && el("div", { class: "forward" }, t("forwarded", { name: forwardName(first.forward) })),
    first.reply_to && quote(first, phone),
    messages.length > 1 ? el("div", { class: `album album-${Math.min(messages.length, 4)}` }, messages.map((m) => media(m, phone))) : media(first, phone),
    place(first), card(first),
    messages.map((m) => m.text && el("div", { class: "text" }, textNodes(m.text, m.entities, phone), m === last && spacer())),
    el("span", { class: "when", title: history(messages) }, when));
  const rows = first.buttons.map((row, r) => el("div", { class: "keys" }, row.map((button, c) => key(button, first, r, c, phone))));
  return el("div", { class: `line ${mine ? "line-mine" : ""}`, dataset: { id: first.id } }, el("div", { class: "stack" }, body, rows));
}

const bare = (message) => message.media?.kind === "sticker";

const forwardName = (origin) => origin.sender_user_name ?? origin.sender_user?.first_name ?? origin.chat?.title ?? "";

function quote(message, phone) {
  const target = phone.room.messages.find((m) => m.id === message.reply_to);
  if (!target || target.deleted) return null;
  return el("div", { class: "quote" }, el("b", {}, target.from.name), el("span", {}, target.text || t("picture")));
}

const history = (messages) => messages.flatMap((m) => m.history.map((h) => h.text)).join("\n———\n");

export const clock = (seconds) =>
  new Date(seconds * 1000).toLocaleTimeString(current(), { hour: "2-digit", minute: "2-digit", hour12: false });

function size(bytes) {
  const kilobytes = bytes / 1024;
  return kilobytes < 1000 ? `${Math.max(1, Math.round(kilobytes))} ${t("kb")}` : `${(kilobytes / 1024).toFixed(1)} ${t("mb")}`;
}

function media(message, phone) {
  const item = message.media;
  if (!item) return null;
  if (!item.kept) return el("div", { class: "file" }, t("fileGone"));
  if (item.kind === "photo") return photo(item, phone);
  if (item.kind === "sticker") return el("div", { class: "sticker" }, item.emoji ?? "🙂");
  const icon = { voice: "🎤", video: "🎬", audio: "🎵", animation: "🎞", video_note: "⏺" }[item.kind] ?? "📄";
  const name = item.kind === "voice" ? t("voice") : item.name || item.kind;
  return el("a", { class: "file", href: item.url, download: item.name || item.kind },
    el("span", { class: "file-icon" }, icon),
    el("span", { class: "file-words" }, el("b", {}, name), el("small", {}, size(item.size))));
}

function photo(item, phone) {
  const ratio = item.width && item.height ? `${item.width} / ${item.height}` : "4 / 3";
  const picture = el("img", { class: "photo", src: item.url, alt: t("picture"), style: { aspectRatio: ratio } });
  return el("button", { class: "photo-button", type: "button", title: t("open"), onclick: () => phone.zoom(item.url) }, picture);
}

function place(message) {
  const spot = message.location;
  if (!spot) return null;
  const words = `${spot.latitude.toFixed(5)}, ${spot.longitude.toFixed(5)}`;
  return el("div", { class: "place" }, el("span", { class: "pin" }, "📍"), el("small", {}, message.venue?.title ?? words));
}

function card(message) {
  const contact = message.contact;
  if (!contact) return null;
  const name = [contact.first_name, contact.last_name].filter(Boolean).join(" ");
  return el("div", { class: "file" }, el("span", { class: "file-icon" }, "👤"),
    el("span", { class: "file-words" }, el("b", {}, name), el("small", {}, `+${String(contact.phone_number).replace(/^\+/, "")}`)));
}

const KEY_MARKS = { url: "↗", copy: "", web_app: "↗" };

// An inline button; a tap spins until the bot answers.
function key(button, message, row, column, phone) {
  const mark = KEY_MARKS[button.kind];
  const node = el("button", { class: "key", type: "button", title: button.kind === "url" ? button.value : undefined },
    button.text, mark !== undefined && el("span", { class: `key-mark key-${button.kind}` }, mark));
  node.addEventListener("click", async () => {
    if (node.classList.contains("busy")) return;
    if (button.kind === "copy") { await phone.copy(button.value); return; }
    if (button.kind === "url" || button.kind === "web_app") { phone.open(button.value); return; }
    node.classList.add("busy");
    try {
      await phone.tap({ message_id: message.id, row, column });
    } finally {
      node.classList.remove("busy");
    }
  });
  return node;
}

export async function copyAndTell(host, text) {
  await copyText(text);
  toast(host, t("copied", { text }));
}
