// Which control has the focus, and whether a person can see that.
() => {
  const element = document.activeElement;
  if (!element || element === document.body) return { name: "", problem: "" };
  const style = getComputedStyle(element);
  const box = element.getBoundingClientRect();
  const within = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  const label = element.labels?.[0]?.textContent ?? "";
  const name = (label || element.getAttribute("aria-label") || element.textContent || "").replace(/\s+/g, " ").trim();
  const problem = !outlined ? "2.4.7: no visible focus" : !within ? "2.4.11: the focus is out of sight" : "";
  return { name, problem: problem && `${problem} on "${name}"` };
}
