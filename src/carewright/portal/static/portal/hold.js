// The time that is left of a hold, counted down for the eye every second and told to a screen reader only now and then.
// The page says the same without this script, as of the moment it was loaded.

const SAID_AT_SECONDS = [300, 120, 60, 30];
const box = document.getElementById("left");

if (box) {
  const endsAt = Date.now() + Number(box.dataset.seconds) * 1000;
  const words = box.querySelector("[data-left]");
  const over = box.querySelector("[data-over]");
  const said = box.querySelector("[data-said]");
  const until = words.querySelector("strong").textContent;
  const waiting = SAID_AT_SECONDS.filter((at) => at < Number(box.dataset.seconds));

  const inWords = (seconds) => {
    const minutes = Math.floor(seconds / 60);
    if (minutes >= 1) {
      return minutes === 1 ? "1 minute" : `${minutes} minutes`;
    }
    return `${seconds} seconds`;
  };

  const show = () => {
    const seconds = Math.max(0, Math.round((endsAt - Date.now()) / 1000));
    const clock = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    words.querySelector("[data-clock]").textContent = clock;
    box.classList.toggle("kept--short", seconds <= 60);
    if (waiting.length && seconds <= waiting[0]) {
      while (waiting.length && seconds <= waiting[0]) {
        waiting.shift();
      }
      said.textContent = seconds > 0 ? `We keep this time for you for another ${inWords(seconds)}.` : "";
    }
    if (seconds === 0) {
      clearInterval(ticking);
      words.hidden = true;
      over.hidden = false;
      said.textContent = over.textContent;
    }
  };

  words.replaceChildren();
  const strong = document.createElement("strong");
  strong.textContent = until;
  const clock = document.createElement("strong");
  clock.dataset.clock = "";
  clock.className = "kept__clock";
  words.append("We keep this time for you until ", strong, ". Time left: ", clock);
  const ticking = setInterval(show, 1000);
  show();
  // A device that slept, or a page out of the browser's memory, may have missed the end.
  addEventListener("pageshow", (event) => event.persisted && location.reload());
}
