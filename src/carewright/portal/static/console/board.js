// The day board, kept up: each fact of an appointment puts it where it lies now, in every row that it takes, and so what a walk-in takes.
// Where hours or blocks change it asks for the board anew. What is open beside the board, and where the focus is, stay. Arrow keys go through the appointments, so that Tab passes the board in one step.

import { expectedWords } from "./expected.js";
import { follow } from "../design/live.js";
import { draggingVisits } from "./board-drag.js";
import { beside } from "./board-beside.js";

const MINUTE_MILLISECONDS = 60000;
const LANES_MAX = 8;
const root = document.querySelector("[data-live]");
const seen = new Map();

const fresh = () => root.querySelector("[data-fresh]");
const named = (kind, id) => root.querySelector(`[data-${kind}="${CSS.escape(id)}"]`)?.textContent;
const blocksOf = (id) => [...fresh().querySelectorAll(`[data-track] > [data-id="${CSS.escape(id)}"]`)];
const trackOf = (row) => fresh().querySelector(`[data-row="${CSS.escape(row)}"] [data-track]`);
const made = (what) => root.querySelector(`template[data-a="${what}"]`).content.firstElementChild.cloneNode(true);
const isToday = () => Date.now() >= Date.parse(fresh().dataset.start) && Date.now() < Date.parse(fresh().dataset.end);

