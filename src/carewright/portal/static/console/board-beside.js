// An appointment beside the board: the page of one, shown without leaving. Its forms are sent from there; without this script links and
// forms lead to the page itself.

const HEADERS = { Accept: "text/html" };

export const beside = (root) => {
  const dialog = root.querySelector("[data-beside]");
  let shown = "";
  let from = null;

  const close = () => {
    dialog.close();
    dialog.replaceChildren();
    shown = "";
    if (from?.isConnected) {
      from.focus();
    }
  };

  const button = () => {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "button button--quiet";
    made.textContent = "Close";
    made.addEventListener("click", close);
    return made;
  };

  // Where an answer has no appointment (somebody is signed out, or the server is busy), the page itself says what the matter is.
  const show = async (answer, address) => {
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const panel = page.querySelector("[data-panel]");
    if (!panel) {
      location.assign(address);
      return;
    }
    dialog.replaceChildren(document.adoptNode(panel), button());
    shown = panel.dataset.panel;
    dialog.dataset.version = panel.dataset.version;
    if (!dialog.open) {
      dialog.show();
    }
    const title = document.createElement("h2"); // the page's own stays the first
    const old = dialog.querySelector("h1");
    title.append(...old.childNodes);
    title.tabIndex = -1;
    old.replaceWith(title);
    title.focus();
  };

  const get = async (address) => {
    try {
      await show(await fetch(address, { headers: HEADERS }), address);
    } catch {
      location.assign(address);
    }
  };

  const post = async (address, fields, page) => {
    try {
      const body = new URLSearchParams(fields);
      await show(await fetch(address, { method: "POST", headers: HEADERS, body }), page);
    } catch {
      location.assign(page);
    }
  };

  const pageOf = (id) => `/staff/board/visits/${id}`;

  root.addEventListener("click", (event) => {
    const link = event.target.closest("[data-track] > [data-id] > a, [data-panel] a[data-visit]");
    if (link && !event.defaultPrevented && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      from = link.closest("[data-track]") ? link : from;
      get(link.href);
    }
  });
  dialog.addEventListener("submit", (event) => {
    event.preventDefault();
    const form = event.target;
    post(form.getAttribute("action"), new FormData(form, event.submitter), pageOf(shown));
  });
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      close();
    }
  });

  return {
    // Ask what it would meet at another time, or in another row.
    preview: (link, version, fields) => {
      from = link;
      const id = link.parentElement.dataset.id;
      post(`${pageOf(id)}/preview`, { form_token: root.dataset.token, version, ...fields }, pageOf(id));
    },
    // Somebody changed what stands beside: it is shown anew, unless one is just about to change it oneself, and will be told then.
    changed: (id, version) => {
      const isOlder = Number(dialog.dataset.version) < version;
      const isBusy = dialog.querySelector("[data-told]") || dialog.contains(document.activeElement?.closest("form"));
      if (shown === id && isOlder && !isBusy) {
        get(pageOf(id));
      }
    },
  };
};
