// Finding anything from any page by keyboard: Ctrl+K or Cmd+K, the key / where the browser has not turned it off, or the link in the menu.
// A combobox with a list (ARIA Authoring Practices, "Editable Combobox With List Autocomplete"). What is typed is posted, and what comes
// are the links of the page that does the same without this script.

const WAIT_MILLISECONDS = 250;
const AGAIN_SECONDS_MAX = 30;
const BUSY = "There is much to do just now. It is tried again in a moment.";
const AWAY = "It cannot be reached just now. It is tried again in a moment.";
const link = document.querySelector("[data-find]");
const address = link.getAttribute("href");
let open = null;

const read = async (answer) => new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-palette]");

// Answers the search as the server shows it; says why there is none by a number of seconds to wait, or goes where somebody signs in.
const ask = async (body, signal) => {
  const answer = await fetch(address, { method: body ? "POST" : "GET", body, signal, headers: { Accept: "text/html" }, redirect: "manual" });
  if (answer.type === "opaqueredirect") {
    location.assign(address);
    return { wait: AGAIN_SECONDS_MAX };
  }
  const found = answer.ok ? await read(answer) : null;
  return found ? { found } : { wait: Math.min(Number(answer.headers.get("Retry-After")) || 2, AGAIN_SECONDS_MAX) };
};

class Palette {
  constructor(dialog, page) {
    this.dialog = dialog;
    this.input = page.querySelector("input[name=words]");
    this.said = page.querySelector("[data-said]");
    this.token = page.querySelector("input[name=form_token]").value;
    this.list = document.createElement("div");
    this.asking = null;
    this.later = 0;
    this.build(page);
  }

  build(page) {
    const found = page.querySelector("[data-found]");
    this.list.id = "palette-list";
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", "Found");
    this.input.setAttribute("role", "combobox");
    this.input.setAttribute("aria-autocomplete", "list");
    this.input.setAttribute("aria-controls", this.list.id);
    this.input.setAttribute("aria-expanded", "false");
    page.querySelector(".actions").remove();
    this.show(found, false);
    found.replaceWith(this.list);
    const close = document.createElement("button");
    close.type = "button";
    close.className = "button button--quiet";
    close.textContent = "Close";
    close.addEventListener("click", () => this.dialog.close());
    this.dialog.append(page, close);
    page.querySelector("form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.go();
    });
    this.input.addEventListener("input", () => this.soon(WAIT_MILLISECONDS));
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.list.addEventListener("click", (event) => this.follow(event.target.closest("[role=option]")));
  }

  options() {
    return [...this.list.querySelectorAll("[role=option]")];
  }

  // The links of the page, as options in their groups.
  show(found, isAnswer) {
    let number = 0;
    const groups = [...found.querySelectorAll("section")].map((section) => {
      const group = document.createElement("div");
      const title = document.createElement("p");
      number += 1;
      title.id = `palette-group-${number}`;
      title.className = "palette-title";
      title.textContent = section.querySelector("h2").textContent;
      group.setAttribute("role", "group");
      group.setAttribute("aria-labelledby", title.id);
      group.append(title);
      for (const each of section.querySelectorAll("a")) {
        const option = document.createElement("div");
        number += 1;
        option.id = `palette-option-${number}`;
        option.className = "palette-hit";
        option.setAttribute("role", "option");
        option.setAttribute("aria-selected", "false");
        option.dataset.href = each.getAttribute("href");
        option.append(...each.childNodes);
        group.append(option);
      }
      return group;
    });
    this.list.replaceChildren(...groups);
    this.input.setAttribute("aria-expanded", String(groups.length > 0));
    this.choose(isAnswer ? this.options()[0] : undefined);
  }

  choose(option) {
    this.options().forEach((each) => each.setAttribute("aria-selected", String(each === option)));
    if (option) {
      this.input.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    } else {
      this.input.removeAttribute("aria-activedescendant");
    }
  }

  chosen() {
    return this.list.querySelector("[aria-selected=true]");
  }

  key(event) {
    const all = this.options();
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && all.length) {
      event.preventDefault();
      const at = all.indexOf(this.chosen());
      this.choose(all[at < 0 && step < 0 ? all.length - 1 : (at + step + all.length) % all.length]);
    }
  }

  follow(option) {
    if (option) {
      location.assign(option.dataset.href);
    }
  }

  // Enter before the answer has come looks at once; what stands there was found by other words.
  go() {
    if (this.asking || this.later) {
      this.soon(0);
    } else {
      this.follow(this.chosen() ?? this.options()[0]);
    }
  }

  soon(milliseconds) {
    this.asking?.abort();
    this.asking = null;
    clearTimeout(this.later);
    this.later = setTimeout(() => this.look(), milliseconds);
  }

  async look() {
    this.later = 0;
    const mine = new AbortController();
    this.asking = mine;
    const body = new URLSearchParams({ form_token: this.token, words: this.input.value });
    try {
      const { found, wait } = await ask(body, mine.signal);
      if (this.asking === mine && found) {
        this.show(found.querySelector("[data-found]"), this.input.value.trim() !== "");
        const count = this.options().length;
        this.said.textContent = found.querySelector("[data-said]").textContent || `${count} found`;
      } else if (this.asking === mine) {
        this.again(BUSY, wait);
      }
    } catch (fault) {
      if (this.asking === mine && fault.name !== "AbortError") {
        this.again(AWAY, 2);
      }
    } finally {
      this.asking = this.asking === mine ? null : this.asking;
    }
  }

  again(text, seconds) {
    this.said.textContent = text;
    if (this.dialog.open) {
      this.later = setTimeout(() => this.look(), seconds * 1000);
    }
  }
}

const start = async () => {
  if (open || document.querySelector("main [data-palette]")) {
    document.querySelector("main [data-palette] input[name=words]")?.focus();
    return;
  }
  const before = document.activeElement;
  open = document.createElement("dialog");
  open.className = "palette-dialog";
  open.setAttribute("aria-label", "Find");
  open.addEventListener("close", () => {
    open.remove();
    open = null;
    before?.focus();
  });
  try {
    const { found } = await ask(null);
    if (!found) {
      location.assign(address);
      return;
    }
    document.body.append(open);
    const palette = new Palette(open, document.adoptNode(found));
    open.showModal();
    palette.input.focus();
  } catch {
    location.assign(address);
  }
};

const isTyping = (target) => target.closest?.("input, textarea, select, [contenteditable]") !== null;

link.addEventListener("click", (event) => {
  if (!event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    start();
  }
});
document.addEventListener("keydown", (event) => {
  const isCommand = (event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k";
  const isSlash = "slash" in link.dataset && event.key === "/" && !event.ctrlKey && !event.metaKey && !isTyping(event.target);
  if (isCommand || isSlash) {
    event.preventDefault();
    start();
  }
});
