// Keeps the telephone fresh: asks for the page again every two seconds, and shows what is new without moving the reader.
// Without this script the page loads itself again now and then.

const EVERY_MILLISECONDS = 2000;
const screen = document.getElementById("fresh");
const news = document.getElementById("news");

const look = async () => {
  const answer = await fetch(location.pathname, { headers: { Accept: "text/html" }, redirect: "error" });
  if (!answer.ok) {
    return;
  }
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("fresh");
  if (fresh === null || fresh.innerHTML === screen.innerHTML) {
    return;
  }
  const had = screen.querySelectorAll("li").length;
  const focused = document.activeElement?.getAttribute("href");
  screen.replaceChildren(...fresh.childNodes);
  if (focused) {
    screen.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  }
  if (screen.querySelectorAll("li").length > had) {
    news.textContent = "A new message has come.";
  }
};

const again = async () => {
  if (!document.hidden) {
    await look().catch(() => {});
  }
  setTimeout(again, EVERY_MILLISECONDS);
};

setTimeout(again, EVERY_MILLISECONDS);
