"""A host that knows nothing but the URL of a server (J8), with the official Python SDK: the same way as host.mjs.

    PORTREEVE_KEY=... python host.py --url URL --node NODE [--known register|document --document URL]

`--known secret --client ID --secret SECRET` acts for itself instead (`client_credentials`).
"""

import argparse
import asyncio
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2
from mcp import Client
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider, TokenStorage
from mcp.client.auth.extensions.client_credentials import ClientCredentialsOAuthProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientMetadata

REDIRECT = "http://127.0.0.1:41872/callback"


class Unexpected(Exception):
    """Something went another way than it should."""


def must(condition: bool, reason: str) -> None:
    """Fails the script with a reason."""
    if not condition:
        raise Unexpected(reason)


class Storage(TokenStorage):
    """What a host keeps."""

    def __init__(self) -> None:
        self.tokens = None
        self.client = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens) -> None:
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client_info) -> None:
        self.client = client_info


class User:
    """A person with a browser, which is a program of its own."""

    def __init__(self, node: str) -> None:
        self.agent = [node, str(Path(__file__).with_name("agent.mjs"))]
        self.sent: list[str] = []

    async def redirect(self, url: str) -> None:
        self.sent.append(url)

    async def answer(self) -> AuthorizationCodeResult:
        agent = await asyncio.create_subprocess_exec(
            *self.agent, "--url", self.sent[-1], "--name", "ada", stdout=asyncio.subprocess.PIPE
        )
        said, _ = await agent.communicate()
        must(agent.returncode == 0, "the browser did not come back")
        back = parse_qs(urlsplit(said.decode().strip()).query)
        return AuthorizationCodeResult(code=back["code"][0], state=back["state"][0], iss=back["iss"][0])


async def call(client: Client) -> None:
    """A call of a tool."""
    answer = await client.call_tool("test_simple_text", {})
    must("simple text response" in str(answer.content), f"the call answered {answer!r}")


async def works(url: str, token: str) -> bool:
    """Whether a token opens the route."""
    meta = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": meta}}
    headers = {
        "authorization": f"Bearer {token}",
        "accept": "application/json, text/event-stream",
        "mcp-protocol-version": "2026-07-28",
        "mcp-method": "tools/list",
    }
    async with httpx2.AsyncClient() as http:
        return (await http.post(url, json=body, headers=headers)).status_code == 200


def provider(given: argparse.Namespace, storage: Storage, user: User) -> OAuthClientProvider:
    """The SDK's side of OAuth."""
    if given.known == "secret":
        return ClientCredentialsOAuthProvider(
            server_url=given.url, storage=storage, client_id=given.client, client_secret=given.secret
        )
    metadata = OAuthClientMetadata(
        client_name="Agent of a test", redirect_uris=[REDIRECT], token_endpoint_auth_method="none"
    )
    document = given.document if given.known == "document" else None
    return OAuthClientProvider(given.url, metadata, storage, user.redirect, user.answer, document)


async def check(given: argparse.Namespace) -> str:
    """The whole way."""
    storage, user = Storage(), User(given.node)
    asked = 0 if given.known == "secret" else 1
    timeout = httpx2.Timeout(30.0, read=60.0)
    async with httpx2.AsyncClient(auth=provider(given, storage, user), timeout=timeout) as http:
        async with Client(streamable_http_client(given.url, http_client=http)) as client:
            names = [tool.name for tool in (await client.list_tools()).tools]
            must("test_simple_text" in names, f"the tools are {names}")
            await call(client)
            must(len(user.sent) == asked, f"the user was asked {len(user.sent)} times")
            old = storage.tokens
            must(old.expires_in <= 10, f"tokens work for {old.expires_in} s: the test wants short ones")
            await asyncio.sleep(old.expires_in + 1)
            must(not await works(given.url, old.access_token), "A-RS-2: an expired token works on")
            await call(client)
            must(storage.tokens.access_token != old.access_token, "nothing was refreshed")
            must(len(user.sent) == asked, "the user was asked again")
    if given.known == "register":
        origin = "://".join(urlsplit(given.url)[:2])
        async with httpx2.AsyncClient() as http:
            form = {"token": storage.tokens.refresh_token, "client_id": storage.client.client_id}
            revoked = await http.post(f"{origin}/revoke", data=form)
            must(revoked.status_code == 200, f"revoking answered {revoked.status_code}")
        must(not await works(given.url, storage.tokens.access_token), "a revoked token works on")
    return f"the user was asked {len(user.sent)} times"


def main() -> int:
    """Parses, checks within minutes, prints one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", required=True)
    parser.add_argument("--known", choices=["register", "document", "secret"], default="register")
    for name in ["node", "document", "client", "secret"]:
        parser.add_argument(f"--{name}", default="")
    given = parser.parse_args()
    print(f"host.py {given.known}: ok, {asyncio.run(asyncio.wait_for(check(given), 150))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
