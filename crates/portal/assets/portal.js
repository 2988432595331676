// Comforts on top of pages that work without them: results while typing, progress that moves, copy buttons.

const status = document.getElementById("status");
const say = (text) => { if (status) status.textContent = text; };

const search = document.querySelector("form[data-search]");
const results = document.getElementById("results");
if (search && results) {
  const input = search.elements.q;
  const count = document.getElementById("count");
  let timer;
  let running;
  let shown = input.value.trim();

  const look = async () => {
    const wanted = input.value.trim();
    if (wanted === shown) return;
    running?.abort();
    running = new AbortController();
    results.setAttribute("aria-busy", "true");
    const address = new URL(search.action);
    if (wanted) address.searchParams.set("q", wanted);
    const part = new URL(address);
    part.searchParams.set("part", "results");
    try {
      const answer = await fetch(part, { signal: running.signal, credentials: "same-origin" });
      if (!answer.ok) throw new Error(String(answer.status));
      results.innerHTML = await answer.text();
      count.textContent = results.firstElementChild?.dataset.count ?? "";
      shown = wanted;
      history.replaceState(null, "", address);
      results.removeAttribute("aria-busy");
    } catch (problem) {
      if (problem.name === "AbortError") return;
      // The plain form still works, and shows the page that explains what is wrong.
      results.removeAttribute("aria-busy");
      count.textContent = "The search did not answer. Press Enter to try again.";
    }
  };

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(look, 160);
  });
}

const moving = document.querySelector("[data-poll]");
if (moving) {
  const look = async () => {
    try {
      const answer = await fetch(moving.dataset.poll, { credentials: "same-origin" });
      if (!answer.ok) return;
      moving.innerHTML = await answer.text();
    } catch {
      return;
    }
    // What it noticed stands below: once it has ended, the page is read as a whole.
    if (moving.querySelector("[data-more]")) setTimeout(look, 1500);
    else location.reload();
  };
  setTimeout(look, 1500);
}

if (navigator.clipboard) {
  for (const button of document.querySelectorAll("button[data-copy]")) button.hidden = false;
  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("button[data-copy]");
    const source = button && document.getElementById(button.dataset.copy);
    if (!source) return;
    try {
      await navigator.clipboard.writeText(source.textContent);
      button.textContent = "Copied";
      say("Copied");
    } catch {
      getSelection().selectAllChildren(source);
      button.textContent = "Press Ctrl+C";
      say("The text is selected. Copy it with the keyboard.");
    }
    setTimeout(() => { button.textContent = "Copy"; say(""); }, 2500);
  });
}
