"""FastMCP's client against one MCP endpoint: the same checks as python_client.py, with another library's habits.

    PORTREEVE_KEY=... python fastmcp_client.py --url URL --mode legacy|modern|auto --server demo|everything|fixture --era ERA
"""

import argparse
import asyncio
import os
import sys
import time

from fastmcp import Client
from fastmcp.client.transports import SSETransport, StreamableHttpTransport
from fastmcp.exceptions import ToolError
from mcp import MCPError

from python_client import MODES, SERVERS, must


def text_of(parts) -> str:
    """The text parts of a result."""
    return "".join(getattr(part, "text", "") for part in parts)


async def calls(client: Client, expected: dict) -> int:
    """A fast call answers, and a slow one shows its progress before its result."""
    name, arguments, wanted = expected["fast"]
    result = await client.call_tool(name, arguments)
    must(wanted in text_of(result.content), f"{name} answered {result!r}")

    moments: list[float] = []

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        moments.append(time.monotonic())

    name, arguments, wanted = expected["slow"]
    result = await client.call_tool(name, arguments, progress_handler=on_progress)
    must(wanted in text_of(result.content), f"{name} answered {result!r}")
    must(len(moments) >= 3, f"{len(moments)} progress notifications came from {name}")
    lead = round((time.monotonic() - moments[0]) * 1000)
    must(lead >= expected.get("lead", 400), f"the first progress of {name} came {lead} ms before its result")
    return lead


async def others(client: Client, expected: dict) -> None:
    """Resources and prompts, where the server has some; and a tool that does not exist."""
    if "resource" in expected:
        uri, wanted = expected["resource"]
        contents = await client.read_resource(uri)
        must(wanted in text_of(contents), f"the resource says {contents!r}")
    if "prompt" in expected:
        name, arguments, wanted = expected["prompt"]
        messages = (await client.get_prompt(name, arguments)).messages
        must(wanted in messages[0].content.text, f"the prompt says {messages!r}")
    try:
        await client.call_tool("no-such-tool", {})
    except (ToolError, MCPError):
        return
    must(False, "a call of a tool that does not exist succeeded")


async def check(given: argparse.Namespace) -> str:
    """Connects and runs every check."""
    expected = SERVERS[given.server]
    key = os.environ.get("PORTREEVE_KEY")
    headers = {"authorization": f"Bearer {key}"} if key else {}
    kind = SSETransport if given.transport == "sse" else StreamableHttpTransport
    async with Client(kind(given.url, headers=headers), mode=MODES[given.mode]) as client:
        version = client.protocol_version
        era = "modern" if version >= "2026-07-28" else "legacy"
        must(given.era in (None, era), f"negotiated {version}, wanted the {given.era} era")
        names = {tool.name for tool in await client.list_tools()}
        missing = expected["tools"] - names
        must(not missing, f"no {sorted(missing)} among {sorted(names)}")
        lead = await calls(client, expected)
        await others(client, expected)
    return f"{version}, first progress {lead} ms before the result"


def main() -> int:
    """Parses, checks within a minute, prints one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", required=True)
    parser.add_argument("--mode", choices=MODES, default="auto")
    parser.add_argument("--server", choices=SERVERS, default="demo")
    parser.add_argument("--transport", choices=["http", "sse"], default="http")
    parser.add_argument("--era", choices=["legacy", "modern"])
    given = parser.parse_args()
    label = f"fastmcp_client {given.transport} {given.mode} {given.server}"
    print(f"{label}: ok, {asyncio.run(asyncio.wait_for(check(given), 60))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
