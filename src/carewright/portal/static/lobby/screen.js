// The screen of a waiting room: looks again whenever a ticket is called, and calls it out. It runs for months, so it keeps nothing but
// what it shows.

import { follow } from "../design/live.js";
import { chime, isSilent, letSound, speak } from "./sound.js";

const AGAIN_MILLISECONDS = 60000;
const root = document.querySelector("[data-live]");
const clock = root.querySelector("[data-clock]");
const button = root.querySelector("[data-sound]");
const state = root.querySelector("[data-state]");
const told = root.querySelector("[data-told]");
let called = new Set();

const calls = () => [...root.querySelectorAll("[data-fresh] [data-call]")];

const words = () => [...root.querySelectorAll("[data-say]")].map((each) => ({ lang: each.lang, text: each.textContent, desk: each.dataset.desk }));

const callOut = (line) => {
  const spelled = [...line.dataset.ticket].join(" ");
  const lines = words().map(({ lang, text, desk }) => ({
    lang, text: text.replace("{ticket}", spelled).replace("{place}", line.dataset.where || desk),
  }));
  told.textContent = lines.map(({ text }) => text).join(" ");
  line.classList.add("call--new");
  chime();
  speak(lines);
};

// What is on the page now was called out, or is about to be. Of what was there before nothing is kept.
const look = (isFirst) => {
  const now = calls();
  const fresh = now.filter((line) => !called.has(line.dataset.id) && !isFirst);
  called = new Set(now.map((line) => line.dataset.id));
  for (const line of fresh.reverse()) {
    callOut(line);
  }
};

const take = (_, fact) => {
  if (root.querySelector("[data-fresh]").dataset.watched.split(" ").includes(fact.get("queue"))) {
    live.refresh();
  }
};

// The server's time is told, whatever the device believes.
const setAhead = () => {
  state.dataset.ahead = Date.parse(root.querySelector("[data-fresh]").dataset.now) - Date.now();
};
const tick = () => {
  const now = new Date(Date.now() + Number(state.dataset.ahead));
  clock.textContent = now.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: state.dataset.zone });
};

const stayAwake = () => navigator.wakeLock?.request("screen").catch(() => {});
const showButton = () => {
  button.hidden = !isSilent();
};

look(true);
setAhead();
const live = follow(root, take, ["call"], () => {
  setAhead();
  look(false);
});
setInterval(tick, 5000);
setInterval(live.refresh, AGAIN_MILLISECONDS);
stayAwake();
document.addEventListener("visibilitychange", stayAwake);
button.addEventListener("click", () => letSound(showButton));
letSound(showButton);
showButton();
