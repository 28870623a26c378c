// A phone: one person's dialog with one bot, or a channel to read.

import * as api from "./api.js";
import { avatar, dialog, el, menu, toast } from "./dom.js";
import { bubble, copyAndTell } from "./message.js";
import { current, t } from "./texts.js";

const ANSWER_SECONDS = 15;

export class Phone {
  // `desk`: hide(key) takes the phone away, follow(person, url) starts a bot of the sandbox by its link.
  constructor(summary, desk) {
    this.key = summary.key;
    this.room = { ...summary, version: -1, messages: [], keyboard: [], callbacks: [] };
    this.bot = null;
    this.person = null;
    this.desk = desk;
    this.lines = new Map(); // drawn bubbles by message ids and versions
    this.seen = 0;
    this.loading = false;
    this.newest = 0;
    this.build();
  }

  // -- skeleton ------------------------------------------------------------------------------------------------

  build() {
    this.head = el("div", { class: "phone-head" });
    this.list = el("div", { class: "list", tabindex: "0", onscroll: () => this.markSeen() });
    this.jump = el("button", { class: "jump", type: "button", hidden: true, onclick: () => this.toBottom() }, t("newPosts"));
    this.foot = el("div", { class: "foot" });
    this.screen = el("div", { class: "screen" }, this.head, el("div", { class: "list-box" }, this.list, this.jump), this.foot);
    this.label = el("div", { class: "phone-label" });
    this.node = el("section", { class: `phone ${this.room.bot ? "" : "phone-channel"}`, dataset: { key: this.key } }, this.label, this.screen);
    this.buildFoot();
  }

  buildFoot() {
    this.foot.replaceChildren();
    this.startKey = el("button", { class: "start", type: "button", onclick: () => this.start() }, t("start"));
    this.input = el("textarea", { class: "input", rows: "1", placeholder: t("message"), "aria-label": t("message"), onkeydown: (e) => this.typed(e), oninput: () => this.grow() });
    this.menuKey = el("button", { class: "icon-key menu-key", type: "button", title: t("menu"), onclick: () => this.commands() }, "☰");
    const attach = el("button", { class: "icon-key", type: "button", title: t("attach"), "aria-label": t("attach"), onclick: () => this.attach() }, "📎");
    const send = el("button", { class: "icon-key send", type: "button", title: t("send"), "aria-label": t("send"), onclick: () => this.sendTyped() }, "➤");
    this.bar = el("div", { class: "bar" }, this.menuKey, attach, this.input, send);
    this.keyboard = el("div", { class: "reply-keys" });
    if (this.room.bot) this.foot.append(this.startKey, this.bar, this.keyboard);
  }

  retranslate() {
    this.lines.clear();
    this.jump.textContent = t("newPosts");
    this.buildFoot();
    this.draw();
  }

  // -- data ----------------------------------------------------------------------------------------------------

  // The table of contents says what changed; messages are fetched only then.
  async update(summary, bot, person) {
    const was = JSON.stringify([this.bot, this.person]);
    this.bot = bot;
    this.person = person;
    if (was !== JSON.stringify([bot, person])) this.drawHead();
    this.newest = summary.version;
    if (this.loading) return; // the running fetch looks again when it is done
    this.loading = true;
    try {
      while (this.room.version < this.newest) {
        this.room = await api.chat(this.key);
        this.draw();
      }
    } finally {
      this.loading = false;
    }
  }

  get unread() {
    return this.room.messages.filter((m) => m.version > this.seen && m.from.is_bot && !m.deleted).length;
  }

  markSeen() {
    if (!this.node.offsetParent || !this.atBottom()) return;
    this.seen = this.room.version;
    this.jump.hidden = true;
  }

  // -- drawing -------------------------------------------------------------------------------------------------

