"""The official Python client against one MCP endpoint: negotiate, list, call, follow a slow call.

    PORTREEVE_KEY=... python python_client.py --url URL --mode legacy|modern|auto --server demo|everything|fixture --era ERA

The same checks as sdk_client.mjs, with another implementation's habits.
"""

import argparse
import asyncio
import os
import sys
import time

import httpx2
from mcp import Client, MCPError
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client

MODES = {"legacy": "legacy", "modern": "2026-07-28", "auto": "auto"}
SERVERS = {
    "demo": {
        "tools": {"list_ships", "release_mooring", "inspect_cargo"},
        "fast": ("list_ships", {"quay": "south"}, "Cormorant"),
        "slow": ("inspect_cargo", {"seconds": 2}, "cargo and papers agree"),
        "resource": ("port://tides/today", "high 3.9 m"),
        "prompt": ("arrival_briefing", {"ship": "Aurelia"}, "master of the Aurelia"),
    },
    "fixture": {
        "tools": {"test_simple_text", "test_tool_with_progress"},
        "fast": ("test_simple_text", {}, "simple text response"),
        "slow": ("test_tool_with_progress", {}, "three steps"),
        # It takes a tenth of a second: that its progress comes at all, and three times, is all that is asked.
        "lead": 0,
        "resource": ("test://static-text", "static text resource"),
        "prompt": ("test_prompt_with_arguments", {"arg1": "a", "arg2": "Ishmael"}, "Ishmael"),
    },
    "everything": {
        "tools": {"echo", "trigger-long-running-operation"},
        "fast": ("echo", {"message": "all hands"}, "all hands"),
        "slow": ("trigger-long-running-operation", {"duration": 2, "steps": 4}, "completed"),
    },
}


class Unexpected(Exception):
    """The endpoint did something else than it should."""


def must(condition: bool, reason: str) -> None:
    """Fails the script with a reason."""
    if not condition:
        raise Unexpected(reason)


def text_of(result) -> str:
    """The text parts of a tool result."""
    return "".join(getattr(part, "text", "") for part in result.content)


async def lists(client: Client, expected: dict) -> None:
    """The expected tools are there."""
    names = {tool.name for tool in (await client.list_tools()).tools}
    missing = expected["tools"] - names
    must(not missing, f"no {sorted(missing)} among {sorted(names)}")


async def calls(client: Client, expected: dict) -> int:
    """A fast call answers, and a slow one shows its progress well before its result."""
    name, arguments, wanted = expected["fast"]
    answer = text_of(await client.call_tool(name, arguments))
    must(wanted in answer, f"{name} answered {answer!r}")

    moments: list[float] = []

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        moments.append(time.monotonic())

    name, arguments, wanted = expected["slow"]
    answer = text_of(await client.call_tool(name, arguments, progress_callback=on_progress))
    must(wanted in answer, f"{name} answered {answer!r}")
    must(len(moments) >= 3, f"{len(moments)} progress notifications came from {name}")
    lead = round((time.monotonic() - moments[0]) * 1000)
    must(lead >= expected.get("lead", 400), f"the first progress of {name} came {lead} ms before its result: the stream is held back")
    return lead


async def others(client: Client, expected: dict) -> None:
    """Resources and prompts, where the server has some; and a tool that does not exist."""
    if "resource" in expected:
        uri, wanted = expected["resource"]
        contents = (await client.read_resource(uri)).contents
        must(wanted in contents[0].text, f"the resource says {contents!r}")
    if "prompt" in expected:
        name, arguments, wanted = expected["prompt"]
        messages = (await client.get_prompt(name, arguments)).messages
        must(wanted in messages[0].content.text, f"the prompt says {messages!r}")
    try:
        refused = (await client.call_tool("no-such-tool", {})).is_error
    except MCPError:
        refused = True
    must(bool(refused), "a call of a tool that does not exist succeeded")


async def check(given: argparse.Namespace) -> str:
    """Connects and runs every check."""
    expected = SERVERS[given.server]
    key = os.environ.get("PORTREEVE_KEY")
    headers = {"authorization": f"Bearer {key}"} if key else {}
    timeout = httpx2.Timeout(30.0, read=60.0)
    async with httpx2.AsyncClient(headers=headers, timeout=timeout) as http:
        if given.transport == "sse":
            transport = sse_client(given.url, headers=headers, timeout=30.0)
        else:
            transport = streamable_http_client(given.url, http_client=http)
        async with Client(transport, mode=MODES[given.mode]) as client:
            version = client.protocol_version
            era = "modern" if version >= "2026-07-28" else "legacy"
            must(given.era in (None, era), f"negotiated {version}, wanted the {given.era} era")
            await lists(client, expected)
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
    label = f"python_client {given.transport} {given.mode} {given.server}"
    print(f"{label}: ok, {asyncio.run(asyncio.wait_for(check(given), 60))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
