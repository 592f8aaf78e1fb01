// Passkeys: has the browser make or use one, and sends what it answers as the page's form. Without this script, and in a browser that makes
// none here, the forms stay hidden and the page works as before.

const able = isSecureContext && typeof PublicKeyCredential === "function" && "parseCreationOptionsFromJSON" in PublicKeyCredential;

// What is to be signed goes from the server into the browser's own parser, and nowhere else.
const make = async (answer) =>
  navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(await answer.json()) });
const use = async (answer) =>
  navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(await answer.json()) });

const send = async (form, said) => {
  const asked = await fetch(form.dataset.begin, { method: "POST", body: new URLSearchParams(new FormData(form)), redirect: "error" }).catch(() => null);
  if (asked?.ok) {
    said.textContent = said.dataset.waiting;
    form.elements.credential.value = JSON.stringify(await (form.dataset.passkey === "make" ? make : use)(asked));
  }
  // A form without an answer in it is one that the server refuses, on a page that says why.
  form.submit();
};

for (const place of able ? document.querySelectorAll("[data-passkeys]") : []) {
  if (place.dataset.passkeys !== location.origin) {
    continue;
  }
  const form = place.querySelector("form");
  const button = form.querySelector("button");
  const said = form.querySelector("[role=status]");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (button.ariaDisabled === "true") {
      return;
    }
    button.ariaDisabled = "true";
    send(form, said).catch((fault) => {
      button.ariaDisabled = null;
      said.textContent = (fault.name === "InvalidStateError" && said.dataset.known) || said.dataset.stopped;
    });
  });
  place.hidden = false;
  document.querySelector("[data-passkeys-unable]")?.remove();
}
