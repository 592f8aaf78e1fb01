// A kiosk: pages are asked for from here, so that it can say in words of its own that it has no connection, and try the very same again.
// It goes back to its start by itself when nobody has touched it for a while, and at its start looks once a minute whether it can be used.

const IDLE_MILLISECONDS = 60000;
const WARNED_MILLISECONDS = 20000;
const ANSWER_MILLISECONDS_MAX = 15000;
const AGAIN_MILLISECONDS = 5000;
const AGAIN_TIMES_MAX = 12;
const CODE_LENGTH = 6;
const GROUP = 3;
const body = document.body;
const { start, station } = body.dataset;
let asking = false;
let last = { address: start };
let failed = 0;
let timer = 0;

const isAtStart = () => "atStart" in body.dataset;

const show = (name, visible) => {
  for (const each of document.querySelectorAll(`[data-${name}]`)) {
    each.hidden = !visible;
  }
};

const goToStart = () => go({ address: start });

// At the start nobody is asked whether they are still there: it is shown anew, in its first language, as long as it can be had.
const touched = () => {
  if (failed) {
    return;
  }
  clearTimeout(timer);
  show("still", false);
  timer = isAtStart() ? setTimeout(goToStart, IDLE_MILLISECONDS) : setTimeout(warn, IDLE_MILLISECONDS - WARNED_MILLISECONDS);
};

const warn = () => {
  show("still", true);
  document.querySelector("[data-more-time]").focus();
  timer = setTimeout(goToStart, WARNED_MILLISECONDS);
};

// The very same is asked again for a minute, so that nobody loses a ticket whose number did not arrive; after that, only the start.
const away = () => {
  failed += 1;
  clearTimeout(timer);
  show("still", false);
  show("page", false);
  show("away", true);
  document.querySelector("[data-again]").focus();
  timer = setTimeout(() => (failed < AGAIN_TIMES_MAX ? go(last) : goToStart()), AGAIN_MILLISECONDS);
};

const put = (text) => {
  const next = new DOMParser().parseFromString(text, "text/html");
  if (!next.body.matches("[data-kiosk]")) {
    throw new Error("not a kiosk's page");
  }
  document.title = next.title;
  document.documentElement.lang = next.documentElement.lang;
  body.toggleAttribute("data-at-start", next.body.hasAttribute("data-at-start"));
  body.replaceChildren(...next.body.children);
  failed = 0;
  begin();
};

// What is asked with a form may be asked again: the form's own key has it done once.
const go = async (request) => {
  if (asking) {
    return;
  }
  asking = true;
  last = request;
  clearTimeout(timer);
  body.setAttribute("aria-busy", "true");
  try {
    const signal = AbortSignal.timeout(ANSWER_MILLISECONDS_MAX);
    const answer = await fetch(request.address, { method: request.form ? "POST" : "GET", body: request.form, signal });
    if (answer.redirected && new URL(answer.url).pathname === station) {
      location.replace(station);
      return;
    }
    put(await answer.text());
  } catch {
    away();
  } finally {
    asking = false;
    body.removeAttribute("aria-busy");
  }
};

const grouped = (text) => {
  const plain = text.toUpperCase().replaceAll(/[^A-Z0-9]/g, "").slice(0, CODE_LENGTH);
  return plain.length > GROUP ? `${plain.slice(0, GROUP)} ${plain.slice(GROUP)}` : plain;
};

const begin = () => {
  show("keys", true);
  const code = document.querySelector("[data-code]");
  if (code) {
    code.inputMode = "none";
    code.focus();
  } else if (!isAtStart()) {
    document.querySelector("h1").focus();
  }
  scrollTo(0, 0);
  touched();
};

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href]");
  const key = event.target.closest("[data-key], [data-delete]");
  if (link && !link.matches(".skip")) {
    event.preventDefault();
    go({ address: link.href });
  } else if (key) {
    const code = document.querySelector("[data-code]");
    code.value = grouped(key.dataset.key ? code.value + key.dataset.key : code.value.trimEnd().slice(0, -1));
  } else if (event.target.closest("[data-again]")) {
    go(last);
  }
});
document.addEventListener("submit", (event) => {
  event.preventDefault();
  go({ address: event.target.action, form: new URLSearchParams(new FormData(event.target)) });
});
document.addEventListener("input", (event) => {
  if (event.target.matches("[data-code]")) {
    event.target.value = grouped(event.target.value);
  }
});
for (const each of ["pointerdown", "keydown", "input"]) {
  document.addEventListener(each, touched);
}
// A page that the browser would bring back from its memory may be somebody else's.
addEventListener("pageshow", (event) => event.persisted && location.replace(start));
document.addEventListener("contextmenu", (event) => event.preventDefault());
addEventListener("offline", () => isAtStart() && away());
addEventListener("online", () => failed && go(last));
begin();
