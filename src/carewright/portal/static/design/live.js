// Keeps a page true while things change: a snapshot with the place in the log at which it was read, and the stream of events from there.
//
// The page has one element with data-live (the address of the stream) and data-place; what it shows of the snapshot lies in its
// [data-fresh], and [data-state] says whether that is live. The stream goes on exactly behind the last event that was heard: after a
// break, and after the device slept. Where it cannot, it says "reload", and the page is asked for again.
// A page whose facts do not tell all that it shows asks for a snapshot when it hears of one (refresh), and the stream goes on meanwhile.
// With data-again the snapshot is asked for there, by a form that says by `known` what the page shows already (its data-id); otherwise at
// the page's own address. A snapshot waits while the mouse moves over what it would change, so that nobody presses what has just come
// under it. A hidden page lets go of its stream, since a browser has few connections for all pages of a site, and catches up when it is shown.
// [data-state] may have words of its own: data-say-live, data-say-stale with {time}, data-say-over; data-zone is that of its times, and
// data-ahead how many milliseconds the server's clock is ahead. With data-over whoever is signed out is sent there.

import { merge } from "./merge.js";

const TICK_MILLISECONDS = 5000;
const SLEPT_MILLISECONDS = 20000;
const SILENT_MILLISECONDS = 40000;
const AGAIN_MILLISECONDS_MAX = 30000;
const RENEW = "renew";
const REFRESH = "refresh";
const GATHER_MILLISECONDS = 150;
const REFRESH_MILLISECONDS = 1000;
const MOVING_MILLISECONDS = 500;
const MOVING_MILLISECONDS_MAX = 3000;
const LIVE = "Live";
const STALE = "Reconnecting…, as of {time}";
const SIGNED_OUT = "Not live. You are signed out: load the page again to sign in.";

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

// `take(name, fields)` is told of every event, maybe twice; `fields` is a URLSearchParams. `renewed()` is called after a new snapshot.
export const follow = (root, take, kinds, renewed = () => {}) => {
  const state = root.querySelector("[data-state]");
  let place = root.dataset.place;
  let source = null;
  let heard = Date.now();
  let ticked = Date.now();
  let tries = 0;
  let over = false;
  let later = 0;
  let busy = false;
  let wanted = "";
  let asked = 0;
  let moved = 0;

  const say = (text, live) => {
    if (state.textContent !== text) {
      state.textContent = text;
    }
    state.classList.toggle("tag--booked", live);
    state.classList.toggle("tag--pending", !live);
  };
  const stale = () => {
    const { zone, ahead = 0, sayStale = STALE, sayOver = SIGNED_OUT } = state.dataset;
    const written = { hour: "2-digit", minute: "2-digit", timeZone: zone };
    const time = new Date(heard + Number(ahead)).toLocaleTimeString(zone ? "en-GB" : [], written);
    say(over ? sayOver : sayStale.replaceAll("{time}", time), false);
  };
  const close = () => {
    source?.close();
    source = null;
  };
  const end = () => {
    over = true;
    close();
    stale();
    if (root.dataset.over) {
      location.replace(root.dataset.over);
    }
  };
  const note = (event) => {
    heard = Date.now();
    tries = 0;
    place = event.lastEventId || place;
  };

  const open = () => {
    close();
    if (over || document.hidden) {
      return;
    }
    const address = new URL(root.dataset.live, location.href);
    address.searchParams.set("after", place);
    for (const kind of kinds) {
      address.searchParams.append("kind", kind);
    }
    const mine = new EventSource(address);
    source = mine;
    for (const kind of kinds) {
      mine.addEventListener(kind, (event) => {
        take(kind, new URLSearchParams(event.data));
        note(event);
      });
    }
    // The first comes when everything that was missed has been sent.
    mine.addEventListener("beat", (event) => {
      note(event);
      say(state.dataset.sayLive ?? LIVE, true);
    });
    mine.addEventListener("reload", renew);
    mine.addEventListener("ended", end);
    mine.addEventListener("error", () => {
      stale();
      if (source === mine && mine.readyState === EventSource.CLOSED) {
        again();
      }
    });
  };

  // Not all pages at once: the second half of the wait is chance.
  const again = () => {
    close();
    clearTimeout(later);
    const wait = Math.min(AGAIN_MILLISECONDS_MAX, 1000 * 2 ** tries);
    tries += 1;
    wanted = RENEW;
    later = setTimeout(renew, wait / 2 + (Math.random() * wait) / 2);
  };

  const ask = () => {
    const headers = { Accept: "text/html" };
    if (!root.dataset.again) {
      return fetch(location.href, { headers, redirect: "manual" });
    }
    const known = [...root.querySelectorAll("[data-fresh] [data-id]")].map((each) => each.dataset.id);
    const body = new URLSearchParams({ form_token: root.dataset.token, known: known.join(" ") });
    return fetch(root.dataset.again, { method: "POST", headers, body, redirect: "manual" });
  };

  const rested = async () => {
    const since = Date.now();
    while (Date.now() - moved < MOVING_MILLISECONDS && Date.now() - since < MOVING_MILLISECONDS_MAX) {
      await pause(MOVING_MILLISECONDS / 5);
    }
  };

  // Shows a newer snapshot. Answers the place at which it was read; nothing where nobody is signed in any more.
  const takeSnapshot = async () => {
    asked = Date.now();
    const answer = await ask();
    if (answer.type === "opaqueredirect" || answer.status === 401 || answer.status === 403) {
      end();
      return "";
    }
    const page = answer.ok ? new DOMParser().parseFromString(await answer.text(), "text/html") : null;
    const fresh = page?.querySelector("[data-live]");
    if (!fresh) {
      throw new Error("no snapshot");
    }
    await rested();
    merge(root.querySelector("[data-fresh]"), fresh.querySelector("[data-fresh]"));
    renewed();
    return fresh.dataset.place;
  };

  // Takes the snapshots that are wanted, one after the other. After RENEW the stream goes on from it; otherwise it has gone on meanwhile.
  const run = async () => {
    if (busy) {
      return;
    }
    busy = true;
    while (wanted && !over && !document.hidden) {
      if (wanted === REFRESH) {
        await pause(Math.max(GATHER_MILLISECONDS, asked + REFRESH_MILLISECONDS - Date.now()));
      }
      const opens = wanted === RENEW;
      wanted = "";
      try {
        const taken = await takeSnapshot();
        if (opens && taken) {
          place = taken;
          heard = Date.now();
          open();
        }
      } catch {
        stale();
        again();
        break;
      }
    }
    busy = false;
  };

  const renew = () => {
    close();
    clearTimeout(later);
    wanted = RENEW;
    return run();
  };

  const refresh = () => {
    wanted ||= REFRESH;
    return run();
  };

  const awake = () => {
    stale();
    if (wanted) {
      renew();
    } else {
      open();
    }
  };

  setInterval(() => {
    const now = Date.now();
    const slept = now - ticked > SLEPT_MILLISECONDS;
    ticked = now;
    if (source && (slept || now - heard > SILENT_MILLISECONDS)) {
      heard = Math.min(heard, now);
      awake();
    }
  }, TICK_MILLISECONDS);
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : awake()));
  document.addEventListener("resume", awake);
  addEventListener("online", awake);
  addEventListener("offline", stale);
  addEventListener("pageshow", (event) => event.persisted && awake());
  addEventListener("pagehide", close);
  root.addEventListener("pointermove", () => {
    moved = Date.now();
  });
  open();
  return { renew, refresh };
};
