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
    // What was chosen besides stays chosen.
    for (const [name, value] of new FormData(search)) {
      if (name !== "q") address.searchParams.append(name, value);
    }
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

// Operations of one page that do not fit are put out of sight; what was ticked in them is sent all the same.
const filter = document.querySelector("input[data-filter]");
if (filter) {
  const rows = [...document.querySelectorAll(`#${filter.dataset.filter} [data-row]`)];
  const count = document.getElementById(`${filter.dataset.filter}-count`);
  filter.addEventListener("input", () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of rows) row.hidden = !words.every((word) => row.dataset.row.includes(word));
    if (count) count.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} on this page fit. Press Enter to look through all.`;
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

// What somebody tries tells how it gets on while it is under way. Without this the same form shows it on the next page.
const LIVE = "application/x-portreeve-live";
document.addEventListener("submit", async (event) => {
  const form = event.target;
  const place = form.closest?.("[data-live]");
  const live = document.getElementById("live");
  if (!place || !live || form.method !== "post") return;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(form));
  if (event.submitter?.name) body.set(event.submitter.name, event.submitter.value);
  const buttons = place.querySelectorAll("button");
  for (const button of buttons) button.disabled = true;
  const told = document.getElementById("live-told");
  const state = document.getElementById("live-state");
  told.replaceChildren();
  state.textContent = "It was asked.";
  live.hidden = false;
  live.scrollIntoView({ block: "nearest" });
  let whole = "";
  try {
    const answer = await fetch(form.action, { method: "POST", body, headers: { accept: LIVE }, credentials: "same-origin" });
    if (answer.headers.get("content-type") === LIVE) {
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let page = false;
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        whole += value;
        while (!page) {
          const end = whole.indexOf("\n");
          if (end < 0) break;
          const line = whole.slice(0, end);
          whole = whole.slice(end + 1);
          if (line === "=") page = true;
          else {
            const item = document.createElement("li");
            item.textContent = line.slice(2);
            told.append(item);
            state.textContent = "It is under way.";
          }
        }
      }
      if (!page) throw new Error("it ended early");
    } else {
      whole = await answer.text();
    }
    const next = new DOMParser().parseFromString(whole, "text/html").getElementById("main");
    if (!next) throw new Error("no page");
    const lines = [...told.children];
    document.getElementById("main").replaceWith(next);
    // What was told stays to be read.
    if (lines.length && next.querySelector("#live")) {
      next.querySelector("#live-told").replaceChildren(...lines);
      next.querySelector("#live-state").textContent = "It has ended.";
      next.querySelector("#live").hidden = false;
    }
    next.focus();
    say("The answer is here.");
  } catch {
    // Sending it again might do it twice.
    state.textContent = "The answer was lost. What was asked may have been done all the same: look before you try again.";
    for (const button of buttons) button.disabled = false;
  }
});

// What the server says of itself, seen from where a host would stand: over the network, without a credential.
const probe = document.querySelector("[data-probe]");
if (probe) {
  const tell = (text) => { probe.textContent = text; probe.hidden = false; };
  fetch(probe.dataset.probe, { credentials: "omit" })
    .then(async (answer) => {
      const servers = answer.ok ? (await answer.json()).servers : undefined;
      tell(Array.isArray(servers)
        ? `Your browser asked for it too, and got ${answer.status} with a list of servers.`
        : `Your browser asked for it too, and got ${answer.status}. Something between it and Portreeve answers differently.`);
    })
    .catch(() => tell("Your browser could not ask for it: this page was opened under another address than hosts use, or that address does not lead here."));
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
