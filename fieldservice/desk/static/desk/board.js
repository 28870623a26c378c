// A waiting order is taken with the mouse and dropped on a master: the same dialog as its button, with him chosen.
// Fingers and keys have the button.
"use strict";
{
  let card = null; // what is being dragged
  const crew = () => document.getElementById("desk-crew");
  const targetOf = (event) => {
    const target = event.target.closest?.("[data-master]");
    return card && target?.dataset.city === card.dataset.city ? target : null;
  };

  /** The masters of the order's city, as dispatch would rank them, below the board. */
  const showCrew = async (dragged) => {
    const answer = await fetch(dragged.dataset.masters).catch(() => null);
    if (card !== dragged || !answer?.ok || answer.redirected) return; // dropped meanwhile
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (card !== dragged) return;
    crew().replaceChildren(...page.body.childNodes);
    crew().hidden = false;
  };

  const end = () => {
    for (const element of document.querySelectorAll(".is-dragged, .is-over")) {
      element.classList.remove("is-dragged", "is-over");
    }
    document.getElementById("desk-board")?.classList.remove("is-dragging");
    crew().hidden = true;
    crew().replaceChildren();
    card = null;
  };

  document.addEventListener("dragstart", (event) => {
    const dragged = event.target.closest?.("[data-masters]");
    if (!dragged || !crew()) return;
    card = dragged;
    event.dataTransfer.effectAllowed = "link";
    event.dataTransfer.setData("text/plain", `#${dragged.dataset.order}`);
    // a page changed under the hand at once ends the drag in Chromium
    setTimeout(() => {
      if (card !== dragged) return;
      dragged.classList.add("is-dragged");
      document.getElementById("desk-board").classList.add("is-dragging");
      showCrew(dragged);
    });
  });
  document.addEventListener("dragover", (event) => {
    const target = targetOf(event);
    for (const other of document.querySelectorAll(".is-over")) if (other !== target) other.classList.remove("is-over");
    if (!target) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "link";
    target.classList.add("is-over");
  });
  document.addEventListener("drop", (event) => {
    const target = targetOf(event);
    if (!target) return;
    event.preventDefault();
    const url = new URL(card.dataset.act, window.location.href);
    url.searchParams.set("master", target.dataset.master);
    url.searchParams.set("next", window.location.pathname);
    end();
    htmx.ajax("GET", url.pathname + url.search, "#desk-dialog");
  });
  document.addEventListener("dragend", end);
  // the board stays as it is while a hand is over it
  document.body.addEventListener("htmx:beforeRequest", (event) => {
    if (card && event.target.id === "desk-board") event.preventDefault();
  });
}
