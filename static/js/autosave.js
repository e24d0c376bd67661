// Keeps a draft while it is written. Without this file the buttons do the same; nothing else depends on it.
const form = document.querySelector("form[data-autosave]");
const status = form?.querySelector("[data-autosave-status]");
const QUIET = 4000;
let timer = 0;
let running = false;
let again = false;

async function save() {
  if (running) {
    again = true;
    return;
  }
  running = true;
  const body = new FormData(form);
  body.set("act", "autosave");
  try {
    const answer = await fetch(form.action || location.href, {method: "POST", body, credentials: "same-origin"});
    const said = (answer.headers.get("content-type") || "").includes("json") ? await answer.json() : null;
    if (said?.saved) {
      form.elements.revision.value = said.revision;
      removeEventListener("beforeunload", warn);
    }
    if (said) status.textContent = said.message;
  } catch {
    // The network is away: what was typed stays in the form, and the next change tries again.
  }
  running = false;
  if (again) {
    again = false;
    save();
  }
}

function warn(event) {
  event.preventDefault();
}

if (form && status) {
  form.addEventListener("input", () => {
    addEventListener("beforeunload", warn);
    clearTimeout(timer);
    timer = setTimeout(save, QUIET);
  });
  form.addEventListener("submit", () => {
    clearTimeout(timer);
    removeEventListener("beforeunload", warn);
  });
}
