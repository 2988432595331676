// What the servers of the tests are known to answer, the registry itself among them. Every client script checks the same things.

/** Fails the script with a reason; the caller prints it and exits 1. */
export function must(condition, reason) {
  if (!condition) throw new Error(reason);
}

function textOf(result) {
  return (result.content ?? []).map((part) => part.text ?? "").join("");
}

export const servers = {
  demo: {
    tools: ["list_ships", "release_mooring", "inspect_cargo"],
    fast: {
      name: "list_ships",
      arguments: { quay: "south" },
      check(result) {
        const ships = result.structuredContent?.ships?.map((ship) => ship.name).join();
        must(ships === "Cormorant,Dorothea", `list_ships answered \`${JSON.stringify(result)}\``);
      },
    },
    slow: {
      name: "inspect_cargo",
      arguments: { seconds: 2 },
      check: (result) => must(textOf(result).includes("cargo and papers agree"), "inspect_cargo did not report"),
    },
    resource: { uri: "port://tides/today", includes: "high 3.9 m" },
    prompt: { name: "arrival_briefing", arguments: { ship: "Aurelia" }, includes: "master of the Aurelia" },
  },
  registry: {
    tools: ["registry_search", "registry_fetch"],
    fast: {
      name: "registry_search",
      arguments: { query: "port" },
      check(result) {
        const names = result.structuredContent?.servers?.map((server) => server.name) ?? [];
        must(names.some((name) => name.endsWith("/port")), `registry_search answered \`${JSON.stringify(result)}\``);
      },
    },
  },
  fixture: {
    tools: ["test_simple_text", "test_tool_with_progress"],
    fast: {
      name: "test_simple_text",
      arguments: {},
      check: (result) => must(textOf(result).includes("simple text response"), "test_simple_text said something else"),
    },
    // It takes a tenth of a second: that its progress comes at all, and three times, is all that is asked.
    slow: {
      name: "test_tool_with_progress",
      arguments: {},
      lead: 0,
      check: (result) => must(textOf(result).includes("three steps"), "test_tool_with_progress did not report"),
    },
    resource: { uri: "test://static-text", includes: "static text resource" },
    prompt: { name: "test_prompt_with_arguments", arguments: { arg1: "a", arg2: "Ishmael" }, includes: "Ishmael" },
  },
  everything: {
    tools: ["echo", "trigger-long-running-operation"],
    fast: {
      name: "echo",
      arguments: { message: "all hands" },
      check: (result) => must(textOf(result).includes("all hands"), `echo answered \`${JSON.stringify(result)}\``),
    },
    slow: {
      name: "trigger-long-running-operation",
      arguments: { duration: 2, steps: 4 },
      check: (result) => must(textOf(result).includes("completed"), "the long running operation did not report"),
    },
  },
};

/** Reads `--name value` pairs. */
export function options(defaults) {
  const given = { ...defaults };
  const words = process.argv.slice(2);
  while (words.length > 0) {
    const name = words.shift().replace(/^--/, "");
    must(name in defaults, `unknown option \`--${name}\``);
    given[name] = words.shift();
  }
  must(given.url, "`--url` is missing");
  must(servers[given.server], `\`--server\` is one of ${Object.keys(servers).join(", ")}`);
  return given;
}

/** Runs a script and turns its outcome into one line and an exit code. */
export async function run(label, work) {
  const watchdog = setTimeout(() => {
    console.error(`${label}: gave up after 60 s`);
    process.exit(1);
  }, 60_000);
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
