// The bed board, kept up: a fact of a place, or of who waits for one, that the page does not show as it stands now makes it ask anew. A name is dragged onto a free
// place with the mouse; whoever does not drag opens the name, whose page asks the same. The arrow keys go from place to place.

import { follow } from "../design/live.js";
import { dragging } from "./drag.js";

const MINUTE_MILLISECONDS = 60000;
const ARROWS = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"];
const root = document.querySelector("[data-live]");

const take = (kind, fact) => {
  const line = root.querySelector(`[data-fresh] [data-id="${CSS.escape(fact.get("id"))}"]`);
  const isKnown = line && Number(line.dataset.version) >= Number(fact.get("version"));
  const isSensed = kind === "sensed" && fact.get("place");
  if (isSensed || (kind !== "sensed" && !isKnown)) {
    live.refresh();
  }
};

dragging(root, {
  ghost: "bed-ghost",
  hold: (event) => event.target.closest("a[data-visit]"),
  lifted: (link) => link.closest("[data-tile]")?.classList.add("bed--moving"),
  aimed: (event) => {
    const tile = document.elementFromPoint(event.clientX, event.clientY)?.closest("[data-tile]");
    return tile?.classList.contains("bed--free") ? tile : null;
  },
  marked: (tile) => {
    root.querySelectorAll(".bed--aim").forEach((each) => each.classList.toggle("bed--aim", each === tile));
    tile?.classList.add("bed--aim");
    return tile?.querySelector("h4").textContent;
  },
  // Nobody is moved before somebody says so on the page that this leads to.
  dropped: (link, tile) => {
    const address = new URL(link.href);
    address.searchParams.set("to", tile.dataset.id);
    location.assign(address);
  },
  released: () => root.querySelectorAll(".bed--moving").forEach((each) => each.classList.remove("bed--moving")),
});

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
