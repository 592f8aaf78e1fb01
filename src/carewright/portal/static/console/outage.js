// What lies in a time that is closed, kept up: whoever is asked answers meanwhile, and others move what is booked.

import { follow } from "../design/live.js";

const root = document.querySelector("[data-live]");
const plans = "plans" in root.dataset ? ["day-plan"] : [];
const live = follow(root, () => live.refresh(), ["offer", "appointment", ...plans]);