const clockOf = (minute) => `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;
const placeOf = (from, to) => {
  const length = Math.max(to - from, 5);
  const ticks = (minute) => Math.floor((minute % 60) / 5);
  return `at-h${Math.floor(from / 60)} at-m${ticks(from)} for-h${Math.floor(length / 60)} for-m${ticks(length)}`;
};

// The minute of the site's day at an instant, cut to the day.
const minuteOf = (instant) => {
  if (instant <= Date.parse(fresh().dataset.start)) {
    return 0;
  }
  if (instant >= Date.parse(fresh().dataset.end)) {
    return 1440;
  }
  const text = new Date(instant).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: fresh().dataset.zone });
  return Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5));
};

const isLate = (block) => block.classList.contains("visit--booked") && isToday() && Number(block.dataset.from) < minuteOf(Date.now());

// In each row: who lies above whom, in the order of time.
const relane = (track) => {
  const blocks = [...track.querySelectorAll(":scope > [data-id]")];
  blocks.sort((one, other) => one.dataset.from - other.dataset.from);
  const ends = [];
  for (const block of blocks) {
    let lane = ends.findIndex((end) => end <= Number(block.dataset.from));
    lane = lane < 0 ? Math.min(ends.length, LANES_MAX) : lane;
    ends.splice(lane, 1, Number(block.dataset.to));
    block.className = block.className.replace(/ lane-\d+/, ` lane-${lane}`);
    block.querySelector("[data-above]").textContent = lane ? ", beside another" : "";
    track.append(block);
  }
  const row = track.closest("[data-row]");
  row.className = row.className.replace(/lanes-\d+/, `lanes-${Math.max(ends.length, 1)}`);
};

// When it begins by now. What is told of another start than the block's says nothing of where it lies now.
const expect = (fact) => {
  for (const block of blocksOf(fact.get("id"))) {
    const begins = Number(block.dataset.from) - Number(block.dataset.shift);
    if (Number(block.dataset.expectedVersion) < Number(fact.get("version")) && begins === minuteOf(Date.parse(fact.get("start")))) {
      const mark = block.querySelector("[data-expected]");
      block.dataset.expectedVersion = fact.get("version");
      const words = expectedWords(fact, (instant) => clockOf(minuteOf(instant)));
      mark.querySelector("[data-begins]").textContent = words;
      mark.hidden = words === "";
    }
  }
};

const put = (block, fact, { from, to, shift }, name) => {
  const status = fact.get("status");
  if (block.dataset.from !== String(from)) {
    block.querySelector("[data-expected]").hidden = true;
  }
  block.dataset.id = fact.get("id");
  block.dataset.version = fact.get("version");
  block.dataset.from = from;
  block.dataset.to = to;
  block.dataset.shift = shift;
  block.className = `visit visit--${status} ${placeOf(Number(from), Number(to))} lane-0`;
  block.classList.toggle("visit--late", isLate(block));
  block.querySelector("a").href = `/staff/board/visits/${fact.get("id")}`;
  block.querySelector("[data-when]").textContent = clockOf(Number(from));
  block.querySelector("[data-until]").textContent = clockOf(Number(to));
  block.querySelector("[data-word]").textContent = named("status", fact.has("held_until") ? "held" : status);
  block.querySelector("[data-name]").textContent = name;
};

// The rows that it takes, from when to when. A fact that takes nothing anew leaves it where it lies.
const takenBy = (fact, old) => {
  const start = Date.parse(fact.get("start"));
  const told = fact.get("taken") ? fact.get("taken").split(" ") : [];
  const taken = told.map((each) => {
    const parts = each.split(":");
    const at = (minutes) => minuteOf(start + Number(minutes) * MINUTE_MILLISECONDS);
    return { track: trackOf(parts.at(0)), from: at(parts.at(1)), to: at(parts.at(2)), shift: parts.at(1) };
  });
  const lies = ({ parentElement, dataset }) => ({ track: parentElement, from: dataset.from, to: dataset.to, shift: dataset.shift });
  return taken.length ? taken.filter(({ track, to, from }) => track && to > from) : old.map(lies);
};

const show = (fact, old, taken) => {
  for (const each of taken) {
    const { track } = each;
    const block = old.find((each) => each.parentElement === track) ?? made("visit");
    put(block, fact, each, named("kind", fact.get("kind")));
    block.querySelector("[data-whose]").textContent = track.closest("[data-row]").querySelector("h4").textContent;
    track.append(block);
  }
};

// A walk-in takes these rows now, and no others.
const use = (fact) => {
  const id = fact.get("id");
  fresh()
    .querySelectorAll(`[data-use="${CSS.escape(id)}"]`)
    .forEach((each) => each.remove());
  for (const { track, from, to } of takenBy(fact, [])) {
    const piece = made("use");
    piece.dataset.use = id;
    piece.className = `in-use ${placeOf(from, to)}`;
    piece.querySelector("[data-span]").textContent = ` ${clockOf(from)} to ${clockOf(to)}`;
    track.insertBefore(piece, track.querySelector(":scope > [data-id]"));
  }
};

const move = (fact) => {
  const id = fact.get("id");
  const version = Number(fact.get("version"));
  const old = blocksOf(id);
  if (version <= Math.max(seen.get(id) ?? 0, ...old.map((each) => Number(each.dataset.version)))) {
    return;
  }
  seen.set(id, version);
  const isShown =
    named("status", fact.get("status")) !== undefined &&
    named("kind", fact.get("kind")) !== undefined &&
    Date.parse(fact.get("start")) < Date.parse(fresh().dataset.end) &&
    Date.parse(fact.get("end")) > Date.parse(fresh().dataset.start);
  const taken = isShown ? takenBy(fact, old) : [];
  const tracks = taken.map((each) => each.track);
  const focused = document.activeElement;
  const left = old.map((each) => each.parentElement);
  old.filter((each) => !tracks.includes(each.parentElement)).forEach((each) => each.remove());
  show(fact, old, taken);
  new Set([...left, ...tracks]).forEach(relane);
  refocus(focused, id);
  rove();
  panel.changed(id, version);
};

const take = (kind, fact) => {
  if (kind === "appointment") {
    move(fact);
  } else if (kind === "in-use") {
    use(fact);
  } else if (kind === "expected") {
    expect(fact);
  } else if (trackOf(fact.get("id"))) {
    live.refresh();
  }
};

// Whoever was on an appointment is on it where it lies now.
const refocus = (focused, id) => {
  if (focused?.closest?.("[data-id]")?.dataset.id === id && document.activeElement !== focused) {
    (focused.isConnected ? focused : blocksOf(id)[0]?.querySelector("a"))?.focus({ preventScroll: true });
  }
};

const links = (track) => [...track.querySelectorAll(":scope > [data-id] > a")];
const rove = () => {
  const all = [...fresh().querySelectorAll("[data-track] > [data-id] > a")];
  const current = all.find((each) => each === document.activeElement) ?? all.find((each) => each.tabIndex === 0 && each.hasAttribute("tabindex"));
  all.forEach((each) => each.setAttribute("tabindex", each === (current ?? all[0]) ? "0" : "-1"));
};
const nearest = (track, minute) =>
  links(track).reduce((best, each) => {
    const distance = Math.abs(each.parentElement.dataset.from - minute);
    return best && Math.abs(best.parentElement.dataset.from - minute) <= distance ? best : each;
  }, null);
const rowsFrom = (track, step) => {
  const all = [...fresh().querySelectorAll("[data-track]")].filter((each) => links(each).length);
  return all[all.indexOf(track) + step];
};
const next = (key, link) => {
  const track = link.closest("[data-track]");
  const row = links(track);
  const at = row.indexOf(link);
  const minute = Number(link.parentElement.dataset.from);
  const above = { ArrowUp: -1, ArrowDown: 1 }[key];
  if (above) {
    const to = rowsFrom(track, above);
    return to && nearest(to, minute);
  }
  return { ArrowLeft: row[at - 1], ArrowRight: row[at + 1], Home: row[0], End: row.at(-1) }[key];
};
root.addEventListener("keydown", (event) => {
  const link = event.target.closest("[data-track] > [data-id] > a");
  const to = link && next(event.key, link);
  if (to) {
    event.preventDefault();
    to.focus();
    rove();
  }
});

const tick = () => {
  const now = root.querySelector("[data-now]");
  now.hidden = !isToday();
  if (isToday()) {
    const minute = minuteOf(Date.now());
    now.className = `board-now ${placeOf(minute, minute)}`;
  } else if ("rolls" in root.dataset && Date.now() >= Date.parse(fresh().dataset.end)) {
    live.renew();
  }
  fresh().querySelectorAll(".visit--booked").forEach((each) => each.classList.toggle("visit--late", isLate(each)));
};

const panel = beside(root);
const live = follow(root, take, ["appointment", "in-use", "calendar", ...("late" in root.dataset ? ["expected"] : [])], () => {
  rove();
  tick();
});
draggingVisits(root, panel);
rove();
tick();
// Where somebody wants to look first: at what is now, or at the first of the day.
const scroll = root.querySelector("[data-scroll]");
const first = Math.min(...[...fresh().querySelectorAll("[data-from][data-to]")].map((each) => each.dataset.from), 1440);
const begin = isToday() ? minuteOf(Date.now()) - 60 : first - 15;
const hours = Number(fresh().dataset.until) - Number(fresh().dataset.from);
const width = root.querySelector("[data-hours]")?.clientWidth ?? 0;
scroll.scrollLeft = ((begin / 60 - Number(fresh().dataset.from)) / hours) * width;
setInterval(tick, MINUTE_MILLISECONDS);
