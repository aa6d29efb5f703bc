"""Collecting from a real HTTP server on loopback, with all that servers do wrong."""

import gzip
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import duckdb
import pytest
from warcio.archiveiterator import ArchiveIterator

from flows.fetch import (
    FeedsFileError,
    Memory,
    OutletResult,
    OutletVisit,
    Visitor,
    read_feeds,
)
from flows.fetch.links import read_feed, read_sitemap
from tests.conftest import PROJECT, Command
from tests.site import STORY, Respond, Site, answer, in_turn, redirect, rss, sitemap, story


@pytest.fixture
def site() -> Iterator[Site]:
    running = Site()
    yield running
    running.stop()


def write_config(folder: Path, lists: str, **manners: object) -> Path:
    settings = {
        "contact": '"https://example.org/us"',
        "crawl_delay": 0,
        "timeout": 2.0,
        "max_megabytes": 0.2,
        "retries": 1,
        "allowed_networks": '["127.0.0.0/8"]',
    } | manners
    lines = "\n".join(f"{name} = {value}" for name, value in settings.items())
    path = folder / "feeds.toml"
    path.write_text(f'[collect]\n{lines}\n\n[[outlets]]\nname = "Herald"\n{lists}\n')
    return path


def collect(folder: Path, lists: str, **manners: object) -> OutletResult:
    """Visit one outlet with the lists given; pages and memory are below `folder`."""
    feeds = read_feeds(write_config(folder, lists, **manners))
    run_id = f"run{len(list(folder.rglob('*.warc.gz')))}"
    with closing(Memory(folder / "memory.sqlite")) as memory:
        visitor = Visitor(feeds.collect)
        visit = OutletVisit(feeds.outlets[0], feeds.collect, visitor, memory, lambda: None)
        visit.discover()
        return visit.fetch(folder, run_id)


def collect_feed(site: Site, folder: Path, **manners: object) -> OutletResult:
    return collect(folder, f'feeds = ["{site.url}/feed.xml"]', **manners)


def records(folder: Path) -> Iterator[tuple[str, str, dict[str, str], str]]:
    """Type, URL, WARC headers and content of every record of the files in `folder`."""
    for path in sorted(folder.rglob("*.warc.gz")):
        with path.open("rb") as file:
            for record in ArchiveIterator(file):
                headers = dict(record.rec_headers.headers)
                content = record.content_stream().read().decode()
                yield record.rec_type, headers.get("WARC-Target-URI", ""), headers, content


def unused_address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        return f"http://127.0.0.1:{closed.getsockname()[1]}"


def stored(site: Site, folder: Path) -> list[str]:
    found = [url for kind, url, _, _ in records(folder) if kind == "response"]
    return sorted(url.removeprefix(site.url) for url in found)


def reasons(result: OutletResult) -> str:
    return "\n".join(f"{f.what} {f.url}: {f.reason}" for f in result.failures)


def test_pages_of_a_feed_are_stored_once_with_their_terms(site: Site, tmp_path: Path) -> None:
    site.pages["/robots.txt"] = answer("User-agent: *\nAllow: /", "text/plain")
    site.pages["/a"] = story(TDM_Reservation="1", TDM_Policy="https://example.org/policy")
    site.pages["/b"] = story(head='<meta name="TDM-Reservation" content="1">')
    site.pages["/c"] = story(head='<meta name="robots" content="noarchive">')
    site.add_feed("/a", "/b", "/c#top", "/a", "/c")
    before = time.time()
    result = collect_feed(site, tmp_path)
    assert (result.found, result.stored, result.reserved) == (3, 3, 2)
    assert stored(site, tmp_path) == ["/a", "/b", "/c"]
    notes = {url: text for kind, url, _, text in records(tmp_path) if kind == "metadata"}
    a, b, c = (notes[site.url + path] for path in ("/a", "/b", "/c"))
    assert "tdm-reservation: 1\r\ntdm-policy: https://example.org/policy" in a
    assert "tdm-reservation: 1" in b
    assert "tdm-reservation: not stated" in c
    assert "robots-tags: noarchive" in c
    assert f"robots-txt: allowed by {site.url}/robots.txt" in c
    dates = [
        headers["WARC-Date"] for kind, _, headers, _ in records(tmp_path) if kind != "warcinfo"
    ]
    assert all(date >= time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(before)) for date in dates)
    (agent,) = site.agents
    assert agent.startswith("Stancebank/")
    assert "https://example.org/us" in agent


