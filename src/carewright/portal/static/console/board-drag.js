// Dragging an appointment to another time or row asks what it would meet there; nothing moves before somebody says so. Whoever does not
// drag opens the appointment and fills in its form: the same is asked.

const FAR_PIXELS = 6;
const TICK_MINUTES = 5;
const MOVABLE = ".visit--booked, .visit--pending";

const clockOf = (minute) => `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;

export const dragging = (root, panel) => {
  let held = null;
  let suppressed = false;
  const area = () => root.querySelector("[data-fresh]");
  const isWide = matchMedia("(min-width: 48rem)");

  // The row and the time under the appointment's left edge, if it is over a row.
  const aimed = (event) => {
    const track = document.elementFromPoint(event.clientX, event.clientY)?.closest("[data-row]")?.querySelector("[data-track]");
    if (!track || !root.contains(track)) {
      return null;
    }
    const box = track.getBoundingClientRect();
    const from = Number(area().dataset.from) * 60;
    const until = Number(area().dataset.until) * 60;
    const minute = from + ((event.clientX - held.grip - box.left) / box.width) * (until - from);
    const at = Math.round(minute / TICK_MINUTES) * TICK_MINUTES;
    return { track, at: Math.min(Math.max(at, from + Math.max(0, Number(held.block.dataset.shift))), until - TICK_MINUTES) };
  };

  const drop = () => {
    held?.ghost?.remove();
    held?.block.classList.remove("visit--moving");
    root.querySelectorAll(".board-track--aim").forEach((each) => each.classList.remove("board-track--aim"));
    held = null;
  };

  const begin = () => {
    held.ghost = document.createElement("div");
    held.ghost.className = "board-ghost";
    held.block.classList.add("visit--moving");
    document.body.append(held.ghost);
  };

  const follow = (event) => {
    const aim = aimed(event);
    root.querySelectorAll(".board-track--aim").forEach((each) => each.classList.toggle("board-track--aim", each === aim?.track));
    aim?.track.classList.add("board-track--aim");
    const name = aim?.track.closest("[data-row]").querySelector("h4").textContent;
    held.ghost.textContent = aim ? `${clockOf(aim.at)}, ${name}` : "Not here";
    held.ghost.style.left = `${event.clientX + 12}px`;
    held.ghost.style.top = `${event.clientY + 12}px`;
  };

  root.addEventListener("dragstart", (event) => event.preventDefault());
  root.addEventListener("pointerdown", (event) => {
    const link = event.target.closest("[data-track] > [data-id] > a");
    const block = link?.parentElement;
    suppressed = false;
    if (block && "moves" in root.dataset && isWide.matches && event.button === 0 && event.pointerType !== "touch" && block.matches(MOVABLE)) {
      held = { link, block, x: event.clientX, y: event.clientY, grip: event.clientX - block.getBoundingClientRect().left, ghost: null };
    }
  });
  addEventListener("pointermove", (event) => {
    if (held && !held.ghost && Math.hypot(event.clientX - held.x, event.clientY - held.y) > FAR_PIXELS) {
      begin();
    }
    if (held?.ghost) {
      follow(event);
    }
  });
  addEventListener("pointerup", (event) => {
    const aim = held?.ghost && aimed(event);
    suppressed = Boolean(held?.ghost);
    if (aim) {
      const fields = { day: area().dataset.date, at: clockOf(aim.at - Number(held.block.dataset.shift)), with: aim.track.closest("[data-row]").dataset.row };
      panel.preview(held.link, held.block.dataset.version, fields);
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
};
