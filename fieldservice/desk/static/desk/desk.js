// Times that run, lists that filter, dialogs that open: what the desk needs beside htmx.
"use strict";
{
  const root = () => document.getElementById("desk");
  let ahead = 0; // the server's clock minus ours
  let units = ["d", "h", "min"];

  const two = (number) => String(number).padStart(2, "0");

  /** Seconds in words: 4:05 within an hour, then "2 h 10 min", then "3 d 4 h". */
  const words = (seconds) => {
    const s = Math.max(0, Math.floor(seconds));
    if (s < 3600) return `${Math.floor(s / 60)}:${two(s % 60)}`;
    if (s < 86400) return `${Math.floor(s / 3600)} ${units[1]} ${Math.floor((s % 3600) / 60)} ${units[2]}`;
    return `${Math.floor(s / 86400)} ${units[0]} ${Math.floor((s % 86400) / 3600)} ${units[1]}`;
  };

  const tick = () => {
    const now = Date.now() + ahead;
    for (const element of document.querySelectorAll("time[data-until], time[data-since]")) {
      const { until, since } = element.dataset;
      const left = until ? new Date(until) - now : now - new Date(since);
      const text = words(left / 1000);
      if (element.textContent !== text) element.textContent = text;
      if (until) element.classList.toggle("is-over", left <= 0);
    }
  };

  const dialog = () => document.getElementById("desk-dialog");

  document.addEventListener("DOMContentLoaded", () => {
    if (root()) {
      ahead = new Date(root().dataset.now) - Date.now();
      units = root().dataset.units.split(" ");
    }
    tick();
    setInterval(tick, 1000);
    document.body.addEventListener("htmx:afterSwap", (event) => {
      if (event.detail.target.id === "desk-dialog") {
        if (!dialog().open) dialog().showModal();
        const chosen = dialog().querySelector("input[type=radio]:checked");
        (chosen || dialog().querySelector("[autofocus], input[type=radio], button"))?.focus();
      }
      tick();
    });
    // what is on the screen is not pulled away under a person's hands
    document.body.addEventListener("htmx:beforeRequest", (event) => {
      if (event.target.id === "desk-board" && (document.hidden || dialog()?.open)) event.preventDefault();
    });
    document.body.addEventListener("htmx:responseError", (event) => {
      if (event.detail.xhr.status === 403 || event.detail.xhr.status === 404) window.location.reload();
    });
  });

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-submits]")) event.target.form.submit();
  });
  document.addEventListener("input", (event) => {
    if (!event.target.matches("[data-finds]")) return;
    const wanted = event.target.value.trim().toLowerCase();
    for (const row of document.querySelector(event.target.dataset.finds).children) {
      row.hidden = wanted !== "" && !row.textContent.toLowerCase().includes(wanted);
    }
  });
  document.addEventListener("submit", (event) => {
    const asks = event.submitter?.dataset.asks;
    if (asks && !window.confirm(asks)) event.preventDefault();
  });
  document.addEventListener("click", (event) => {
    const copying = event.target.closest("[data-copies]");
    if (copying) navigator.clipboard?.writeText(copying.dataset.copies);
    const filling = event.target.closest("[data-fills]");
    if (filling) document.querySelector(filling.dataset.fills).value = filling.textContent;
    const closing = event.target.closest("[data-closes]");
    if (closing && dialog()?.open) {
      event.preventDefault();
      dialog().close();
    } else if (event.target === dialog()) {
      dialog().close();
    }
  });
}