def test_nothing_is_fetched_twice_and_an_unchanged_feed_is_not_sent_again(
    site: Site, tmp_path: Path
) -> None:
    def feed(request: BaseHTTPRequestHandler) -> None:
        if request.headers.get("If-None-Match") == '"1"':
            answer(status=304)(request)
        else:
            answer(rss(site.url + "/a"), "text/xml", ETag='"1"')(request)

    site.pages |= {"/feed.xml": feed, "/a": story()}
    assert collect_feed(site, tmp_path).stored == 1
    again = collect_feed(site, tmp_path)
    assert (again.lists_read, again.found, again.stored, again.failures) == (1, 0, 0, [])
    assert site.times("/feed.xml") == 2
    assert site.times("/a") == 1


def test_articles_left_over_are_fetched_although_the_feed_is_unchanged(
    site: Site, tmp_path: Path
) -> None:
    links = [f"{site.url}/{n}" for n in range(5)]

    def feed(request: BaseHTTPRequestHandler) -> None:
        unchanged = request.headers.get("If-Modified-Since") == "yesterday"
        body = answer(rss(*links), "text/xml", Last_Modified="yesterday")
        (answer(status=304) if unchanged else body)(request)

    site.pages |= {"/feed.xml": feed} | {f"/{n}": story() for n in range(5)}
    first = collect_feed(site, tmp_path, max_articles=3)
    assert (first.stored, first.left_over) == (3, 2)
    second = collect_feed(site, tmp_path, max_articles=3)
    assert (second.stored, second.left_over) == (2, 0)
    assert stored(site, tmp_path) == [f"/{n}" for n in range(5)]


def test_robots_are_obeyed(site: Site, tmp_path: Path) -> None:
    rules = "User-agent: Stancebank\nDisallow: /private\nCrawl-delay: 0.4\n"
    site.pages["/robots.txt"] = answer(rules, "text/plain")
    site.pages |= {"/private/a": story(), "/b": story(), "/to-private": redirect("/private/a")}
    site.add_feed("/private/a", "/b", "/to-private")
    result = collect_feed(site, tmp_path)
    assert (result.stored, result.disallowed, result.failures) == (1, 2, [])
    assert site.times("/private/a") == 0
    gaps = [after - before for before, after in zip(site.asked_at, site.asked_at[1:], strict=False)]
    assert min(gaps[1:]) >= 0.35


def test_a_host_whose_robots_cannot_be_read_is_left_alone(site: Site, tmp_path: Path) -> None:
    site.pages |= {"/robots.txt": answer(status=503), "/a": story()}
    site.add_feed("/a")
    result = collect_feed(site, tmp_path)
    assert "robots.txt cannot be read" in reasons(result)
    assert set(site.asked) == {"/robots.txt"}
    assert result.failed_wholly


def test_failures_are_tried_again_and_tell_what_where_and_why(site: Site, tmp_path: Path) -> None:
    site.pages["/flaky"] = in_turn(answer(status=500), story())
    site.pages["/broken"] = answer(status=500)
    site.add_feed("/flaky", "/broken", "/gone")
    result = collect_feed(site, tmp_path)
    assert stored(site, tmp_path) == ["/flaky"]
    assert f"page {site.url}/broken: the server answered with status 500" in reasons(result)
    assert f"page {site.url}/gone: the server answered with status 404" in reasons(result)
    assert site.times("/broken") == 2
    site.pages["/broken"] = story()
    assert collect_feed(site, tmp_path).stored == 1
    assert site.times("/gone") == 1