  draw() {
    const stick = this.atBottom();
    this.drawHead();
    this.drawList();
    this.drawFoot();
    if (stick) this.toBottom();
    else this.jump.hidden = this.unread === 0;
    clearTimeout(this.actionTimer); // "typing…" fades without an event
    if (this.room.action) this.actionTimer = setTimeout(() => { this.room.action = ""; this.drawHead(); }, 4000);
  }

  drawHead() {
    const { room, bot, person } = this;
    const name = bot ? bot.title : room.title;
    const more = el("button", { class: "icon-key more", type: "button", title: t("menu"), "aria-label": t("menu"), onclick: () => this.more() }, "⋮");
    const words = el("div", { class: "head-words" }, el("b", {}, name), el("small", { class: room.action ? "active" : "" }, this.status()));
    this.head.replaceChildren(avatar(name, bot ? bot.id : room.id), words, more);
    const who = person ? t("phoneOf", { name: person.name }) : `${t(room.type === "channel" ? "channel" : "group")} · ${room.title}`;
    const language = person && el("span", { class: "chip" }, person.language.toUpperCase());
    this.label.replaceChildren(el("span", {}, who), language ?? "");
  }

  status() {
    if (!this.bot) return t(this.room.type === "channel" ? "channel" : "group");
    if (this.room.blocked) return t("blocked");
    if (this.room.action) return t(this.room.action.startsWith("upload") ? "uploading" : "typing");
    return t(this.bot.polling || this.bot.webhook ? "online" : "offline");
  }

  drawList() {
    const groups = [];
    for (const message of this.room.messages.filter((m) => !m.deleted)) {
      const previous = groups.at(-1);
      if (message.album && previous?.[0].album === message.album) previous.push(message);
      else groups.push([message]);
    }
    const nodes = [];
    const kept = new Map();
    let day = "";
    for (const group of groups) {
      const name = dayName(group[0].date);
      if (name !== day) nodes.push(el("div", { class: "day" }, day = name));
      nodes.push(this.line(group, kept));
    }
    this.lines = kept;
    if (!groups.length) nodes.push(this.emptyNote());
    this.list.replaceChildren(...nodes);
  }

  // A drawn bubble is used again until its messages change: pictures do not blink, spinners go on.
  line(group, kept) {
    const key = group.map((m) => `${m.id}.${m.version}`).join("+");
    const node = this.lines.get(key) ?? bubble(group, this);
    if (!this.lines.has(key) && this.lines.size && group[0].edited) node.classList.add("flash");
    kept.set(key, node);
    return node;
  }

  emptyNote() {
    const words = !this.room.bot ? t("quiet") : t("notStarted");
    return el("div", { class: "empty-note" }, this.bot?.description && el("p", {}, this.bot.description), el("p", {}, words));
  }

  drawFoot() {
    const { started, blocked, messages } = this.room;
    const open = started && !blocked;
    this.startKey.hidden = open;
    this.bar.hidden = !open;
    this.startKey.textContent = t(blocked ? "restart" : "start");
    this.input.placeholder = this.room.placeholder || t("message");
    this.menuKey.hidden = !this.bot?.commands.length;
    this.node.classList.toggle("fresh", !messages.length);
    const rows = this.room.keyboard.map((row, r) => el("div", { class: "keys" }, row.map((button, c) =>
      el("button", { class: "reply-key", type: "button", onclick: () => this.tap({ row: r, column: c }) }, button.text))));
    this.keyboard.replaceChildren(...(open ? rows : []));
  }

  atBottom() {
    return this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < 60;
  }

  toBottom() {
    const bottom = () => { this.list.scrollTop = this.list.scrollHeight; this.markSeen(); };
    bottom();
    requestAnimationFrame(bottom);
  }

  // -- acts ----------------------------------------------------------------------------------------------------

  async act(name, body = {}) {
    try {
      const answer = await api.act(this.key, name, body);
      this.toBottom();
      return answer;
    } catch (error) {
      toast(this.screen, error.message);
      return null;
    }
  }

  start() { return this.act("start"); }

