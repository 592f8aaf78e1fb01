// A code that stands behind the "#" of the address, where no server sees it, is put into the form.

const typed = decodeURIComponent(location.hash.slice(1));
if (typed) {
  document.querySelector("#code").value = typed;
  history.replaceState(null, "", location.pathname);
}
