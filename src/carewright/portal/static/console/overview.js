// A site at a glance, kept up. What happens changes sums, so a new snapshot is asked for: at once, and then after a while at the earliest.

import { follow } from "../design/live.js";

const AGAIN_MILLISECONDS = 10000;
const MINUTE_MILLISECONDS = 60000;
const root = document.querySelector("[data-live]");
let later = 0;
let last = 0;

const soon = () => {
  const wait = Math.max(0, last + AGAIN_MILLISECONDS - Date.now());
  later ||= setTimeout(() => {
    later = 0;
    last = Date.now();
    live.refresh();
  }, wait);
};

const live = follow(root, soon, root.dataset.kinds.split(" "));
setInterval(live.refresh, MINUTE_MILLISECONDS);
