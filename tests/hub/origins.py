"""A local web server that plays tfhub.dev, Kaggle, Google's storage and Hugging Face.

    origins.files["/tfhub/tensorflow/bert/1"] = content
    origins.play("/tfhub", status(403))          # all addresses with this prefix
    origins.play("/storage/a.zip", cut(10), whole)  # for the first request, and for all others

The real kagglehub package asks http://localhost with this server as its proxy. The files of its
models are at /kaggle/OWNER/MODEL/FRAMEWORK/VARIATION/VERSION/.
"""

import hashlib
import http.server
import json
import re
import threading
import time
from urllib.parse import urlsplit

KAGGLE_API = "/api/v1/models.ModelApiService/"


class Origins(http.server.ThreadingHTTPServer):
    """Serves `files`, and records `requests` as (path, value of Range or "")."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files = {}
        self.requests = []
        self.queries = []
        self.closing = threading.Event()
        self._plays = {}
        self._lock = threading.Lock()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def __enter__(self):
        # a short poll makes closing quick
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *error):
        self.closing.set()
        self.shutdown()
        self.server_close()

    def environment(self, folder):
        """Returns variables that make a process use only this server, and store in a folder."""
        proxies = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy")
        return {
            "TFHUB_CACHE_DIR": str(folder / "tfhub"),
            "KERASNLP_LAB_CACHE": str(folder / "cache"),
            "KERASNLP_LAB_TFHUB_URL": f"{self.url}/tfhub",
            "KERASNLP_LAB_STORAGE_URL": f"{self.url}/storage",
            "HF_ENDPOINT": f"{self.url}/hf",
            "KAGGLE_API_ENVIRONMENT": "LOCALHOST",
            "KAGGLE_CONFIG_DIR": str(folder / "kaggle"),
            "KAGGLEHUB_CACHE": str(folder / "kagglehub"),
            "HOME": str(folder),  # a home without credentials
            **dict.fromkeys(proxies, self.url),
            "no_proxy": "127.0.0.1",
            "NO_PROXY": "127.0.0.1",
        }

    def play(self, path, *behaviours):
        """Sets one behaviour a request for an address and all below it; the last one stays."""
        self._plays[path] = list(behaviours)

    def asked(self, path):
        """Returns the values of Range in the requests for a path, in order."""
        return [asked_range for asked, asked_range in self.requests if asked == path]

    def add_folder(self, path, folder):
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                self.files[f"{path}/{file.relative_to(folder).as_posix()}"] = file.read_bytes()

    def behaviour(self, path):
        with self._lock:
            for played in sorted(self._plays, key=len, reverse=True):
                if path == played or path.startswith(played.rstrip("/") + "/"):
                    behaviours = self._plays[played]
                    return behaviours.pop(0) if len(behaviours) > 1 else behaviours[0]
        return whole if path in self.files else status(404)


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self._serve(urlsplit(self.path).path)

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        path = urlsplit(self.path).path
        if not path.startswith(KAGGLE_API):
            return self.send_error(404)
        framework = {"MODEL_FRAMEWORK_TENSOR_FLOW_2": "tensorFlow2"}[body["framework"]]
        parts = (body["ownerSlug"], body["modelSlug"], framework, body["instanceSlug"])
        folder = "/".join(["/kaggle", *parts, str(body["versionNumber"])])
        if path != KAGGLE_API + "ListModelInstanceVersionFiles":
            return self._serve(f"{folder}/{body['path']}")
        start = f"{folder}/"
        names = [name.removeprefix(start) for name in self.server.files if name.startswith(start)]
        if names:
            listing = {"files": [{"name": name} for name in names], "nextPageToken": ""}
            self.server.files[folder] = json.dumps(listing).encode()
        self._serve(folder, kind="application/json")

    def _serve(self, path, kind="application/octet-stream"):
        server = self.server
        server.requests.append((path, self.headers.get("Range", "")))
        server.queries.append(urlsplit(self.path).query)
        self.content, self.kind = server.files.get(path, b""), kind
        try:
            server.behaviour(path)(self)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the client was killed, or has read enough

    def begin(self, claimed=0):
        """Sends the headers of a whole or partial answer, and returns the body."""
        tag = '"' + hashlib.sha1(self.content).hexdigest()[:12] + '"'
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(wanted[1]) if wanted and self.headers.get("If-Range", tag) == tag else 0
        if start >= len(self.content) > 0:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(self.content)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return b""
        body = self.content[start:]
        self.send_response(206 if start else 200)
        if start:
            end = len(self.content)
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{end}")
        self.send_header("ETag", tag)
        self.send_header("Content-Type", self.kind)
        self.send_header("Content-Length", str(len(body) + claimed))
        self.end_headers()
        return body

    def log_message(self, *arguments):
        pass


def whole(request):
    request.wfile.write(request.begin())


def status(code):
    return lambda request: request.send_error(code)


def redirect_loop(request):
    request.send_response(302)
    request.send_header("Location", request.path)
    request.end_headers()


def web_page(request):
    """Sends a login page with status 200, like a captive portal."""
    request.content, request.kind = b"<!doctype html><title>Log in</title>", "text/html"
    request.wfile.write(request.begin())


def unlabelled_web_page(request):
    request.content = b"<!doctype html><title>Log in</title>"
    request.wfile.write(request.begin())


def cut(count):
    """Closes the connection after some bytes."""
    return lambda request: request.wfile.write(request.begin()[:count])


def stall(count):
    """Sends some bytes, then nothing, and keeps the connection open."""

    def answer(request):
        request.wfile.write(request.begin()[:count])
        request.wfile.flush()
        request.server.closing.wait(60)

    return answer


def wrong_length(extra):
    """Claims a wrong length."""
    return lambda request: request.wfile.write(request.begin(claimed=extra))


def wrong_range(request):
    """Answers a request for the rest with another part."""
    request.send_response(206)
    request.send_header("Content-Range", f"bytes 1-{len(request.content) - 1}/*")
    request.send_header("ETag", '"a"')
    request.send_header("Content-Length", str(len(request.content) - 1))
    request.end_headers()
    request.wfile.write(request.content[1:])


def slow(pieces, seconds):
    """Sends everything in some pieces over some seconds."""

    def answer(request):
        body = request.begin()
        size = len(body) // pieces + 1
        for start in range(0, len(body), size):
            request.wfile.write(body[start : start + size])
            request.wfile.flush()
            time.sleep(seconds / pieces)

    return answer


def changed(content, behaviour=whole):
    """Serves another file at the same address, with another ETag."""

    def answer(request):
        request.content = content
        behaviour(request)

    return answer


def without_ranges(behaviour=whole):
    """Answers like a server that knows neither Range nor ETag."""

    def answer(request):
        del request.headers["Range"]
        send_header = request.send_header
        request.send_header = lambda name, value: name == "ETag" or send_header(name, value)
        behaviour(request)

    return answer
