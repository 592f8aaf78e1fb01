// The list of queues, kept up: when one of them moves the page asks anew, a few seconds later, with whatever else has moved by then.

import { follow } from "../design/live.js";

const GATHER_MILLISECONDS = 3000;
const root = document.querySelector("[data-live]");
let later = 0;

const take = () => {
  later ||= setTimeout(() => {
    later = 0;
    live.refresh();
  }, GATHER_MILLISECONDS);
};

const live = follow(root, take, ["turn", "relief"]);
