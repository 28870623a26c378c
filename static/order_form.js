// The form of a new order, as fast as the phone call: who calls, which slots are left, all by keyboard.
"use strict";
{
  const $ = django.jQuery;
  const field = (name) => document.getElementById(`id_${name}`);

  const get = async (url, params) => {
    const answer = await fetch(`${url}?${new URLSearchParams(params)}`).catch(() => null);
    return answer?.ok && !answer.redirected ? answer : null;
  };

  /** A choice in a lookup, as if it had been found there. */
  const choose = (name, value, text) => {
    const select = field(name);
    if (!select || select.tagName !== "SELECT") return;
    $(select).empty();
    if (value) select.append(new Option(text, value, true, true));
    $(select).trigger("change");
  };

  const take = (from) => {
    choose("city", from.city, from.cityName);
    choose("district", from.district, from.districtName);
    choose("street", from.street, from.streetName);
    const texts = { street_text: "streetText", house: "house", apartment: "apartment", address_comment: "comment" };
    for (const [name, key] of Object.entries(texts)) if (field(name)) field(name).value = from[key] || "";
    if (field("client_name") && !field("client_name").value) field("client_name").value = from.name;
    field("category")?.focus();
  };

  const recognise = (phone) => {
    const box = document.createElement("div");
    box.id = "known-client";
    box.setAttribute("aria-live", "polite");
    (phone.closest(".field-line") ?? phone.parentElement).parentElement.after(box);
    let asked = "";
    const ask = async () => {
      const digits = phone.value.replace(/\D/g, "");
      if (digits === asked) return;
      asked = digits;
      if (digits.length < 10) {
        box.replaceChildren();
        return;
      }
      const answer = await get(phone.dataset.lookup, { phone: phone.value });
      if (asked !== digits) return; // typed on meanwhile
      const text = answer?.status === 200 ? await answer.text() : "";
      box.replaceChildren(...new DOMParser().parseFromString(text, "text/html").body.childNodes);
    };
    phone.addEventListener("input", ask);
    ask();
    box.addEventListener("click", (event) => {
      const button = event.target.closest("[data-take]");
      if (button) take(button.dataset);
    });
  };

  const followSlots = (slot) => {
    const note = document.createElement("p");
    note.className = "desk-slot-note";
    note.setAttribute("aria-live", "polite");
    slot.parentElement.after(note);
    const load = async () => {
      const city = field("city")?.value;
      if (!city) return;
      const answer = await get(slot.dataset.slots, { city });
      if (!answer) return;
      const { slots, note: text } = await answer.json();
      const before = slot.value;
      slot.replaceChildren(...slots.map(([key, label]) => new Option(label, key, false, key === before)));
      note.textContent = text;
    };
    $(field("city")).on("change", load);
    load();
  };

  $(() => {
    const phone = document.querySelector("[data-lookup]");
    const slot = document.querySelector("[data-slots]");
    if (phone) recognise(phone);
    if (slot) followSlots(slot);
    if (phone && !document.querySelector(".errorlist, .errornote")) phone.focus();
    // a lookup reached by Tab opens at once: type, Enter, Tab, on to the next
    let byTab = false;
    document.addEventListener("keydown", (event) => { byTab = event.key === "Tab"; }, true);
    document.addEventListener("mousedown", () => { byTab = false; }, true);
    document.addEventListener("focusin", (event) => {
      const lookup = event.target.closest(".select2-selection--single");
      const select = lookup?.closest(".select2-container")?.previousElementSibling;
      if (byTab && select && !select.value && phone) {
        byTab = false;
        setTimeout(() => $(select).select2("open"));
      }
    });
    // Ctrl+Enter sends the form from anywhere in it
    document.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && phone) {
        event.preventDefault();
        phone.form.requestSubmit(phone.form.querySelector("[name=_save]"));
      }
    });
  });
}
