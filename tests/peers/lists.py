"""Whether the official Python client takes a list of tools, all its pages, and their schemas are ones.

    PORTREEVE_KEY=... python lists.py --url URL --tools 42

In both eras, since each has a list of its own. The number is how many tools an import says that it made.
"""

import argparse
import asyncio
import os
import sys

import httpx2
import jsonschema_rs
from mcp import Client
from mcp.client.streamable_http import streamable_http_client


async def listed(url: str, mode: str) -> int:
    """How many tools there are."""
    headers = {"authorization": f"Bearer {os.environ['PORTREEVE_KEY']}"}
    async with httpx2.AsyncClient(headers=headers, timeout=httpx2.Timeout(60.0)) as http:
        async with Client(streamable_http_client(url, http_client=http), mode=mode) as client:
            count, cursor = 0, None
            while True:
                page = await client.list_tools(cursor=cursor)
                count += len(page.tools)
                for tool in page.tools:
                    for schema in (tool.input_schema, tool.output_schema):
                        if schema is not None:
                            jsonschema_rs.Draft202012Validator(schema)
                cursor = page.next_cursor
                if not cursor:
                    return count


def main() -> int:
    """Lists in both eras, prints one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", required=True)
    parser.add_argument("--tools", type=int, required=True)
    given = parser.parse_args()
    for mode in ("legacy", "2026-07-28"):
        count = asyncio.run(asyncio.wait_for(listed(given.url, mode), 300))
        if count != given.tools:
            print(f"lists {given.url} {mode}: {count} tools, wanted {given.tools}")
            return 1
    print(f"lists {given.url}: ok, {given.tools} tools")
    return 0


if __name__ == "__main__":
    sys.exit(main())
