"""A real HTTP server on loopback for tests of collecting, and pages for it."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Respond = Callable[[BaseHTTPRequestHandler], None]
STORY = (
    "<!doctype html><html><head><title>{0}</title>{1}</head><body><article><h1>{0}</h1>"
    "<p>Finance Minister Ada Moreau said on Monday that the harbour levy would stay in place for "
    "another year, and that the council had no better plan for the port.</p>"
    '<p>"We oppose the tunnel and will say so in every session of the committee," said Tom Reyes, '
    "who leads the harbour union and its four thousand members.</p></article></body></html>"
)


class Site:
    """A server whose pages are functions; `asked` lists the paths requested, in order."""

    def __init__(self) -> None:
        self.pages: dict[str, Respond] = {}
        self.asked: list[str] = []
        self.asked_at: list[float] = []
        self.agents: set[str] = set()
        self.open = 0
        self.most_open = 0
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                site.open += 1
                site.most_open = max(site.most_open, site.open)
                site.asked.append(self.path)
                site.asked_at.append(time.monotonic())
                site.agents.add(self.headers["User-Agent"])
                try:
                    site.pages.get(self.path, answer(status=404))(self)
                except OSError:
                    self.close_connection = True
                finally:
                    site.open -= 1

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=[0.05], daemon=True).start()

    def times(self, path: str) -> int:
        return Counter(self.asked)[path]

    def add_feed(self, *paths: str, where: str = "/feed.xml") -> None:
        links = [path if "://" in path else self.url + path for path in paths]
        self.pages[where] = answer(rss(*links), "application/rss+xml")

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def answer(
    body: bytes | str = b"",
    medium: str | None = "text/html; charset=utf-8",
    status: int = 200,
    **headers: str,
) -> Respond:
    data = body.encode() if isinstance(body, str) else body

    def respond(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        if medium:
            request.send_header("Content-Type", medium)
        for name, value in ({"Content-Length": str(len(data))} | headers).items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(data)

    return respond


def story(title: str = "Levy stays", head: str = "", **headers: str) -> Respond:
    return answer(STORY.format(title, head), **headers)


def redirect(to: str) -> Respond:
    return answer(status=302, Location=to)


def in_turn(*responds: Respond) -> Respond:
    waiting = list(responds)

    def respond(request: BaseHTTPRequestHandler) -> None:
        waiting.pop(0)(request)

    return respond


def rss(*links: str, dated: str = "") -> str:
    items = "".join(f"<item><title>x</title><link>{link}</link>{dated}</item>" for link in links)
    return f'<?xml version="1.0"?><rss version="2.0"><channel>{items}</channel></rss>'


def sitemap(*links: str, kind: str = "url", lastmod: str = "") -> str:
    root = {"url": "urlset", "sitemap": "sitemapindex"}[kind]
    date = f"<lastmod>{lastmod}</lastmod>" if lastmod else ""
    nodes = "".join(f"<{kind}><loc>{link}</loc>{date}</{kind}>" for link in links)
    return f'<{root} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{nodes}</{root}>'
