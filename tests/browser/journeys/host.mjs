// What a host says to an MCP endpoint, message by message, and what it must hear.
import { must } from "../../oauth/common.mjs";

let counted = 0;

/** One request of 2025-06-18 as JSON-RPC; the HTTP answer with its message. */
export async function said(endpoint, method, { params = {}, key, session, isNotice = false } = {}) {
  counted += 1;
  const answer = await fetch(endpoint, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      ...(key && { authorization: `Bearer ${key}` }),
      ...(session && { "mcp-session-id": session, "mcp-protocol-version": "2025-06-18" }),
    },
    body: JSON.stringify({ jsonrpc: "2.0", method, params, ...(!isNotice && { id: counted }) }),
  });
  const text = await answer.text();
  const isStream = answer.headers.get("content-type")?.startsWith("text/event-stream");
  const data = isStream ? text.split("\n").filter((line) => line.startsWith("data: {")).at(-1)?.slice(6) : text;
  let message;
  try {
    message = data ? JSON.parse(data) : undefined;
  } catch {
    // Words for people, of something that is in the way.
  }
  return { status: answer.status, session: answer.headers.get("mcp-session-id") ?? undefined, text, message };
}

/** Begins as a host does; what is asked then. */
export async function host(endpoint, key) {
  const clientInfo = { name: "journey", version: "1" };
  const begun = await said(endpoint, "initialize", { key, params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo } });
  must(begun.status === 200 && begun.message?.result, `initialize at ${endpoint} answers ${begun.status}: ${begun.text}`);
  const { session } = begun;
  await said(endpoint, "notifications/initialized", { key, session, isNotice: true });
  return {
    info: begun.message.result,
    ask: async (method, params) => await said(endpoint, method, { key, session, params }),
    /** What a tool answers, as data. */
    call: async (name, values) => {
      const { status, text, message } = await said(endpoint, "tools/call", { key, session, params: { name, arguments: values } });
      must(status === 200 && message?.result, `${name} answers ${status}: ${text}`);
      return message.result;
    },
  };
}