def test_lying_pages_are_refused_and_the_others_kept(site: Site, tmp_path: Path) -> None:
    def endless(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", "text/html")
        request.end_headers()
        while True:
            request.wfile.write(b"<p>more</p>" * 5000)

    bomb = gzip.compress(b"<p>" + b" " * 50_000_000)
    packed = gzip.compress(STORY.format("Packed", "").encode())
    site.pages |= {
        "/short": answer(STORY.format("a", ""), Content_Length="100000", Connection="close"),
        "/endless": endless,
        "/bomb": answer(bomb, Content_Encoding="gzip"),
        "/nogzip": answer("<p>plain</p>", Content_Encoding="gzip"),
        "/image": answer(b"\x89PNG\r\n\x1a\n\0\0\0\r", "image/png"),
        "/hidden-image": answer(b"\x89PNG\r\n\x1a\n\0\0\0\r", "text/html"),
        "/untyped": answer("<p>what?</p>", None),
        "/empty": answer(""),
        "/packed": answer(packed, Content_Encoding="gzip"),
    }
    site.pages["/short"] = _closing(site.pages["/short"])
    paths = [path for path in site.pages if path != "/feed.xml"]
    site.add_feed(*paths)
    result = collect_feed(site, tmp_path)
    assert stored(site, tmp_path) == ["/packed"]
    found = {failure.url.removeprefix(site.url): failure.reason for failure in result.failures}
    assert set(found) == set(paths) - {"/packed"}
    assert "the connection failed" in found["/short"]
    assert "larger than 200,000 bytes" in found["/endless"]
    assert "larger than 200,000 bytes once unpacked" in found["/bomb"]
    assert "not the gzip data" in found["/nogzip"]
    assert "image/png" in found["/image"]
    assert "binary" in found["/hidden-image"]
    assert "unknown type" in found["/untyped"]
    assert "is empty" in found["/empty"]


def _closing(respond: Respond) -> Respond:
    def respond_and_close(request: BaseHTTPRequestHandler) -> None:
        respond(request)
        request.close_connection = True

    return respond_and_close


@pytest.mark.parametrize("part", ["headers", "body"])
def test_a_page_that_drips_is_given_up_in_time(site: Site, tmp_path: Path, part: str) -> None:
    def drip(request: BaseHTTPRequestHandler) -> None:
        if part == "body":
            request.send_response(200)
            request.end_headers()
        while True:
            request.wfile.write(b"x")
            request.wfile.flush()
            time.sleep(0.05)

    site.pages |= {"/drip": drip, "/quick": story()}
    site.add_feed("/drip", "/quick")
    started = time.monotonic()
    result = collect_feed(site, tmp_path, retries=0, timeout=1.0)
    assert time.monotonic() - started < 15
    assert "no whole answer within 1 seconds" in reasons(result)
    assert stored(site, tmp_path) == ["/quick"]


def test_redirects_are_followed_within_reason(site: Site, tmp_path: Path) -> None:
    site.pages |= {
        "/short-link": redirect("/story"),
        "/other-link": redirect("/story#comments"),
        "/story": story(),
        "/loop": redirect("/pool"),
        "/pool": redirect("/loop"),
        "/file": redirect("file:///etc/passwd"),
        "/nowhere": answer(status=302),
        "/into": redirect("http://169.254.169.254/latest/meta-data"),
    }
    site.pages |= {f"/far{n}": redirect(f"/far{n + 1}") for n in range(9)}
    site.add_feed("/short-link", "/other-link", "/loop", "/file", "/nowhere", "/into", "/far0")
    result = collect_feed(site, tmp_path)
    assert stored(site, tmp_path) == ["/story"]
    found = {failure.url.removeprefix(site.url): failure.reason for failure in result.failures}
    assert "in a circle" in found["/loop"]
    assert "more than 5 times" in found["/far0"]
    assert "no http or https" in found["/file"]
    assert "to nowhere" in found["/nowhere"]
    assert "169.254.169.254, which is not a public one" in found["/into"]


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "2130706433"]
)
def test_addresses_that_are_not_public_are_refused(site: Site, tmp_path: Path, host: str) -> None:
    port = site.url.rpartition(":")[2]
    result = collect(tmp_path, f'feeds = ["http://{host}:{port}/feed.xml"]', allowed_networks="[]")
    assert "not a public one" in reasons(result)
    assert site.asked == []


def test_a_dead_host_is_left_alone_and_its_pages_wait(site: Site, tmp_path: Path) -> None:
    dead = unused_address()
    site.add_feed("/a", *(f"{dead}/{n}" for n in range(20)))
    site.pages["/a"] = story()
    result = collect_feed(site, tmp_path, retries=0)
    assert result.stored == 1
    assert len(result.failures) <= 6
    assert "is left alone until the next run" in reasons(result)
    assert result.left_over == 20


