// Shows the note about local time where this device keeps another time zone than the hospital. The note is in the page, hidden.

const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
const offset = (zone) => new Date().toLocaleString("en-US", { timeZone: zone, timeZoneName: "longOffset" }).split(" ").pop();

for (const note of document.querySelectorAll("[data-zone]")) {
  try {
    note.hidden = offset(note.dataset.zone) === offset(here);
  } catch {
    note.hidden = true;
  }
}
