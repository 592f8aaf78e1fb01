// What a machine can see of WCAG 2.2 AA, in the page as it is rendered. Called by accessibility.py.
([contrastMin, largeMin, targetMin, buttonMin]) => {
  const found = [];
  const say = (criterion, element, text) => {
    const words = (element?.textContent || "").replace(/\s+/g, " ").trim().slice(0, 40);
    const what = element ? `<${element.localName}${element.id ? ` id=${element.id}` : ""}> "${words}"` : "";
    found.push(`${criterion}: ${text} ${what}`.trim());
  };
  const all = (selector) => [...document.querySelectorAll(selector)];
  const shown = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && element.getClientRects().length > 0;
  const hiddenForEyes = (element) => element.closest(".only-read, .skip");

  // 3.1.1 language, 2.4.2 title, 1.3.1 landmarks and headings
  if (!document.documentElement.lang) say("3.1.1", null, "the page names no language");
  if (document.title.trim().length < 5) say("2.4.2", null, "the page has no title");
  for (const selector of ["main", "body > header", "body > footer", "h1"]) {
    if (all(selector).length !== 1) say("1.3.1", null, `${all(selector).length} of ${selector}, not one`);
  }
  let level = 0;
  for (const heading of all("h1, h2, h3, h4, h5, h6").filter(shown)) {
    const own = Number(heading.localName[1]);
    if (own > level + 1 && level > 0) say("1.3.1", heading, `heading level jumps from ${level} to ${own}`);
    level = own;
  }
  for (const nav of all("nav")) if (!nav.getAttribute("aria-label")) say("1.3.1", nav, "navigation without a label");
  if (!document.querySelector('a[href="#main"]')) say("2.4.1", null, "no way to skip to the content");
  for (const list of all("ul, ol")) {
    for (const child of list.children) if (child.localName !== "li") say("1.3.1", child, "not a list item within a list");
  }

  // 4.1.2 names, 1.3.1 references, 3.3.2 labels
  const ids = all("[id]").map((element) => element.id);
  for (const id of new Set(ids.filter((id, place) => ids.indexOf(id) !== place))) say("4.1.2", null, `the id ${id} stands twice`);
  for (const attribute of ["aria-labelledby", "aria-describedby", "for", "form"]) {
    for (const element of all(`[${attribute}]`)) {
      for (const id of element.getAttribute(attribute).split(/\s+/)) {
        if (!document.getElementById(id)) say("1.3.1", element, `${attribute} names ${id}, which is not there`);
      }
    }
  }
  for (const field of all("input:not([type=hidden]), select, textarea")) {
    if (!field.labels?.length && !field.getAttribute("aria-label")) say("3.3.2", field, "a field without a label");
    if (field.getAttribute("aria-invalid") === "true" && !field.getAttribute("aria-describedby")) say("3.3.1", field, "a wrong field without its reason");
  }
  for (const control of all("a[href], button, summary")) {
    const name = (control.getAttribute("aria-label") || control.textContent || "").trim() || control.querySelector("img")?.alt;
    if (!name) say("4.1.2", control, "a control without a name");
  }
  for (const image of all("img")) if (!image.hasAttribute("alt")) say("1.1.1", image, "a picture without alt");
  for (const image of all("svg")) if (image.getAttribute("aria-hidden") !== "true") say("1.1.1", image, "a drawing that readers would meet");
  for (const element of all("[tabindex]")) if (element.tabIndex > 0) say("2.4.3", element, "tabindex above 0");
  const names = new Map();
  for (const link of all("a[href]").filter(shown)) {
    const name = link.textContent.replace(/\s+/g, " ").trim();
    if (names.has(name) && names.get(name) !== link.href) say("2.4.4", link, "two links of one name lead to different places");
    names.set(name, link.href);
  }

  // 2.5.8 target size
  for (const control of all("a[href], button, summary, input:not([type=hidden]), select, textarea").filter(shown)) {
    if (hiddenForEyes(control)) continue;
    const box = control.getBoundingClientRect();
    const inline = control.localName === "a" && getComputedStyle(control).display === "inline";
    const least = control.localName === "button" || control.classList.contains("button") ? buttonMin : targetMin;
    if (!inline && (box.height < least - 0.5 || box.width < targetMin)) say("2.5.8", control, `a target of ${Math.round(box.width)} by ${Math.round(box.height)}`);
  }

  // 1.4.3 and 1.4.11 contrast
  const parse = (text) => {
    const numbers = text.match(/[\d.]+/g).map(Number);
    const unit = text.startsWith("color(") ? 255 : 1;
    const [red, green, blue, alpha = 1] = text.startsWith("color(") ? numbers.slice(-(numbers.length > 3 ? 4 : 3)) : numbers;
    return [red * unit, green * unit, blue * unit, alpha];
  };
  const over = (top, bottom) => top.slice(0, 3).map((value, place) => value * top[3] + bottom[place] * (1 - top[3])).concat(1);
  const ground = (element) => {
    const layers = [];
    for (let node = element; node; node = node.parentElement) {
      const layer = parse(getComputedStyle(node).backgroundColor);
      if (layer[3] > 0) layers.push(layer);
      if (layer[3] === 1) break;
    }
    return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255, 1]);
  };
  const luminance = (color) => {
    const [red, green, blue] = color.slice(0, 3).map((value) => value / 255).map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const ratio = (one, other) => {
    const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const seen = new Set();
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || seen.has(element) || !shown(element) || hiddenForEyes(element) || element.localName === "option") continue;
    seen.add(element);
    const style = getComputedStyle(element);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const behind = ground(element);
    const have = ratio(over(parse(style.color), behind), behind);
    if (have < (large ? largeMin : contrastMin)) say("1.4.3", element, `contrast ${have.toFixed(2)}`);
  }
  for (const control of all("input:not([type=hidden]), select, textarea, button, .button").filter(shown)) {
    const style = getComputedStyle(control);
    const outside = ground(control.parentElement);
    const best = Math.max(ratio(parse(style.borderTopColor), outside), ratio(ground(control), outside));
    if (best < 3) say("1.4.11", control, `the control stands out by ${best.toFixed(2)} only`);
  }

  // 1.4.10 reflow
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  if (wide > 0) say("1.4.10", null, `the page is ${wide} px wider than the window of ${innerWidth}`);
  for (const element of all("button, .button, .tag, h1, h2, h3, dd, summary").filter(shown)) {
    if (element.scrollWidth > element.clientWidth + 1 && !hiddenForEyes(element)) say("1.4.10", element, "its text does not fit");
  }
  return found;
}
