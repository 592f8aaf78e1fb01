// Dragging with the mouse on a wide page. What is held is followed by a ghost that says where it would go; nothing is done before it is let
// go there. Escape and a lost pointer put it back, and the click that ends a drag opens nothing.

const FAR_PIXELS = 6;
const BESIDE_PIXELS = 12;

// A page says what it drags:
//   ghost               the class of what follows the pointer
//   hold(event)         what somebody takes hold of there, an object; null where nothing can be dragged
//   lifted(held)        it is marked as being dragged
//   aimed(event, held)  where it would go, or null
//   marked(aim)         that place alone is marked, and its words are given; none is without an aim
//   dropped(held, aim)  it was let go there
//   released(held)      it is as it was
export const dragging = (root, page) => {
  const isWide = matchMedia("(min-width: 48rem)");
  let held = null;
  let from = null;
  let ghost = null;
  let suppressed = false;

  const release = () => {
    ghost?.remove();
    if (held) {
      page.marked(null);
      page.released(held);
    }
    held = null;
    ghost = null;
  };
  const lift = () => {
    ghost = document.createElement("div");
    ghost.className = page.ghost;
    page.lifted(held);
    document.body.append(ghost);
  };
  const follow = (event) => {
    ghost.textContent = page.marked(page.aimed(event, held)) ?? "Not here";
    ghost.style.left = `${event.clientX + BESIDE_PIXELS}px`;
    ghost.style.top = `${event.clientY + BESIDE_PIXELS}px`;
  };

  root.addEventListener("dragstart", (event) => event.preventDefault());
  root.addEventListener("pointerdown", (event) => {
    suppressed = false;
    if ("moves" in root.dataset && isWide.matches && event.button === 0 && event.pointerType !== "touch") {
      held = page.hold(event);
      from = { x: event.clientX, y: event.clientY };
    }
  });
  addEventListener("pointermove", (event) => {
    if (held && !ghost && Math.hypot(event.clientX - from.x, event.clientY - from.y) > FAR_PIXELS) {
      lift();
    }
    if (ghost) {
      follow(event);
    }
  });
  addEventListener("pointerup", (event) => {
    const aim = ghost && page.aimed(event, held);
    suppressed = Boolean(ghost);
    if (aim) {
      page.dropped(held, aim);
    }
    release();
  });
  addEventListener("pointercancel", release);
  addEventListener("keydown", (event) => event.key === "Escape" && release());
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
