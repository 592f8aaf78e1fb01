// Makes what a page shows like a newer snapshot of it, and touches only what differs: a control that has the focus keeps it, a field that
// somebody fills in keeps what they typed, and what they opened stays open.
//
// An element is the same as before if it has the same data-id, or id; without one, if it is the next of its kind. What the snapshot marks
// by data-kept is shown already and was not sent again.

const keyOf = (node) => node.dataset?.id || node.id || "";
const isSame = (one, other) => one.nodeName === other.nodeName && keyOf(one) === keyOf(other);

const mergeAttributes = (old, fresh) => {
  for (const { name } of [...old.attributes]) {
    const stays = name === "open" && old.nodeName === "DETAILS";
    if (!stays && !fresh.hasAttribute(name)) {
      old.removeAttribute(name);
    }
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value) {
      old.setAttribute(name, value);
    }
  }
};

const findSame = (from, wanted) => {
  let node = from;
  while (node && !isSame(node, wanted)) {
    node = node.nextSibling;
  }
  return node;
};

const mergeChildren = (old, fresh) => {
  let place = old.firstChild;
  for (const wanted of [...fresh.childNodes]) {
    const same = findSame(place, wanted);
    if (!same) {
      old.insertBefore(document.adoptNode(wanted), place);
      continue;
    }
    if (same === place) {
      place = place.nextSibling;
    } else {
      old.insertBefore(same, place);
    }
    mergeNode(same, wanted);
  }
  while (place) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
};

const mergeNode = (old, fresh) => {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== fresh.data) {
      old.data = fresh.data;
    }
  } else if (!("kept" in fresh.dataset)) {
    mergeAttributes(old, fresh);
    mergeChildren(old, fresh);
  }
};

// Without a focused element that is still there, the browser goes on with Tab from where the focused one was.
export const merge = (old, fresh) => {
  const focused = document.activeElement;
  mergeNode(old, fresh);
  if (focused?.isConnected && document.activeElement !== focused) {
    focused.focus({ preventScroll: true });
  }
};
