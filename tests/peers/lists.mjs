// Whether the official TypeScript client takes a list of tools, all its pages, and compiles each of their schemas.
//
//   PORTREEVE_KEY=... node lists.mjs --url URL --tools 42
//
// In both eras, since each has a list of its own. The number is how many tools an import says that it made.
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { AjvJsonSchemaValidator } from "@modelcontextprotocol/client/validators/ajv";
import { must, options, run } from "./expectations.mjs";

const given = options({ url: undefined, tools: undefined, server: "demo" });
const headers = { authorization: `Bearer ${process.env.PORTREEVE_KEY}` };

await run(`lists ${given.url}`, async () => {
  for (const mode of ["legacy", { pin: "2026-07-28" }]) {
    const client = new Client({ name: "portreeve-peer", version: "1.0.0" }, { versionNegotiation: { mode } });
    await client.connect(new StreamableHTTPClientTransport(new URL(given.url), { requestInit: { headers } }));
    try {
      const tools = [];
      let cursor;
      do {
        const page = await client.listTools({ cursor });
        tools.push(...page.tools);
        cursor = page.nextCursor;
      } while (cursor);
      must(tools.length === Number(given.tools), `${tools.length} tools, wanted ${given.tools}`);
      // One for each schema: names of definitions are those of its own document.
      for (const { name, inputSchema, outputSchema } of tools) {
        for (const schema of [inputSchema, outputSchema].filter(Boolean)) {
          try {
            new AjvJsonSchemaValidator().getValidator(schema);
          } catch (error) {
            throw new Error(`a schema of \`${name}\` is not taken: ${error.message}`);
          }
        }
      }
    } finally {
      await client.close();
    }
  }
  return `${given.tools} tools`;
});
