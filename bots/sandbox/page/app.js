// The page: who is here, which phones are on the desk, what the server says has changed.

import * as api from "./api.js";
import { avatar, dialog, el, menu, toast } from "./dom.js";
import { Phone } from "./phone.js";
import { other, setLanguage, t, translatePage } from "./texts.js";

const HIDDEN = "sandbox-hidden";
const MOST = 12; // phones on the desk at once; the rest wait in the list of hidden ones
const NARROW = matchMedia("(max-width: 760px)");

const $ = (id) => document.getElementById(id);
const phones = new Map();
let state = { bots: [], people: [], chats: [] };
let hidden = new Set(JSON.parse(localStorage.getItem(HIDDEN) ?? "[]"));
let chosen = ""; // the tab on a narrow screen
let downUntil = 0;

// -- the desk ----------------------------------------------------------------------------------------------------

function keep() {
  localStorage.setItem(HIDDEN, JSON.stringify([...hidden]));
}

function hide(key) {
  hidden.add(key);
  keep();
  show();
}

// A link like t.me/some_bot?start=code to a bot of the sandbox opens that dialog for the same person.
function follow(person, url) {
  const [, name, , code = ""] = url.match(/^(?:https?:\/\/)?(?:t|telegram)\.me\/(\w+)(\?start=([\w-]*))?$/i) ?? [];
  const bot = state.bots.find((item) => item.username.toLowerCase() === name?.toLowerCase());
  if (!bot) return false;
  const key = `${person.id}:${bot.name}`;
  api.act(key, "start", { payload: code }).then(() => bring(key), (error) => toast(document.body, error.message));
  return true;
}

// Show a chat that may be new or hidden, and go to it.
async function bring(key) {
  state = await api.get("/state");
  hidden.delete(key);
  keep();
  chosen = key;
  show();
  phones.get(key)?.node.scrollIntoView({ behavior: "smooth", inline: "center" });
}

// Which chats get a phone: not hidden ones; the busiest when there are very many. People first, then channels.
function wanted() {
  const open = state.chats.filter((chat) => !hidden.has(chat.key));
  const busiest = new Set([...open].sort((a, b) => b.version - a.version).slice(0, MOST));
  const rank = (chat) => (chat.bot ? 0 : 1);
  return open.filter((chat) => busiest.has(chat) || phones.has(chat.key)).slice(0, MOST * 2).sort((a, b) => rank(a) - rank(b));
}

function show() {
  const desk = $("desk");
  const chats = wanted();
  const keys = new Set(chats.map((chat) => chat.key));
  for (const [key, phone] of phones) {
    if (!keys.has(key)) { phone.node.remove(); phones.delete(key); }
  }
  desk.querySelector(".welcome")?.remove();
  document.body.classList.toggle("playing", state.chats.some((chat) => chat.started));
  placeAll(desk, chats.filter((chat) => chat.bot));
  placeAll($("channels"), chats.filter((chat) => !chat.bot));
  if (!state.chats.some((chat) => chat.bot)) desk.prepend(welcome());
  showBots();
  showTabs();
  showHidden();
}

// Phones in order, moving only those out of place: a moved node would lose its scroll position.
function placeAll(parent, chats) {
  chats.forEach((chat, index) => {
    if (!phones.has(chat.key)) phones.set(chat.key, new Phone(chat, { hide, follow }));
    const phone = phones.get(chat.key);
    if (parent.children[index] !== phone.node) parent.insertBefore(phone.node, parent.children[index] ?? null);
    update(phone, chat);
  });
}

async function update(phone, chat) {
  const bot = state.bots.find((item) => item.name === chat.bot) ?? null;
  const person = state.people.find((item) => item.id === chat.person) ?? null;
  try {
    await phone.update(chat, bot, person);
  } catch (error) {
    toast(document.body, error.message);
  }
  showTabs();
}

function welcome() {
  const names = state.bots.map((bot) => bot.title).join(", ");
  return el("section", { class: "welcome" },
    el("h2", {}, t("emptyTitle")),
    el("ol", {}, t("emptySteps").map((step) => el("li", {}, step))),
    el("button", { class: "tool tool-main", type: "button", onclick: addPerson }, t("add")),
    el("p", { class: "hint" }, t("emptyBots", { names })));
}

function showBots() {
  $("bots").replaceChildren(...state.bots.map((bot) => {
    const alive = bot.polling || bot.webhook;
    return el("span", { class: `bot ${alive ? "alive" : ""}`, title: t(alive ? "online" : "offline") }, el("i", {}), bot.title);
  }));
}

function showHidden() {
  const list = $("hidden");
  const missing = state.chats.filter((chat) => !phones.has(chat.key));
  list.hidden = missing.length === 0;
  const name = (chat) => (chat.bot ? `${chat.title} → ${chat.bot}` : chat.title);
  const options = missing.slice(0, 300).map((chat) => el("option", { value: chat.key }, name(chat)));
  list.replaceChildren(el("option", { value: "" }, t("hiddenOnes", { n: missing.length })), ...options);
}

