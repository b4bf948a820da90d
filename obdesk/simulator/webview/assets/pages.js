"use strict";

// The bank list narrows while typing; without scripts the search form does the same.
const filter = document.querySelector("[data-filter]");
if (filter) {
  const list = document.getElementById(filter.dataset.filter);
  const none = document.getElementById(`${filter.dataset.filter}-none`);
  const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  const narrow = () => {
    const words = plain(filter.value).split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const item of list.children) {
      const name = plain(item.dataset.name);
      item.hidden = !words.every((word) => name.includes(word));
      shown += item.hidden ? 0 : 1;
    }
    none.hidden = shown > 0;
  };
  filter.addEventListener("input", narrow);
  filter.addEventListener("keydown", (event) => {
    const visible = [...list.children].filter((item) => !item.hidden);
    if (event.key === "Enter" && visible.length === 1) {
      event.preventDefault();
      visible[0].querySelector("button").click();
    } else if (event.key === "ArrowDown" && visible.length > 0) {
      event.preventDefault();
      visible[0].querySelector("button").focus();
    }
  });
  list.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const buttons = [...list.querySelectorAll("li:not([hidden]) button")];
    const next = buttons.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
    event.preventDefault();
    (buttons[next] || filter).focus();
  });
  narrow();
}

// The approval page asks now and then whether the app has answered, and counts down in between.
const waiting = document.querySelector("[data-poll]");
if (waiting) {
  const left = waiting.querySelector("[data-left]");
  let seconds = Number(left.dataset.left);
  setInterval(() => {
    seconds = Math.max(0, seconds - 1);
    left.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  }, 1000);
  const ask = async () => {
    try {
      const answer = await (await fetch(waiting.dataset.poll, { cache: "no-store" })).json();
      if (answer.step !== "app") {
        location.replace(location.pathname);
        return;
      }
    } catch {
      // The next question may be answered.
    }
    setTimeout(ask, 1000);
  };
  setTimeout(ask, 1000);
}