  say(text) { return this.act("text", { text }); }

  copy(text) { return copyAndTell(this.screen, text); }

  typed(event) {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      this.sendTyped();
    }
  }

  async sendTyped() {
    const text = this.input.value.trim();
    if (!text) return;
    this.input.value = "";
    this.grow();
    if (!await this.say(text)) this.input.value = text;
    this.input.focus();
  }

  grow() {
    this.input.style.height = "auto";
    this.input.style.height = `${Math.min(this.input.scrollHeight, 110)}px`;
  }

  // Press a button and show what the bot says to it.
  async tap(place) {
    const pressed = await this.act("press", place);
    if (pressed?.kind !== "callback") return;
    const { answer } = await api.answerTo(pressed.callback, ANSWER_SECONDS);
    if (!answer) toast(this.screen, t("noAnswer"));
    else if (answer.url) this.open(answer.url);
    else if (answer.alert) dialog(this.screen, el("p", { class: "alert-text" }, answer.text), [t("ok"), null, true]);
    else if (answer.text) toast(this.screen, answer.text);
  }

  follows(url) {
    return Boolean(this.person) && this.desk.follow(this.person, url);
  }

  open(url) {
    if (!this.follows(url)) window.open(url, "_blank", "noopener");
  }

  zoom(url) {
    const shade = el("div", { class: "zoom", onclick: () => shade.remove() }, el("img", { src: url, alt: "" }));
    document.body.append(shade);
  }

  // -- menus ---------------------------------------------------------------------------------------------------

  attach() {
    menu(this.foot, [
      ["🖼", t("samplePhoto"), () => this.act("media", { kind: "photo" })],
      ["📷", t("photo"), () => this.pick("photo", "image/*")],
      ["📄", t("file"), () => this.pick("document", "")],
      ["🗂", t("album"), () => this.act("album", { items: [1, 2, 3].map(() => ({ kind: "photo" })) })],
      ["👤", t("contact"), () => this.act("contact")],
      ["📍", t("location"), () => this.act("location")],
      ["🎤", t("voice"), () => this.act("media", { kind: "voice" })],
      ["🎬", t("video"), () => this.act("media", { kind: "video" })],
      ["👍", t("sticker"), () => this.act("media", { kind: "sticker" })],
    ]);
  }

  pick(kind, accept) {
    const chooser = el("input", { type: "file", accept: accept || undefined, multiple: true });
    chooser.addEventListener("change", async () => {
      const items = await Promise.all([...chooser.files].slice(0, 10).map((file) => api.mediaOf(file, kind)));
      if (items.length > 1) await this.act("album", { items });
      else if (items.length) await this.act("media", items[0]);
    });
    chooser.click();
  }

  commands() {
    menu(this.foot, this.bot.commands.map((item) => ["/", `${item.command} — ${item.description}`, () => this.say(`/${item.command}`)]));
  }

  more() {
    const own = !this.room.bot ? [] : [
      ["↻", t("startAgain"), () => this.start()],
      ["🔗", t("follow"), () => this.askCode()],
      this.room.blocked ? ["🔓", t("unblock"), () => this.act("unblock")] : ["🚫", t("block"), () => this.act("block")],
    ];
    menu(this.head, [...own, ["✕", t("hide"), () => this.desk.hide(this.key)]]);
  }

  askCode() {
    const code = el("input", { class: "field", maxlength: "64", autocomplete: "off" });
    const form = el("label", { class: "form" }, t("code"), code);
    dialog(this.screen, form, [t("cancel")], [t("go"), () => { this.act("start", { payload: code.value.trim() }); }, true]);
  }
}

function dayName(seconds) {
  const date = new Date(seconds * 1000);
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(date).setHours(0, 0, 0, 0)) / 86400000);
  if (days === 0) return t("today");
  if (days === 1) return t("yesterday");
  return date.toLocaleDateString(current(), { day: "numeric", month: "long" });
}
