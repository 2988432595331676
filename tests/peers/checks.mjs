// What every TypeScript client does with a server: list, call, follow a slow call, read, and call what does not exist.
import { must } from "./expectations.mjs";

/** How long before its result a slow call must show its first progress, unless the server is quicker. */
const LEAST_LEAD_MS = 400;

/** Runs all of it. Answers how many milliseconds before its result the slow call showed its first progress. */
export async function check(client, expected) {
  await lists(client, expected);
  expected.fast.check(await client.callTool({ name: expected.fast.name, arguments: expected.fast.arguments }));
  const lead = await slowCall(client, expected);
  await others(client, expected);
  await unknownTool(client);
  return lead;
}

async function lists(client, expected) {
  const { tools } = await client.listTools();
  const names = tools.map((tool) => tool.name);
  for (const name of expected.tools) must(names.includes(name), `no tool \`${name}\` among \`${names}\``);
}

/** Calls the slow tool; the first progress must arrive well before the result does. */
async function slowCall(client, expected) {
  let first;
  let count = 0;
  const onprogress = () => {
    first ??= performance.now();
    count += 1;
  };
  const { name, arguments: args, check, lead: least = LEAST_LEAD_MS } = expected.slow;
  check(await client.callTool({ name, arguments: args }, { onprogress }));
  must(first !== undefined, `no progress came from \`${name}\``);
  must(count >= 3, `only ${count} progress notifications came from \`${name}\``);
  const lead = Math.round(performance.now() - first);
  must(lead >= least, `the first progress of \`${name}\` came ${lead} ms before its result: the stream is held back`);
  return lead;
}

async function others(client, expected) {
  if (expected.resource) {
    const { contents } = await client.readResource({ uri: expected.resource.uri });
    must(contents[0]?.text?.includes(expected.resource.includes), `the resource says \`${JSON.stringify(contents)}\``);
  }
  if (expected.prompt) {
    const { name, arguments: args, includes } = expected.prompt;
    const { messages } = await client.getPrompt({ name, arguments: args });
    must(messages[0]?.content?.text?.includes(includes), `the prompt says \`${JSON.stringify(messages)}\``);
  }
}

/** A tool that does not exist is refused, whichever way the server words it. */
async function unknownTool(client) {
  let refused;
  try {
    refused = (await client.callTool({ name: "no-such-tool", arguments: {} })).isError === true;
  } catch {
    refused = true;
  }
  must(refused, "a call of a tool that does not exist succeeded");
}