def test_sitemaps_of_every_kind_are_read(site: Site, tmp_path: Path) -> None:
    old = "2001-05-05T10:00:00+02:00"
    site.pages |= {
        "/index.xml": answer(
            sitemap(site.url + "/new.xml.gz", site.url + "/plain.txt", kind="sitemap"), "text/xml"
        ),
        "/old-index.xml": answer(
            sitemap(site.url + "/old.xml", kind="sitemap", lastmod=old), "text/xml"
        ),
        "/new.xml.gz": answer(gzip.compress(sitemap(site.url + "/a").encode()), "application/gzip"),
        "/plain.txt": answer(f"{site.url}/b\n{site.url}/c\n", "text/plain"),
        "/old.xml": answer(sitemap(site.url + "/d"), "text/xml"),
        "/dated.xml": answer(sitemap(site.url + "/e", lastmod=old), "text/xml"),
    }
    site.pages |= {f"/{name}": story() for name in "abcde"}
    names = ("index", "old-index", "dated")
    lists = ", ".join(f'"{site.url}/{name}.xml"' for name in names)
    result = collect(tmp_path, f"sitemaps = [{lists}]")
    assert result.failures == []
    assert stored(site, tmp_path) == ["/a", "/b", "/c"]
    assert site.times("/old.xml") == 0


def test_sitemap_indexes_that_name_one_another_end(site: Site, tmp_path: Path) -> None:
    site.pages |= {
        "/one.xml": answer(sitemap(site.url + "/two.xml", kind="sitemap"), "text/xml"),
        "/two.xml": answer(sitemap(site.url + "/one.xml", kind="sitemap"), "text/xml"),
    }
    result = collect(tmp_path, f'sitemaps = ["{site.url}/one.xml"]')
    assert (result.lists_read, result.failures) == (2, [])


def test_url_lists_are_read_beside_the_feeds_file(site: Site, tmp_path: Path) -> None:
    site.pages |= {"/a": story(), "/b": story()}
    (tmp_path / "urls.txt").write_text(f"# ours\n{site.url}/a\n\n {site.url}/b \nnonsense\n")
    result = collect(tmp_path, 'url_lists = ["urls.txt", "missing.txt"]')
    assert stored(site, tmp_path) == ["/a", "/b"]
    assert "missing.txt: cannot be read (No such file or directory)" in reasons(result)


def test_what_is_no_feed_and_no_sitemap_is_a_failure_of_its_own(site: Site, tmp_path: Path) -> None:
    site.pages |= {
        "/feed": answer("<html><body>Not found, sorry</body></html>"),
        "/map": answer("<html><body>Not found, sorry</body></html>"),
        "/bomb.xml.gz": answer(gzip.compress(b"<urlset>" + b" " * 9_000_000), "application/gzip"),
        "/atom": answer(
            '<feed xmlns="http://www.w3.org/2005/Atom"><entry><link href="/a"/></entry></feed>'
        ),
        "/a": story(),
    }
    lists = f"""feeds = ["{site.url}/feed", "{site.url}/atom"]
        sitemaps = ["{site.url}/map", "{site.url}/bomb.xml.gz"]"""
    result = collect(tmp_path, lists)
    assert f"feed {site.url}/feed: is no RSS or Atom feed" in reasons(result)
    assert f"sitemap {site.url}/map: is no sitemap" in reasons(result)
    assert f"sitemap {site.url}/bomb.xml.gz: is larger than" in reasons(result)
    assert stored(site, tmp_path) == ["/a"]


