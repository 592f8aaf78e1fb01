// Who runs late at a site, kept up: a fact that is newer than what is shown has the page asked for again, unless somebody is just writing.

import { follow } from "../design/live.js";

const TOGETHER_MILLISECONDS = 300;
const root = document.querySelector("[data-live]");
let later = 0;

const isWriting = () => root.querySelector("details[open]") !== null;

const renew = () => {
  if (isWriting()) {
    root.querySelector("[data-state]").textContent = "Something has changed. Load the page again to see it.";
    return;
  }
  live.renew();
};

// What belongs together comes together: one look is enough.
const take = () => {
  clearTimeout(later);
  later = setTimeout(renew, TOGETHER_MILLISECONDS);
};

const plans = "plans" in root.dataset ? ["day-plan"] : [];
const live = follow(root, take, ["delay", "expected", "calendar", ...plans]);
