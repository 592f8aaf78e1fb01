// Dragging an appointment to another time or row asks what it would meet there; nothing moves before somebody says so. Whoever does not
// drag opens the appointment and fills in its form: the same is asked.

import { dragging } from "./drag.js";

const TICK_MINUTES = 5;
const MOVABLE = ".visit--booked, .visit--pending";

const clockOf = (minute) => `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;

export const draggingVisits = (root, panel) => {
  const area = () => root.querySelector("[data-fresh]");
  const rowOf = (track) => track.closest("[data-row]");

  dragging(root, {
    ghost: "board-ghost",
    hold: (event) => {
      const link = event.target.closest("[data-track] > [data-id] > a");
      const block = link?.parentElement;
      return block?.matches(MOVABLE) ? { link, block, grip: event.clientX - block.getBoundingClientRect().left } : null;
    },
    lifted: ({ block }) => block.classList.add("visit--moving"),
    // The row and the time under the appointment's left edge, if it is over a row.
    aimed: (event, { block, grip }) => {
      const track = document.elementFromPoint(event.clientX, event.clientY)?.closest("[data-row]")?.querySelector("[data-track]");
      if (!track || !root.contains(track)) {
        return null;
      }
      const box = track.getBoundingClientRect();
      const from = Number(area().dataset.from) * 60;
      const until = Number(area().dataset.until) * 60;
      const minute = from + ((event.clientX - grip - box.left) / box.width) * (until - from);
      const at = Math.round(minute / TICK_MINUTES) * TICK_MINUTES;
      return { track, at: Math.min(Math.max(at, from + Math.max(0, Number(block.dataset.shift))), until - TICK_MINUTES) };
    },
    marked: (aim) => {
      root.querySelectorAll(".board-track--aim").forEach((each) => each.classList.toggle("board-track--aim", each === aim?.track));
      aim?.track.classList.add("board-track--aim");
      return aim && `${clockOf(aim.at)}, ${rowOf(aim.track).querySelector("h4").textContent}`;
    },
    dropped: ({ link, block }, { track, at }) => {
      const fields = { day: area().dataset.date, at: clockOf(at - Number(block.dataset.shift)), with: rowOf(track).dataset.row };
      panel.preview(link, block.dataset.version, fields);
    },
    released: ({ block }) => block.classList.remove("visit--moving"),
  });
};
