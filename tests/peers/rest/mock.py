"""A server made of a description: it knows the paths, remembers what it was asked, and answers with what it was told."""

import http.server
import threading

BASE = "/base/v1"


class Mock:
    def __init__(self, document):
        self.templates = document.templates()
        self.methods = {path: document.methods(path) for _, _, path, _, _ in self.templates}
        self.seen, self.answer = [], (200, None, b"")
        mock = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Both sides wait for the other's small pieces otherwise.
            disable_nagle_algorithm = True
            wbufsize = -1

            def any(self):
                length = int(self.headers.get("content-length") or 0)
                body = self.rfile.read(length)
                if self.headers.get("transfer-encoding"):
                    body = self.chunks()
                seen = mock.note(self.command, self.path, list(self.headers.items()), body)
                status, media, answer = mock.answer if seen["template"] else (404, None, b"")
                self.send_response(status)
                if media:
                    self.send_header("content-type", media)
                if status != 204:
                    self.send_header("content-length", str(len(answer)))
                self.end_headers()
                if self.command != "HEAD" and status != 204:
                    self.wfile.write(answer)
                self.wfile.flush()

            def __getattr__(self, name):
                """Descriptions may have methods that nobody has heard of."""
                if name.startswith("do_"):
                    return self.any
                raise AttributeError(name)

            def chunks(self):
                body = b""
                while size := int(self.rfile.readline().split(b";")[0], 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return body

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}{BASE}"

    def note(self, method, target, headers, body):
        path, _, query = target.partition("?")
        template, values = None, {}
        for _, _, known, expression, names in self.templates:
            found = path.startswith(BASE) and expression.fullmatch(path[len(BASE):])
            if found and method in self.methods[known]:
                template, values = known, dict(zip(names, found.groups()))
                break
        seen = {"method": method, "path": path, "query": query, "headers": headers, "body": body,
                "template": template, "values": values}
        self.seen.append(seen)
        return seen

    def close(self):
        self.server.shutdown()
        self.server.server_close()
