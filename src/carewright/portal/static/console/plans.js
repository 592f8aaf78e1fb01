// Plans of days, kept up: how far a search is, what it found, and what becomes of the moves of one. A search says nothing of how far it is, so
// while one runs that is asked for. What somebody ticks stays.

import { follow } from "../design/live.js";

const AGAIN_MILLISECONDS = 1000;
const root = document.querySelector("[data-live]");
const one = root.dataset.plan;

const concerns = (kind, id) => (kind === "day-plan" ? !one || one === id : root.querySelector(`[data-id="${CSS.escape(id)}"]`));

const take = (kind, fact) => {
  if (concerns(kind, fact.get("id"))) {
    live.refresh();
  }
};

const live = follow(root, take, one ? ["day-plan", "appointment"] : ["day-plan"]);
setInterval(() => {
  if (root.querySelector("[data-running]")) {
    live.refresh();
  }
}, AGAIN_MILLISECONDS);
