"""A collector of traces in a test's hand: it takes what an OTLP collector takes over HTTP, and keeps it."""

import http.server
import threading


class Collector(http.server.ThreadingHTTPServer):
    """Takes what an OTLP collector takes."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.bodies: list[bytes] = []
        self.arrived = threading.Event()


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()
        self.server.arrived.set()

    def log_message(self, *_: object) -> None:
        """Quiet."""