// A phone asked for by name stays on the desk even among very many.
function unhide(key) {
  const chat = state.chats.find((item) => item.key === key);
  if (!chat) return;
  phones.set(key, new Phone(chat, { hide, follow }));
  bring(key);
}

// -- tabs of a narrow screen -------------------------------------------------------------------------------------

function choose(key) {
  chosen = key;
  showTabs();
  phones.get(key)?.toBottom();
}

function showTabs() {
  const keys = [...$("desk").querySelectorAll(".phone")].map((node) => node.dataset.key);
  if (!phones.has(chosen)) chosen = keys[0] ?? "";
  $("tabs").hidden = keys.length < 2;
  for (const [key, phone] of phones) phone.node.classList.toggle("chosen", key === chosen);
  if (!NARROW.matches) return;
  $("tabs").replaceChildren(...keys.map((key) => tab(phones.get(key))));
}

function tab(phone) {
  const name = phone.person ? phone.person.name : phone.room.title;
  const count = phone.key === chosen ? 0 : phone.unread;
  const badge = count ? el("span", { class: "badge" }, String(Math.min(count, 99))) : null;
  const under = phone.bot ? phone.bot.title : t("channel");
  return el("button", { type: "button", class: phone.key === chosen ? "tab chosen" : "tab", onclick: () => choose(phone.key) },
    avatar(name, phone.person?.id ?? phone.room.id, true), el("span", { class: "tab-words" }, el("b", {}, name), el("small", {}, under)), badge);
}

// -- people and weather ------------------------------------------------------------------------------------------

function addPerson() {
  const name = el("input", { class: "field", placeholder: t("nameHint"), maxlength: "60", autocomplete: "off", name: "name" });
  const language = select([["ru", "Русский"], ["en", "English"]]);
  const bot = select(state.bots.map((item) => [item.name, item.title]));
  const create = () => {
    if (!name.value.trim()) { name.focus(); return false; }
    createPerson(name.value.trim(), language.value, bot.value);
    return true;
  };
  const form = el("form", { class: "form", onsubmit: (event) => { event.preventDefault(); if (create()) close(); } },
    el("h2", {}, t("newPerson")),
    el("label", {}, t("name"), name), el("label", {}, t("language"), language), el("label", {}, t("bot"), bot));
  const close = dialog(document.body, form, [t("cancel")], [t("create"), create, true]);
}

const select = (options) => el("select", { class: "field" }, options.map(([value, text]) => el("option", { value }, text)));

async function createPerson(name, language, bot) {
  const [first, ...rest] = name.split(/\s+/);
  try {
    const person = await api.post("/people", { first_name: first, last_name: rest.join(" "), language, bots: [bot] });
    await bring(`${person.id}:${bot}`);
  } catch (error) {
    toast(document.body, error.message);
  }
}

async function weather(act) {
  await act();
  await showWeather();
}

function weatherMenu() {
  menu($("weather").parentElement, [
    ["⚡", t("down"), () => weather(() => api.post("/down", { seconds: 30 }))],
    ["🌧", t("flood"), () => weather(() => api.post("/faults", { kind: "429", retry_after: 3, times: 5 }))],
    ["🎲", t("errors"), () => weather(() => api.post("/faults", { kind: "500", probability: 0.2 }))],
    ["✂", t("cuts"), () => weather(() => api.post("/faults", { kind: "cut", times: 1 }))],
    ["☀", t("calm"), () => weather(api.clearFaults)],
  ]);
}

async function showWeather() {
  const { rules, down } = await api.get("/faults");
  const live = rules.filter((rule) => rule.times === null || rule.hits < rule.times).length;
  downUntil = Date.now() + down * 1000;
  $("weather").classList.toggle("storm", live > 0 || down > 0);
  $("weather").dataset.live = live;
  tick();
}

// The countdown of an outage, once a second.
function tick() {
  const left = Math.ceil((downUntil - Date.now()) / 1000);
  const live = Number($("weather").dataset.live ?? 0);
  if (left > 0) banner(t("downLeft", { n: left }));
  else banner(live ? t("stormy", { n: live }) : "");
  $("weather").classList.toggle("storm", left > 0 || live > 0);
}

function banner(text) {
  $("banner").textContent = text;
  $("banner").hidden = !text;
}

// -- beginning ---------------------------------------------------------------------------------------------------

function label() {
  translatePage();
  $("add").textContent = t("add");
  $("weather").textContent = t("weather");
  $("weather").title = t("weatherHow");
  $("language").textContent = other().toUpperCase();
}

function listen() {
  const source = new EventSource("/sandbox/api/events");
  source.onmessage = (event) => {
    state = JSON.parse(event.data);
    show();
    showWeather().catch(() => {});
  };
  source.onerror = () => banner(t("lost"));
}

$("add").addEventListener("click", addPerson);
$("weather").addEventListener("click", weatherMenu);
$("hidden").addEventListener("change", (event) => unhide(event.target.value));
$("language").addEventListener("click", () => {
  setLanguage(other());
  label();
  for (const phone of phones.values()) phone.retranslate();
  show();
});
NARROW.addEventListener("change", show);
setInterval(tick, 1000);
label();
listen();
