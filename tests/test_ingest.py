"""Ingest: files of every format become shards of articles, bad ones become rejects."""

import bz2
import csv
import gzip
import hashlib
import io
import json
import lzma
import os
import tarfile
import zipfile
from pathlib import Path

import polars as pl
import pytest
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from flows.ingest import Intake, MappingError, NothingFoundError, find_files, ingest
from schemas.records import Reject

SAMPLES = Path(__file__).parent.parent / "raw"
STORY = "Minister backs treaty\n\nThe minister said “we will sign it” on Monday — twice.\n"
PAGE = f"<!DOCTYPE html><html><head><title>T</title></head><body><p>{STORY}</p></body></html>"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Ingest the files below tmp_path/in, which is the working directory."""
    folder = tmp_path / "in"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def call(*paths: str, known: frozenset[str] = frozenset(), **options) -> Intake:
        return ingest(find_files(paths or ["."]), known, tmp_path / "shards", **options)

    return call


@pytest.fixture(scope="module")
def samples(tmp_path_factory) -> Intake:
    return ingest(find_files([str(SAMPLES)]), frozenset(), tmp_path_factory.mktemp("shards"))


def rows(intake: Intake) -> list[dict]:
    return [row for shard in intake.shards for row in pl.read_parquet(shard.path).to_dicts()]


def only_reject(intake: Intake) -> Reject:
    assert rows(intake) == []
    assert len(intake.rejects) == 1
    return intake.rejects[0]


def jsonl(*records: object) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def zipped(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def tarred(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def warc(*pages: tuple[str, str, bytes], packed: bool = False, **http: str) -> bytes:
    """Responses, each given as its URL, media type and body."""
    buffer = io.BytesIO()
    writer = WARCWriter(buffer, gzip=packed)
    writer.write_record(writer.create_warcinfo_record("x.warc", {"software": "tests"}))
    for url, medium, body in pages:
        fields = [("Content-Type", medium), *http.items()]
        headers = StatusAndHeaders("200 OK", fields, protocol="HTTP/1.1")
        writer.write_record(
            writer.create_warc_record(
                url, "response", payload=io.BytesIO(body), http_headers=headers
            )
        )
    return buffer.getvalue()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class TestFormats:
    def test_text(self, run):
        Path("a.txt").write_text(STORY)
        intake = run()
        assert rows(intake) == [
            {
                "raw_file": "a.txt",
                "raw_member": None,
                "raw_sha256": sha256(STORY.encode()),
                "kind": "text",
                "content": STORY,
                "url": None,
                "title": None,
                "outlet": None,
                "authors": [],
                "published_at": None,
            }
        ]
        (source,) = intake.sources
        assert (source.raw_file, source.raw_member, source.status) == ("a.txt", "", "loaded")
        assert (source.raw_bytes, source.records) == (len(STORY.encode()), 1)

    def test_html_is_known_by_its_content(self, run):
        Path("page.txt").write_text(PAGE)
        assert [row["kind"] for row in rows(run())] == ["html"]

    @pytest.mark.parametrize("start", ["MZUZU: ", "RIFF ", "BZh ", "ID3 ", '"Text" '])
    def test_text_that_begins_like_a_binary_format(self, run, start):
        Path("a.txt").write_text(start + STORY)
        assert [row["content"] for row in rows(run())] == [start + STORY]

    def test_json_lines_fields(self, run):
        record = {
            "id": 7,
            "url": "https://a.example/1",
            "title": "T",
            "text": STORY,
            "outlet": "The A",
            "author": ["Jo Doe", "Al Roe"],
            "published_at": "2026-01-02",
        }
        Path("b.jsonl").write_bytes(jsonl(record, {"html": PAGE, "author": "Jo Doe; Al Roe"}))
        first, second = rows(run())
        assert {name: first[name] for name in ("url", "title", "outlet", "published_at")} == {
            name: record[name] for name in ("url", "title", "outlet", "published_at")
        }
        assert first["authors"] == second["authors"] == ["Jo Doe", "Al Roe"]
        assert (first["kind"], second["kind"]) == ("text", "html")
        assert (first["raw_member"], second["raw_member"]) == ("line 1", "line 2")
        assert first["raw_sha256"] == sha256(json.dumps(record).encode())

    @pytest.mark.parametrize("indent", [None, 2])
    def test_json_array_and_object(self, run, indent):
        Path("many.json").write_text(json.dumps([{"text": "one"}, {"text": "two"}], indent=indent))
        Path("single.json").write_text(json.dumps({"text": "three"}, indent=indent))
        found = rows(run())
        assert [row["content"] for row in found] == ["one", "two", "three"]
        assert found[1]["raw_member"] == "record 2"

    def test_json_array_larger_than_the_window(self, run):
        records = [{"text": f"{number} {STORY * 40}"} for number in range(500)]
        Path("big.json").write_text(json.dumps(records))
        assert [row["content"] for row in rows(run())] == [record["text"] for record in records]

    @pytest.mark.parametrize("delimiter", [",", ";", "\t"])
    def test_csv(self, run, delimiter):
        with Path("t.csv").open("w", newline="") as file:
            writer = csv.writer(file, delimiter=delimiter)
            writer.writerow(["id", "title", "Text", "author"])
            writer.writerow(["1", "A, B; C", STORY, "Jo Doe"])
            writer.writerow(["2", "D", "short, and; sweet", ""])
        first, second = rows(run())
        assert first["content"] == STORY
        assert (first["title"], first["authors"]) == ("A, B; C", ["Jo Doe"])
        assert (first["raw_member"], second["raw_member"]) == ("line 2", "line 6")

    def test_parquet(self, run):
        frame = pl.DataFrame(
            {"text": ["one", "two"], "author": [["Jo"], None], "html": [b"", "<p>café".encode()]}
        )
        frame = frame.with_columns(published_at=pl.lit("2026-05-06").str.to_date())
        frame.write_parquet("p.parquet")
        Path("q.parquet.gz").write_bytes(gzip.compress(Path("p.parquet").read_bytes() + b""))
        found = rows(run("p.parquet"))
        assert [row["content"] for row in found] == ["one", "<p>café"]
        assert [row["authors"] for row in found] == [["Jo"], []]
        assert {row["published_at"] for row in found} == {"2026-05-06"}
        assert len(rows(run("q.parquet.gz"))) == 2

    @pytest.mark.parametrize("packed", [True, False])
    def test_warc(self, run, packed):
        pages = [
            ("https://a.example/1", "text/html; charset=iso-8859-1", "<p>caf\xe9".encode("latin-1"))
        ]
        pages += [("https://a.example/2", "image/png", b"\x89PNG")] * 2
        pages += [("https://a.example/3", "text/plain", STORY.encode())]
        Path("c.warc.gz" if packed else "c.warc").write_bytes(warc(*pages, packed=packed))
        intake = run()
        assert [(row["url"], row["kind"]) for row in rows(intake)] == [
            ("https://a.example/1", "html"),
            ("https://a.example/3", "text"),
        ]
        assert rows(intake)[0]["content"] == "<p>café"
        assert rows(intake)[0]["raw_member"] == "record 2"
        (reject,) = intake.rejects
        assert "left out 2 x a record that is no page" in reject.reason
        assert "image/png" in reject.reason

    def test_warc_with_chunked_and_gzipped_content(self, run):
        body = gzip.compress(PAGE.encode())
        chunked = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        headers = {"Content-Encoding": "gzip", "Transfer-Encoding": "chunked"}
        Path("c.warc").write_bytes(warc(("https://a.example/", "text/html", chunked), **headers))
        assert [row["content"] for row in rows(run())] == [PAGE]

    def test_wet(self, run):
        buffer = io.BytesIO()
        writer = WARCWriter(buffer, gzip=True)
        record = writer.create_warc_record(
            "https://a.example/w",
            "conversion",
            payload=io.BytesIO(STORY.encode()),
            warc_content_type="text/plain",
        )
        writer.write_record(record)
        Path("c.warc.wet.gz").write_bytes(buffer.getvalue())
        (row,) = rows(run())
        assert (row["url"], row["content"]) == ("https://a.example/w", STORY)
        assert row["published_at"] is None

    @pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
    def test_compressed(self, run, pack):
        Path("b.jsonl.packed").write_bytes(pack(jsonl({"text": "one"}, {"text": "two"})))
        assert [row["content"] for row in rows(run())] == ["one", "two"]

    def test_archives_and_their_members(self, run):
        inner = zipped(**{"deep.txt": b"deep in"})
        members = {
            "a/one.txt": b"one",
            "b.jsonl.gz": gzip.compress(jsonl({"text": "two"})),
            "inner.zip": inner,
            ".hidden": b"no",
            "__MACOSX/x.txt": b"no",
        }
        Path("z.zip").write_bytes(zipped(**members))
        zip_intake = run("z.zip")
        Path("t.tar.gz").write_bytes(gzip.compress(tarred(members)))
        tar_intake = run("t.tar.gz")
        for intake in (zip_intake, tar_intake):
            assert [(row["raw_member"], row["content"]) for row in rows(intake)] == [
                ("a/one.txt", "one"),
                ("b.jsonl.gz:line 1", "two"),
                ("inner.zip/deep.txt", "deep in"),
            ]
            assert [source.raw_member for source in intake.sources] == [
                "a/one.txt",
                "b.jsonl.gz",
                "inner.zip/deep.txt",
                "inner.zip",
                "",
            ]
            assert intake.sources[-1].records == 3
            assert intake.rejects == []

    def test_mapping(self, run):
        Path("m.jsonl").write_bytes(jsonl({"body": "one", "headline": "H"}))
        assert only_reject(run()).reason.count("'body'") == 1
        (row,) = rows(run(mapping={"text": "body", "title": "headline"}))
        assert (row["content"], row["title"]) == ("one", "H")
        with pytest.raises(MappingError, match="'txt'"):
            run(mapping={"txt": "body"})


class TestEncodings:
    @pytest.mark.parametrize(
        "encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "utf-32", "utf-16-le"]
    )
    def test_text_in_usual_encodings(self, run, encoding):
        Path("a.txt").write_bytes((STORY * 3).encode(encoding))
        Path("b.csv").write_bytes("text,title\n“quoted”,café\n".encode(encoding))
        text, table = rows(run())
        assert text["content"] == STORY * 3
        assert (table["content"], table["title"]) == ("“quoted”", "café")

    @pytest.mark.parametrize(
        ("encoding", "text"),
        [
            ("cp1252", "O ministro afirmou que não haverá negociação. A oposição está à espera."),
            ("cp1250", "Minister powiedział, że ustawa będzie głosowana w przyszłym tygodniu."),
            ("cp1251", "Министр заявил, что санкции будут отменены до конца года."),
            ("shift_jis", "首相は条約に反対すると述べた。経済制裁は続く見通しだ。"),
        ],
    )
    def test_undeclared_legacy_encodings(self, run, encoding, text):
        Path("a.txt").write_bytes(text.encode(encoding))
        assert [row["content"] for row in rows(run())] == [text]

    def test_encoding_declared_in_html(self, run):
        page = "<html><head><meta charset='koi8-r'></head><p>Да</p>"
        Path("a.html").write_bytes(page.encode("koi8-r"))
        assert [row["content"] for row in rows(run())] == [page]

    def test_one_broken_byte_does_not_spoil_a_utf8_page(self, run):
        Path("a.txt").write_bytes((STORY * 9).encode() + b"\xe2\x80")
        assert rows(run())[0]["content"].startswith(STORY)

    def test_lone_surrogates_are_replaced(self, run):
        Path("a.jsonl").write_text('{"text": "bad \\ud800 good \\ud83d\\ude00"}\n')
        assert rows(run())[0]["content"] == "bad \ufffd good 😀"


class TestIncrement:
    def test_known_files_and_members_are_skipped(self, run):
        Path("a.txt").write_text("one")
        Path("z.zip").write_bytes(zipped(**{"x.txt": b"two", "y.txt": b"three"}))
        first = run()
        known = frozenset(source.raw_sha256 for source in first.sources)
        again = run(known=known)
        assert (again.shards, again.sources, again.rejects, again.skipped) == ([], [], [], 2)
        Path("z.zip").write_bytes(zipped(**{"x.txt": b"two", "y.txt": b"new"}))
        changed = run(known=known)
        assert [row["content"] for row in rows(changed)] == ["new"]
        assert [(seen.raw_file, seen.raw_member) for seen in changed.unchanged] == [
            ("a.txt", ""),
            ("z.zip", "x.txt"),
        ]

    def test_same_bytes_are_read_once(self, run):
        Path("a.txt").write_text("one")
        Path("b.txt").write_text("one")
        intake = run()
        assert intake.articles == 1
        assert [seen.raw_file for seen in intake.unchanged] == ["b.txt"]

    def test_limit_does_not_mark_the_cut_file(self, run):
        Path("a.jsonl").write_bytes(jsonl({"text": "1"}, {"text": "2"}))
        Path("b.jsonl").write_bytes(jsonl({"text": "3"}, {"text": "4"}))
        assert [source.raw_file for source in run(limit=2).sources] == ["a.jsonl"]
        cut = run(limit=3)
        assert cut.articles == 3
        assert [source.raw_file for source in cut.sources] == ["a.jsonl"]

    def test_shards_are_bounded_deterministic_and_reused(self, run):
        Path("a.jsonl").write_bytes(jsonl(*({"text": f"article {n}"} for n in range(250))))
        first = run()
        assert [shard.rows for shard in first.shards] == [100, 100, 50]
        stamps = [shard.path.stat().st_mtime_ns for shard in first.shards]
        second = run()
        assert second.shards == first.shards
        assert [shard.path.stat().st_mtime_ns for shard in second.shards] == stamps
        folder = first.shards[0].path.parent
        assert sorted(folder.iterdir()) == sorted(shard.path for shard in first.shards)

    def test_a_large_article_fills_a_shard(self, run):
        Path("a.jsonl").write_bytes(jsonl(*({"text": f"{n}" * 3_000_000} for n in range(3))))
        assert [shard.rows for shard in run().shards] == [1, 1, 1]


class TestFinding:
    def test_folders_globs_and_hidden_files(self, run):
        for name in ("b/2.txt", "b/1.txt", "b/.no", "b/.git/x", "b/README.md", "c.txt"):
            Path(name).parent.mkdir(parents=True, exist_ok=True)
            Path(name).write_text(name)
        assert [str(path) for path in find_files(["b", "*.txt", "b/1.txt"])] == [
            "b/1.txt",
            "b/2.txt",
            "c.txt",
        ]

    def test_names_with_glob_characters(self, run):
        Path("a[1].txt").write_text("x")
        assert find_files(["a[1].txt"]) == [Path("a[1].txt")]

    @pytest.mark.parametrize("missing", ["nowhere.txt", "*.none", "empty"])
    def test_nothing_found_is_an_error_that_names_it(self, run, missing):
        Path("empty").mkdir()
        with pytest.raises(NothingFoundError, match=missing.replace("*", r"\*")):
            find_files([missing])

    def test_a_loop_of_links_ends(self, run):
        Path("d").mkdir()
        Path("d/a.txt").write_text("x")
        Path("d/loop").symlink_to("..", target_is_directory=True)
        assert [path.name for path in find_files(["d"])] == ["a.txt"]

    def test_a_file_elsewhere_has_an_absolute_name(self, run, tmp_path):
        (tmp_path / "out.txt").write_text("x")
        assert rows(run("../out.txt"))[0]["raw_file"] == (tmp_path / "out.txt").as_posix()


class TestBadInput:
    @pytest.mark.parametrize(
        ("name", "data", "reason"),
        [
            ("empty.txt", b"", "empty"),
            ("blank.txt", b" \n\n", "empty"),
            ("binary.txt", bytes(range(256)) * 20, "binary"),
            ("image.html", b"\x89PNG\r\n\x1a\n" + bytes(50), "PNG image"),
            ("paper.pdf", b"%PDF-1.7 ...", "a PDF"),
            ("deck.ps", b"%!PS-Adobe-3.0", "PostScript"),
            ("style.css", b"body { color: red }", "not supported"),
            ("feed.xml", b"<?xml version='1.0'?><rss></rss>", "not supported"),
            ("half.parquet", b"PAR1" + bytes(100), "damaged Parquet"),
            ("no.parquet", b"nothing like it", "does not begin as"),
            ("half.zip", zipped(**{"a.txt": b"abc"})[:-30], "damaged zip"),
            ("doc.docx", zipped(**{"[Content_Types].xml": b"<x/>"}), "Office document"),
            ("twice.gz", gzip.compress(gzip.compress(b"abc")), "compressed twice"),
            ("cut.txt.gz", gzip.compress(STORY.encode())[:50], "gzip data is cut"),
            ("nocolumn.csv", b"a,b\n1,2\n", "has no column 'text'"),
            ("header.csv", b"id,text\n", "holds no articles"),
            ("quote.csv", b'text\n"' + (b"a" * 99 + b"\n") * 220_000, "quotation mark"),
            ("list.json", b'[{"text": ', "is not JSON"),
            ("deep.jsonl", b"[" * 100_000, "is not JSON"),
            ("number.jsonl", b'{"text": 5}\n', "'text' must be text"),
            ("author.jsonl", b'{"text": "x", "author": {"a": 1}}\n', "'author' must be"),
            ("line.jsonl", b"123\n", "JSON int"),
            ("long.jsonl", b'{"text": "' + b"a" * 21_000_000 + b'"}\n', "longer than 20 MB"),
            ("long.html", b"<html>" + b"a" * 21_000_000, "longer than 20 MB"),
            ("bomb.txt.gz", gzip.compress(bytes(100_000_000)), "binary"),
            ("bomb.jsonl.gz", gzip.compress(b"{}\n" + b" " * 60_000_000), "bomb"),
            ("bomb.zip", zipped(**{"a.txt": b" " * 60_000_000}), "bomb"),
        ],
    )
    def test_is_rejected_with_a_reason(self, run, name, data, reason):
        Path(name).write_bytes(data)
        intake = run(name)
        assert rows(intake) == []
        assert any(reason in reject.reason for reject in intake.rejects), intake.rejects
        assert {reject.raw_file for reject in intake.rejects} == {name}
        assert {reject.stage for reject in intake.rejects} == {"ingest"}

    def test_the_good_lines_of_a_bad_file_are_kept(self, run):
        lines = [b'{"text": "one"}', b"not json", b"", b'{"text": \xff', b'{"text": "two"}']
        Path("a.jsonl").write_bytes(b"\n".join(lines))
        intake = run()
        assert [row["content"] for row in rows(intake)] == ["one", "two"]
        assert [reject.raw_member for reject in intake.rejects] == ["line 2", "line 4"]
        assert intake.rejects[0].payload == "not json"
        assert (intake.sources[0].status, intake.sources[0].records) == ("loaded", 4)

    def test_a_file_of_bad_lines_only_does_not_flood_the_rejects(self, run):
        Path("a.jsonl").write_bytes(jsonl(*({"body": "x"} for _ in range(10_050))))
        intake = run()
        assert len(intake.rejects) == 10_001
        assert "50 more records" in intake.rejects[-1].reason
        assert intake.sources[0].records == 10_050

    def test_records_before_a_cut_in_gzip_are_kept(self, run):
        records = [{"text": os.urandom(500).hex()} for _ in range(100)]
        data = gzip.compress(jsonl(*records))
        for name in ("a.jsonl.gz", "b.csv.gz"):
            body = (
                data
                if "json" in name
                else gzip.compress(
                    b"text\n" + b"".join(b"%s\n" % record["text"].encode() for record in records)
                )
            )
            Path(name).write_bytes(body[: len(body) // 2])
            intake = run(name)
            kept = [row["content"] for row in rows(intake)]
            assert 30 < len(kept) < 60
            assert kept == [record["text"] for record in records[: len(kept)]]
            (reject,) = intake.rejects
            assert "cut off" in reject.reason

    def test_members_before_a_cut_in_a_tar_are_kept(self, run):
        members = {f"{number}.txt": os.urandom(500).hex().encode() for number in range(50)}
        data = gzip.compress(tarred(members))
        Path("t.tar.gz").write_bytes(data[: len(data) // 2])
        intake = run()
        assert 15 < len(rows(intake)) < 30
        assert [row["content"].encode() for row in rows(intake)] == list(members.values())[
            : len(rows(intake))
        ]
        assert "cut off" in intake.rejects[-1].reason

    def test_a_tar_damaged_in_the_middle_says_so(self, run):
        data = bytearray(tarred({"a.txt": b"one", "b.txt": b"two", "c.txt": b"three"}))
        data[1024:1124] = b"x" * 100
        Path("t.tar").write_bytes(data)
        intake = run()
        assert [row["content"] for row in rows(intake)] == ["one"]
        assert "damaged tar" in intake.rejects[0].reason

    def test_names_that_lead_out_of_an_archive(self, run, tmp_path):
        members = {"../evil.txt": b"one", "/abs.txt": b"two", "C:\\x.txt": b"three", "ok.txt": b"4"}
        Path("t.tar").write_bytes(tarred(members))
        Path("z.zip").write_bytes(zipped(**members))
        for name in ("t.tar", "z.zip"):
            intake = run(name)
            assert [row["raw_member"] for row in rows(intake)] == ["ok.txt"]
            assert all("leads out" in reject.reason for reject in intake.rejects)
            assert len(intake.rejects) == 3
        assert not (tmp_path / "evil.txt").exists()

    def test_archives_too_deep(self, run):
        data = zipped(**{"c.txt": b"deep"})
        for _ in range(2):
            data = zipped(**{"inner.zip": data})
        Path("z.zip").write_bytes(data)
        reject = only_reject(run())
        assert reject.raw_member == "inner.zip/inner.zip"
        assert "archive inside an archive" in reject.reason

    def test_links_in_a_tar(self, run):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            info = tarfile.TarInfo("link.txt")
            info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
            archive.addfile(info)
        Path("t.tar").write_bytes(buffer.getvalue())
        assert "is a link" in only_reject(run()).reason

    def test_a_tar_header_that_would_fill_the_memory(self, run):
        header = tarfile.TarInfo("x")
        header.type, header.size = tarfile.XHDTYPE, 30 * 2**20
        data = tarred({"a.txt": b"one"})[:1024] + header.tobuf() + bytes(header.size)
        Path("t.tar").write_bytes(data)
        intake = run()
        assert [row["content"] for row in rows(intake)] == ["one"]
        assert "absurdly large header" in intake.rejects[0].reason

    @pytest.mark.parametrize(
        ("error", "kept"), [(-3, ["page 0", "page 2", "page 3"]), (50, ["page 0", "page 3"])]
    )
    def test_a_warc_record_with_a_wrong_length(self, run, error, kept):
        pages = [(f"https://a.example/{n}", "text/plain", b"page %d" % n) for n in range(4)]
        data = warc(*pages)
        starts = [n for n in range(len(data)) if data.startswith(b"WARC/1.0", n)]
        head, length, rest = data[starts[2] :].partition(b"Content-Length: ")
        true, rest = rest.split(b"\r\n", 1)
        wrong = head + length + b"%d\r\n" % (int(true) + error) + rest
        Path("c.warc").write_bytes(data[: starts[2]] + wrong)
        intake = run()
        assert [row["content"] for row in rows(intake)] == kept
        assert "wrong Content-Length" in intake.rejects[0].reason

    def test_an_encrypted_zip(self, run):
        data = bytearray(zipped(**{"a.txt": b"secret"}))
        data[6] |= 1
        data[data.index(b"PK\x01\x02") + 8] |= 1
        Path("z.zip").write_bytes(data)
        assert "encrypted" in only_reject(run()).reason

    def test_two_members_of_one_name_stay_apart(self, run):
        Path("t.tar").write_bytes(tarred({"a.txt": b"one"})[:1024] + tarred({"a.txt": b"two"}))
        intake = run()
        assert [row["raw_member"] for row in rows(intake)] == ["a.txt", "a.txt (2)"]

    def test_broken_warc_records(self, run):
        pages = [(f"https://a.example/{n}", "text/plain", b"page %d" % n) for n in range(4)]
        data = warc(*pages)
        starts = [n for n in range(len(data)) if data.startswith(b"WARC/1.0", n)]
        lied = data[starts[2] : starts[3]].replace(b"Content-Length: ", b"Content-Length: -")
        data = data[: starts[2]] + lied + data[starts[3] :]
        Path("c.warc").write_bytes(data[:-8])
        intake = run()
        assert [row["content"] for row in rows(intake)] == ["page 0", "page 2"]
        assert [reject.raw_member for reject in intake.rejects] == ["record 3", "record 5"]
        assert "cut off" in intake.rejects[1].reason

    def test_csv_rows_with_other_cells_than_the_header(self, run):
        Path("a.csv").write_bytes(b"id,text\n1,one\n2,two,three\n4\n5,five\n")
        intake = run()
        assert [row["content"] for row in rows(intake)] == ["one", "five"]
        assert [reject.raw_member for reject in intake.rejects] == ["line 3", "line 4"]

    def test_what_cannot_be_opened_is_no_source(self, run):
        Path("gone.txt").symlink_to("nothing")
        os.mkfifo("pipe")
        intake = run()
        assert [reject.raw_file for reject in intake.rejects] == ["gone.txt", "pipe"]
        assert intake.sources == []

    @pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
    def test_a_file_without_permission(self, run):
        Path("a.txt").write_text("x")
        Path("a.txt").chmod(0)
        assert "Permission denied" in only_reject(run()).reason


class TestSamples:
    def test_every_sample_is_accounted_for(self, samples):
        files = {path for path in SAMPLES.rglob("*") if path.is_file()} - {SAMPLES / "README.md"}
        assert {source.raw_file.split("raw/")[-1] for source in samples.sources} == {
            path.relative_to(SAMPLES).as_posix() for path in files
        }
        assert samples.articles == 32
        assert all(row["content"].strip() for row in rows(samples))

    def test_bad_samples_are_rejected_and_say_why(self, samples):
        reasons = {
            (Path(reject.raw_file or "").name, reject.raw_member): reject.reason
            for reject in samples.rejects
        }
        expected = {
            ("empty.txt", None): "empty",
            ("binary.txt", None): "binary",
            ("wrong-encoding.txt", None): "encoding",
            ("truncated.jsonl.gz", None): "cut off",
            ("broken-lines.jsonl", "line 2"): "not JSON",
            ("broken-lines.jsonl", "line 3"): "'text'",
            ("broken-lines.jsonl", "line 4"): "but is list",
        }
        assert all(word in reasons[place] for place, word in expected.items())
        assert {name for name, _ in set(reasons) - set(expected)} == {"lenna.warc.gz"}
