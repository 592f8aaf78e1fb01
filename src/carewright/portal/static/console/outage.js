// What lies in a time that is closed, kept up: whoever is asked answers meanwhile, and others move what is booked.

import { follow } from "../design/live.js";

const live = follow(document.querySelector("[data-live]"), () => live.refresh(), ["offer", "appointment"]);
