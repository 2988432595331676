"""A host's metadata document at a public https address, and the proxy through which alone that address is reached.

    python document.py --port PORT --url https://host.example/client.json --ca FILE

Writes the certificate that vouches for it to FILE before it listens.
"""

import argparse
import datetime
import json
import socket
import ssl
import sys
import tempfile
import threading
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

REDIRECTS = ["http://127.0.0.1/callback"]


def certificate(host: str, ca: Path) -> Path:
    """Makes a certificate for a host; the file with it and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    ca.write_bytes(pem)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    both = Path(tempfile.mkstemp(suffix=".pem")[1])
    both.write_bytes(pem + private)
    return both


def head(connection: socket.socket) -> str:
    """Reads up to the empty line."""
    text = b""
    while b"\r\n\r\n" not in text and len(text) < 65_536:
        more = connection.recv(4_096)
        if not more:
            break
        text += more
    return text.decode("latin-1")


def serve(connection: socket.socket, context: ssl.SSLContext, url: str) -> None:
    """A tunnel for one host, and one answer inside of it."""
    with connection:
        connection.settimeout(20)
        parts = urlsplit(url)
        if not head(connection).startswith(f"CONNECT {parts.hostname}:443 "):
            connection.sendall(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n")
            return
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        with context.wrap_socket(connection, server_side=True) as inner:
            found = head(inner).startswith(f"GET {parts.path} ")
            document = {
                "client_id": url,
                "client_name": "Editor with a document",
                "redirect_uris": REDIRECTS,
                "grant_types": ["authorization_code", "refresh_token"],
                "token_endpoint_auth_method": "none",
            }
            body = json.dumps(document if found else {}).encode()
            status = "200 OK" if found else "404 Not Found"
            inner.sendall(
                f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncache-control: max-age=60\r\n"
                f"content-length: {len(body)}\r\nconnection: close\r\n\r\n".encode()
                + body
            )


def guarded(connection: socket.socket, context: ssl.SSLContext, url: str) -> None:
    """A visitor that goes away is no reason to say anything."""
    try:
        serve(connection, context, url)
    except OSError as error:
        print(f"document.py: {error}", file=sys.stderr)


def main() -> int:
    """Listens until it is stopped."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--url", required=True)
    parser.add_argument("--ca", type=Path, required=True)
    given = parser.parse_args()
    both = certificate(urlsplit(given.url).hostname, given.ca)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    both.unlink()
    with socket.create_server(("127.0.0.1", given.port)) as listener:
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=guarded, args=(connection, context, given.url), daemon=True).start()


if __name__ == "__main__":
    sys.exit(main())
