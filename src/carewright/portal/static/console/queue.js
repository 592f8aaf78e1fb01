// A queue, kept up: a fact of a turn, of a kiosk, of what a sensor sees, or of what is done when too many wait, that the page does not show as it is
// now makes it ask anew.

import { follow } from "../design/live.js";

const MINUTE_MILLISECONDS = 60000;
const root = document.querySelector("[data-live]");

const take = (kind, fact) => {
  const line = root.querySelector(`[data-fresh] [data-id="${CSS.escape(fact.get("id"))}"]`);
  const isKnown = line && Number(line.dataset.version) >= Number(fact.get("version"));
  const queues = (fact.get("queue") ?? fact.get("queues") ?? "").split(" ");
  const isOurs = kind === "help" || queues.includes(root.dataset.queue);
  if (isOurs && !isKnown) {
    live.refresh();
  }
};

const live = follow(root, take, ["turn", "relief", "walk-in", "help", "sensed"]);

// How long people still wait changes by itself, and so does the order of some queues.
setInterval(live.refresh, MINUTE_MILLISECONDS);