def test_entities_of_a_feed_or_sitemap_do_no_harm(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("https://secret.example/")
    doctype = f'<!DOCTYPE x [<!ENTITY s SYSTEM "{secret.as_uri()}">]>'
    found = read_sitemap((doctype + sitemap("&s;", "https://a.example/")).encode(), "", 10_000)
    assert [link.url for link in found.links] == ["https://a.example/"]
    links = read_feed((doctype + rss("&s;").partition("?>")[2]).encode(), "https://a.example/feed")
    assert "secret" not in str(links)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("contact =", "contract =", "collect.contact is missing"),
        ("contact =", "contract =", "collect.contract is not a known key"),
        ("crawl_delay = 0", "crawl_delay = -1", "collect.crawl_delay = -1: "),
        ("timeout = 2.0", 'timeout = "soon"', "collect.timeout = 'soon': "),
        ("127.0.0.0/8", "127.0.0.0/99", "collect.allowed_networks[1] = '127.0.0.0/99': "),
        ("https://h.example/rss", "h.example/rss", "outlets[1].feeds[1] "),
        ("feeds = ", "fedes = ", "outlets[1].fedes is not a known key"),
        ('feeds = ["https://h.example/rss"]', "", "outlets[1] needs at least one of"),
        ("[[outlets]]", "[[outlets", "is not TOML"),
    ],
)
def test_a_wrong_configuration_names_the_key(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    path = write_config(tmp_path, 'feeds = ["https://h.example/rss"]')
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(FeedsFileError) as caught:
        read_feeds(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


def test_the_example_shows_every_key_and_the_defaults() -> None:
    example = read_feeds(PROJECT / "docs" / "feeds.example.toml")
    manners = example.collect
    assert set(type(manners).model_fields) == manners.model_fields_set
    assert manners == type(manners)(contact=manners.contact)
    used = {key for outlet in example.outlets for key in outlet.model_fields_set}
    assert used == {"name", "feeds", "sitemaps", "url_lists"}


def test_the_command_collects_every_outlet_that_works_and_builds(
    site: Site, tmp_path: Path, stancebank: Command
) -> None:
    site.pages |= {"/a": story("Levy stays"), "/b": story("Tunnel refused"), "/c": story("Third")}
    site.add_feed("/a", "/b")
    site.add_feed("/c", where="/other.xml")
    path = write_config(tmp_path, f'feeds = ["{site.url}/feed.xml"]')
    others = {"Gazette": f"{site.url}/other.xml", "Dead": f"{unused_address()}/feed.xml"}
    for name, url in others.items():
        with path.open("a") as file:
            file.write(f'\n[[outlets]]\nname = "{name}"\nfeeds = ["{url}"]\n')
    done = stancebank(tmp_path, "collect", "feeds.toml")
    assert done.returncode == 0, done.stderr
    assert "Dead, feed" in done.stdout
    assert site.most_open == 1
    with duckdb.connect(str(tmp_path / "warehouse/stancebank.duckdb"), read_only=True) as found:
        titles = found.execute("SELECT title FROM articles ORDER BY title").fetchall()
        rejects = found.execute("FROM rejects").fetchall()
    assert titles == [("Levy stays",), ("Third",), ("Tunnel refused",)]
    assert rejects == []
    last = stancebank(tmp_path, "collect", "--last")
    assert "Dead, feed" in last.stdout
    assert "Gazette" in last.stdout


def test_an_interrupted_collection_keeps_its_pages_and_goes_on(
    site: Site, tmp_path: Path, stancebank: Command, environment: dict[str, str]
) -> None:
    stancebank(tmp_path, "server", "start")
    paths = [f"/{n}" for n in range(60)]
    site.pages |= dict.fromkeys(paths, story())
    site.add_feed(*paths)
    write_config(tmp_path, f'feeds = ["{site.url}/feed.xml"]', crawl_delay=0.3)
    program = Path(sys.executable).with_name("stancebank")
    command = [program, "collect", "feeds.toml", "--no-build"]
    process = subprocess.Popen(
        command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True
    )
    wait_until(lambda: site.times("/4") == 1)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "run again to go on" in errors
    kept = stored(site, tmp_path)
    assert 4 <= len(kept) < 60
    write_config(tmp_path, f'feeds = ["{site.url}/feed.xml"]')
    done = stancebank(tmp_path, "collect", "feeds.toml", "--no-build")
    assert done.returncode == 0, done.stderr
    assert stored(site, tmp_path) == sorted(paths)
    assert all(site.times(path) == 1 for path in paths)


def test_a_killed_collection_is_made_good(
    site: Site, tmp_path: Path, stancebank: Command, environment: dict[str, str]
) -> None:
    stancebank(tmp_path, "server", "start")
    paths = [f"/{n}" for n in range(30)]
    site.pages |= dict.fromkeys(paths, story())
    site.add_feed(*paths)
    write_config(tmp_path, f'feeds = ["{site.url}/feed.xml"]', crawl_delay=0.3)
    program = Path(sys.executable).with_name("stancebank")
    process = subprocess.Popen(
        [program, "collect", "feeds.toml", "--no-build"], cwd=tmp_path, env=environment
    )
    wait_until(lambda: site.times("/4") == 1)
    process.kill()
    process.wait()
    write_config(tmp_path, f'feeds = ["{site.url}/feed.xml"]')
    done = stancebank(tmp_path, "collect", "feeds.toml", "--no-build")
    assert done.returncode == 0, done.stderr
    assert stored(site, tmp_path) == sorted(paths)
    assert list(tmp_path.rglob("*.part")) == []


def wait_until(happened: Callable[[], bool]) -> None:
    for _ in range(1200):
        if happened():
            return
        time.sleep(0.1)
    pytest.fail("did not happen within two minutes")
