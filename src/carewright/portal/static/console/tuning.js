// A search that runs, kept up: how far it is, and at last what it found. What is typed into the form below stays.

const AGAIN_MILLISECONDS = 2000;
const SEARCHES = "[data-searches]";

const look = async () => {
  const answer = await fetch(location.href, { headers: { accept: "text/html" } });
  if (answer.ok) {
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector(SEARCHES);
    if (fresh?.querySelector("[data-running]")) {
      document.querySelector(SEARCHES).replaceWith(fresh);
      setTimeout(look, AGAIN_MILLISECONDS);
    } else if (fresh) {
      document.querySelector(SEARCHES).replaceWith(fresh);
      document.querySelector("form [type=submit][disabled]")?.removeAttribute("disabled");
      document.querySelector("[data-one-runs]")?.remove();
    }
  } else {
    setTimeout(look, AGAIN_MILLISECONDS);
  }
};

setTimeout(look, AGAIN_MILLISECONDS);
