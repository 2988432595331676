// What the scripts of this folder share.

/** Fails the script with a reason. */
export function must(condition, reason) {
  if (!condition) throw new Error(reason);
}

/** Reads `--name value` pairs; what has no default must be given. */
export function options(defaults) {
  const given = { ...defaults };
  const words = process.argv.slice(2);
  while (words.length > 0) {
    const name = words.shift().replace(/^--/, "");
    must(name in defaults, `unknown option \`--${name}\``);
    given[name] = words.shift();
  }
  for (const [name, value] of Object.entries(given)) must(value !== undefined, `\`--${name}\` is missing`);
  return given;
}

/** Runs a script and turns its outcome into one line and an exit code. */
export async function run(label, work, seconds = 150) {
  const watchdog = setTimeout(() => {
    console.error(`${label}: gave up after ${seconds} s`);
    process.exit(1);
  }, seconds * 1000);
  try {
    console.log(`${label}: ok, ${await work()}`);
  } catch (error) {
    console.error(`${label}: ${error?.stack ?? error}`);
    process.exitCode = 1;
  } finally {
    clearTimeout(watchdog);
  }
  process.exit();
}

/** What the management API of a Portreeve answers its administrator. */
export async function api(origin, path, { method = "GET", body } = {}) {
  const headers = { authorization: `Bearer ${process.env.PORTREEVE_KEY}`, "content-type": "application/json" };
  const answer = await fetch(`${origin}/api/v1${path}`, { method, headers, body: body && JSON.stringify(body) });
  const text = await answer.text();
  must(answer.ok, `${method} ${path} answered ${answer.status}: ${text}`);
  return text ? JSON.parse(text) : undefined;
}

/** Waits until the audit log holds an event of this action that says all of it. */
export async function noted(origin, action, ...words) {
  let seen = [];
  const isNoted = async () => {
    seen = (await api(origin, `/audit?action=${action}&limit=200`)).items.map((event) => JSON.stringify(event));
    return seen.some((event) => words.every((word) => event.includes(word)));
  };
  await until("it is noted", isNoted).catch((error) => {
    const told = `${seen.length} events \`${action}\`: ${seen.slice(0, 3).join("\n")}`;
    throw new Error(`\`${words.join(" ")}\` is nowhere among ${told} (${error.message})`);
  });
}

/** Asks again and again until there is an answer. */
export async function until(what, asked, seconds = 60) {
  const begun = performance.now();
  let last;
  do {
    try {
      const found = await asked();
      if (found) return found;
      last = undefined;
    } catch (error) {
      last = error;
    }
    await sleep(50);
  } while (performance.now() - begun < seconds * 1000);
  throw new Error(`never: ${what}${last ? ` (${last.message})` : ""}`);
}

export function sleep(milliseconds) {
  return new Promise((done) => setTimeout(done, milliseconds));
}

/** A call as hosts of 2025-06-18 and later send it, without a session; the answer tells whether a credential is taken. */
export async function asked(endpoint, token) {
  return await fetch(endpoint, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": "tools/list",
      ...(token && { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      method: "tools/list",
      params: {
        _meta: { "io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {} },
      },
    }),
  });
}
