// A day at a site, kept up: each fact of an appointment changes its line, adds it, or takes it away. An older fact changes nothing.

import { expectedWords } from "./expected.js";
import { follow } from "../design/live.js";

const MINUTE_MILLISECONDS = 60000;
const root = document.querySelector("[data-live]");

const fresh = () => root.querySelector("[data-fresh]");
const lineOf = (id) => fresh().querySelector(`[data-id="${CSS.escape(id)}"]`);
const wordFor = (status) => root.querySelector(`[data-status="${CSS.escape(status)}"]`)?.textContent;
const nameOf = (kind) => fresh().querySelector(`[data-kind="${CSS.escape(kind)}"] [data-name]`)?.textContent;
const isToday = (start) => start >= Date.parse(fresh().dataset.start) && start < Date.parse(fresh().dataset.end);

const count = () => {
  const lines = fresh().querySelectorAll("[data-id]").length;
  fresh().querySelector("[data-none]").hidden = lines > 0;
};

const newLine = (name) => {
  const line = root.querySelector("template").content.firstElementChild.cloneNode(true);
  line.querySelector("[data-name]").textContent = name;
  return line;
};

const putInOrder = (line, start) => {
  const list = fresh().querySelector("ol");
  const next = [...list.children].find((each) => each !== line && Date.parse(each.dataset.start) > start);
  list.insertBefore(line, next ?? null);
};

const clock = (instant) => new Date(instant).toLocaleTimeString("en-GB", {
  hour: "2-digit", minute: "2-digit", timeZone: fresh().dataset.zone,
});

// How late it begins by now; what is told of another start than the line's says nothing of this one.
const expect = (fact) => {
  const line = lineOf(fact.get("id"));
  if (!line || Number(line.dataset.expectedVersion) >= Number(fact.get("version")) || Date.parse(line.dataset.start) !== Date.parse(fact.get("start"))) {
    return;
  }
  const late = Number(fact.get("late"));
  const mark = line.querySelector("[data-expected]");
  line.dataset.expectedVersion = fact.get("version");
  mark.hidden = late === 0;
  mark.textContent = late === 0 ? "" : `expected at ${expectedWords(fact, clock)}`;
};

const take = (name, fact) => {
  if (name === "expected") {
    expect(fact);
    return;
  }
  const word = wordFor(fact.get("status"));
  const start = Date.parse(fact.get("start"));
  let line = lineOf(fact.get("id"));
  if (line && Number(line.dataset.version) >= Number(fact.get("version"))) {
    return;
  }
  if (!word || fact.has("held_until") || !isToday(start)) {
    line?.remove();
    count();
    return;
  }
  if (!line) {
    const name = nameOf(fact.get("kind"));
    if (name === undefined) {
      live.renew(); // a kind of visit that this page has not met yet
      return;
    }
    line = newLine(name);
    line.dataset.id = fact.get("id");
    line.dataset.kind = fact.get("kind");
  }
  const moved = line.dataset.start !== fact.get("start");
  line.dataset.version = fact.get("version");
  line.dataset.start = fact.get("start");
  line.querySelector("[data-when]").textContent = clock(start);
  const tag = line.querySelector("[data-tag]");
  tag.textContent = word;
  tag.className = `tag tag--${fact.get("status")}`;
  if (moved) {
    line.querySelector("[data-expected]").hidden = true;
    putInOrder(line, start);
  }
  count();
};

const live = follow(root, take, ["appointment", ...("late" in root.dataset ? ["expected"] : [])]);

// At midnight the page of today shows the next day.
if ("rolls" in root.dataset) {
  setInterval(() => Date.now() >= Date.parse(fresh().dataset.end) && live.renew(), MINUTE_MILLISECONDS);
}
