// The bed board, kept up: a fact of a place that the page does not show as it stands now makes it ask anew. A name is dragged onto a free
// place with the mouse; whoever does not drag opens the name, whose page asks the same. The arrow keys go from place to place.

import { follow } from "../design/live.js";

const FAR_PIXELS = 6;
const MINUTE_MILLISECONDS = 60000;
const ARROWS = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"];
const root = document.querySelector("[data-live]");
const isWide = matchMedia("(min-width: 48rem)");
let held = null;
let suppressed = false;

const take = (kind, fact) => {
  const tile = root.querySelector(`[data-tile][data-id="${CSS.escape(fact.get("id"))}"]`);
  const isKnown = tile && Number(tile.dataset.version) >= Number(fact.get("version"));
  const isSensed = kind === "sensed" && fact.get("place");
  if (isSensed || (kind === "place" && !isKnown)) {
    live.refresh();
  }
};

const tileAt = (event) => {
  const tile = document.elementFromPoint(event.clientX, event.clientY)?.closest("[data-tile]");
  return tile?.classList.contains("bed--free") ? tile : null;
};

const drop = () => {
  held?.ghost?.remove();
  root.querySelectorAll(".bed--aim, .bed--moving").forEach((each) => each.classList.remove("bed--aim", "bed--moving"));
  held = null;
};

const begin = () => {
  held.ghost = document.createElement("div");
  held.ghost.className = "bed-ghost";
  held.link.closest("[data-tile]")?.classList.add("bed--moving");
  document.body.append(held.ghost);
};

const move = (event) => {
  const aim = tileAt(event);
  root.querySelectorAll(".bed--aim").forEach((each) => each.classList.toggle("bed--aim", each === aim));
  aim?.classList.add("bed--aim");
  held.ghost.textContent = aim ? aim.querySelector("h4").textContent : "Not here";
  held.ghost.style.left = `${event.clientX + 12}px`;
  held.ghost.style.top = `${event.clientY + 12}px`;
};

root.addEventListener("dragstart", (event) => event.preventDefault());
root.addEventListener("pointerdown", (event) => {
  const link = event.target.closest("a[data-visit]");
  suppressed = false;
  if (link && "moves" in root.dataset && isWide.matches && event.button === 0 && event.pointerType !== "touch") {
    held = { link, x: event.clientX, y: event.clientY, ghost: null };
  }
});
addEventListener("pointermove", (event) => {
  if (held && !held.ghost && Math.hypot(event.clientX - held.x, event.clientY - held.y) > FAR_PIXELS) {
    begin();
  }
  if (held?.ghost) {
    move(event);
  }
});
// Nobody is moved before somebody says so on the page that this leads to.
addEventListener("pointerup", (event) => {
  const aim = held?.ghost && tileAt(event);
  suppressed = Boolean(held?.ghost);
  if (aim) {
    const address = new URL(held.link.href);
    address.searchParams.set("to", aim.dataset.id);
    location.assign(address);
  }
  drop();
});
addEventListener("pointercancel", drop);
addEventListener("keydown", (event) => event.key === "Escape" && drop());
// The click that ends a drag opens nothing.
root.addEventListener(
  "click",
  (event) => {
    if (suppressed) {
      event.preventDefault();
      event.stopPropagation();
      suppressed = false;
    }
  },
  true,
);

const middle = (link) => {
  const box = link.closest("[data-tile]").getBoundingClientRect();
  return { x: box.left + box.width / 2, y: box.top + box.height / 2 };
};

// The next in the order of the page; up and down the nearest of another line.
const nextOf = (link, key) => {
  const links = [...root.querySelectorAll("[data-tile] h4 a")];
  if (key === "ArrowLeft" || key === "ArrowRight") {
    return links[links.indexOf(link) + (key === "ArrowRight" ? 1 : -1)];
  }
  const from = middle(link);
  const way = key === "ArrowDown" ? 1 : -1;
  const apart = (each) => (middle(each).y - from.y) * way + Math.abs(middle(each).x - from.x) / 10;
  const beyond = links.filter((each) => (middle(each).y - from.y) * way > 1);
  return beyond.reduce((best, each) => (best && apart(best) <= apart(each) ? best : each), null);
};

root.addEventListener("keydown", (event) => {
  const link = event.target.closest("[data-tile] h4 a");
  const next = link && ARROWS.includes(event.key) ? nextOf(link, event.key) : null;
  if (next) {
    event.preventDefault();
    next.focus();
  }
});

const live = follow(root, take, root.dataset.kinds.split(" "));
// Since when somebody is there says another thing after midnight.
setInterval(live.refresh, MINUTE_MILLISECONDS * 10);
