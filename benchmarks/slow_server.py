"""A chat server on the loopback interface that answers after a fixed time.

Authors
 * The speechbrain_jasco developers, 2026
"""

import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LATENCY_S = 0.2


class Slow(BaseHTTPRequestHandler):
    """Answers every chat alike, after ``LATENCY_S``."""

    protocol_version = "HTTP/1.1"
    # Else the kernel holds the body back for 40 ms.
    disable_nagle_algorithm = True

    def do_POST(self):
        """Wait and answer."""
        self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(LATENCY_S)
        message = {
            "role": "assistant",
            "content": "Reason: none.\nRating: 1\nOrientation: both",
        }
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        body = json.dumps({"id": "1", "choices": [choice]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        """Keep the table clean."""


class Server(ThreadingHTTPServer):
    """Takes as many connections at once as are asked for."""

    request_queue_size = 1024
    daemon_threads = True


def serve(port):
    """Serve until terminated.

    Arguments
    ---------
    port : multiprocessing.Value
        Gets the port.
    """
    server = Server(("127.0.0.1", 0), Slow)
    port.value = server.server_address[1]
    server.serve_forever()
