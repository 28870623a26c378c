// Words of the page in two languages. t("key", values) fills {name} marks.

const WORDS = {
  en: {
    title: "Telegram sandbox",
    how: "Each phone is a person talking to a real bot. Press Start, type, tap the buttons.",
    add: "+ Person", newPerson: "A new person", name: "Name", nameHint: "Master One", language: "Language of the app",
    bot: "Opens the bot", create: "Add a phone", cancel: "Cancel", ok: "OK",
    start: "START", restart: "UNBLOCK AND START", message: "Message", send: "Send", menu: "Menu", attach: "Attach",
    online: "bot, online", offline: "bot is not running", typing: "typing…", uploading: "sending a file…",
    channel: "channel", group: "group", quiet: "No posts yet. Bots write here by themselves.",
    notStarted: "Nothing here yet. Press START below, as in a real app.", bots: "Bots",
    samplePhoto: "Sample photo", photo: "Photo from disk", file: "File from disk", album: "Album of 3 photos",
    contact: "My phone number", location: "My location", voice: "Voice message", sticker: "Sticker", video: "Video",
    edited: "edited", copied: "Copied: {text}", noAnswer: "The bot did not answer the tap",
    block: "Block the bot", unblock: "Unblock the bot", startAgain: "Send /start", follow: "Follow an invite link…",
    code: "Code after ?start=", go: "Follow", hide: "Hide this phone", hiddenOnes: "Hidden: {n}", blocked: "You blocked this bot",
    emptyTitle: "No phones yet",
    emptySteps: ["Add a person: a name is enough.", "Press START on the new phone.", "Type, tap buttons, attach photos: the bot answers as in Telegram."],
    emptyBots: "Bots on duty: {names}. A grey dot means that the bot is not running.",
    weather: "Faults", weatherHow: "Try how the bots bear trouble: everything they promised must still arrive.", picture: "Photo",
    down: "Telegram down for 30 s", flood: "429 for the next 5 calls", errors: "20 % of calls fail (500)", cuts: "Next reply is lost", calm: "No more faults",
    downLeft: "Telegram is down for {n} s more", stormy: "Faults in force: {n}", lost: "No connection to the sandbox, trying again…",
    today: "Today", yesterday: "Yesterday", forwarded: "Forwarded from {name}", fileGone: "the file is no longer kept", newPosts: "↓ New",
    open: "Open", phoneOf: "{name}’s phone", kb: "KB", mb: "MB",
  },
  ru: {
    title: "Песочница Telegram",
    how: "Каждый телефон — человек в разговоре с настоящим ботом. Нажмите «Старт», пишите, жмите кнопки.",
    add: "+ Человек", newPerson: "Новый человек", name: "Имя", nameHint: "Мастер Первый", language: "Язык приложения",
    bot: "Откроет бота", create: "Добавить телефон", cancel: "Отмена", ok: "ОК",
    start: "СТАРТ", restart: "РАЗБЛОКИРОВАТЬ", message: "Сообщение", send: "Отправить", menu: "Меню", attach: "Прикрепить",
    online: "бот, на связи", offline: "бот не запущен", typing: "печатает…", uploading: "отправляет файл…",
    channel: "канал", group: "группа", quiet: "Пока пусто. Боты пишут сюда сами.",
    notStarted: "Здесь пока пусто. Нажмите «Старт» внизу, как в настоящем приложении.", bots: "Боты",
    samplePhoto: "Готовое фото", photo: "Фото с диска", file: "Файл с диска", album: "Альбом из 3 фото",
    contact: "Мой номер", location: "Моё место", voice: "Голосовое", sticker: "Стикер", video: "Видео",
    edited: "изменено", copied: "Скопировано: {text}", noAnswer: "Бот не ответил на нажатие",
    block: "Заблокировать бота", unblock: "Разблокировать бота", startAgain: "Отправить /start", follow: "Перейти по приглашению…",
    code: "Код после ?start=", go: "Перейти", hide: "Убрать телефон", hiddenOnes: "Скрыто: {n}", blocked: "Вы заблокировали бота",
    emptyTitle: "Телефонов пока нет",
    emptySteps: ["Добавьте человека: хватит имени.", "На новом телефоне нажмите «Старт».", "Пишите, жмите кнопки, прикрепляйте фото: бот отвечает, как в Telegram."],
    emptyBots: "Боты: {names}. Серая точка — бот не запущен.",
    weather: "Сбои", weatherHow: "Проверьте, как боты переносят сбои: всё обещанное должно дойти.", picture: "Фото",
    down: "Telegram недоступен 30 с", flood: "429 на 5 вызовов", errors: "20 % вызовов с ошибкой (500)", cuts: "Потерять следующий ответ", calm: "Без сбоев",
    downLeft: "Telegram недоступен ещё {n} с", stormy: "Действует сбоев: {n}", lost: "Нет связи с песочницей, пробуем ещё…",
    today: "Сегодня", yesterday: "Вчера", forwarded: "Переслано от {name}", fileGone: "файл больше не хранится", newPosts: "↓ Новое",
    open: "Открыть", phoneOf: "Телефон: {name}", kb: "КБ", mb: "МБ",
  },
};

const KEY = "sandbox-language";
let language = localStorage.getItem(KEY) || (navigator.language.toLowerCase().startsWith("ru") ? "ru" : "en");

export const current = () => language;
export const other = () => (language === "ru" ? "en" : "ru");

export function setLanguage(value) {
  language = value;
  localStorage.setItem(KEY, value);
  translatePage();
}

export function t(key, values = {}) {
  const text = WORDS[language][key] ?? key;
  if (typeof text !== "string") return text;
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

// Fill every element that names its text.
export function translatePage() {
  document.documentElement.lang = language;
  document.title = t("title");
  for (const node of document.querySelectorAll("[data-text]")) node.textContent = t(node.dataset.text);
}
