# A web server of twelve lines that hears webhooks: pip install iopaint-sdk
import os
from http.server import BaseHTTPRequestHandler, HTTPServer

from iopaint import webhooks


class Hook(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        event = webhooks.verify(os.environ["WEBHOOK_SECRET"], self.headers, body)  # raises where it is not genuine
        print(event.type, event.data)
        self.send_response(204)
        self.end_headers()


HTTPServer(("", int(os.environ["PORT"])), Hook).serve_forever()
