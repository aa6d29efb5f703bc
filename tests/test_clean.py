"""Cleaning on pages written for the purpose (tests/pages), through the public functions."""

import hashlib
import json
import time
from pathlib import Path

import polars as pl
import pytest

from flows.clean import CleanArticle, clean_html, clean_text
from flows.clean.dates import parse_date
from flows.clean.explain import explain
from flows.clean.filter import clean_lines
from flows.clean.shard import clean_shard
from flows.clean.urls import canonical_url
from schemas.articles import Articles, ArticleSignatures, RemovedLines
from schemas.ids import article_id, statement_id
from schemas.operations import Rejects

PAGES = Path(__file__).parent / "pages"


def page(name: str) -> str:
    return (PAGES / name).read_text(encoding="utf-8")


def reasons(article: CleanArticle) -> dict[str, str]:
    return {gone.line: gone.reason for gone in article.removed}


class TestPlainText:
    def test_dump_with_comment_form(self) -> None:
        article = clean_text(page("wordpress_dump.txt"))
        assert article.text.startswith("Harbour minister Ines Vardal on Monday ruled out")
        assert article.text.endswith("carries 31,000 vehicles a day.")
        assert article.title == "Harbour minister rules out toll on Osper bridge"
        assert article.authors == ("Ruth Calder",)
        assert article.published is not None
        assert article.published.at.isoformat() == "2019-03-04T00:00:00"
        assert (article.published.precision, article.published.source) == ("day", "text")
        assert article.language == "en"

    def test_every_removed_line_has_its_reason(self) -> None:
        why = reasons(clean_text(page("wordpress_dump.txt")))
        assert why["Harbour minister rules out toll on Osper bridge"] == "lifted: headline"
        assert why["By Ruth Calder"] == "lifted: byline"
        assert why["Leave a Reply Cancel reply"] == "template: comment_form"
        assert why["%d bloggers like this:"] == "template: jetpack_like"
        akismet = "This site uses Akismet to reduce spam. Learn how your comment data is processed."
        assert why[akismet] == "template: akismet"

    def test_nothing_vanishes(self) -> None:
        raw = page("wordpress_dump.txt")
        article = clean_text(raw)
        lines = [line for line in raw.split("\n") if line.strip()]
        accounted = [*article.text.split("\n\n"), *(gone.line for gone in article.removed)]
        assert sorted(accounted) == sorted(lines)

    def test_comments_of_readers_go(self) -> None:
        article = clean_text(page("comment_section.txt"))
        assert article.text.endswith("a lasting answer before the next budget.")
        assert "nightowl77" not in article.text

    def test_wrapped_lines_become_whole_paragraphs(self) -> None:
        article = clean_text(page("wrapped.txt"))
        assert article.text.count("\n\n") == 2
        assert "the fishing fleet to accept lower quotas until the stocks recover." in article.text

    def test_typographic_marks_stay(self) -> None:
        line = "“I’d rather wait – and see…”, said the minister, who had said as much in May."
        article = clean_text(f"{line}\n\n{line.replace('wait', 'stay')}")
        assert article.text.split("\n\n")[0] == line

    def test_mojibake_is_repaired_and_told(self) -> None:
        article = clean_text(page("mojibake.txt"))
        assert "what she called a “chaotic” start" in article.text
        assert "A naïve plan" in article.text
        assert "café owners’ guild" in article.text
        told = [gone.line for gone in article.removed if gone.reason.startswith("encoding")]
        assert len(told) == 2
        assert "â€œchaotic" in told[0]

    def test_decomposed_letters_are_composed(self) -> None:
        article = clean_text("The cafe\u0301 owners rejected the plan, the guild said on Monday.")
        assert "café" in article.text

    def test_known_title_is_the_only_headline_lifted(self) -> None:
        text = "Not next year\n\nThe minister said on Monday that there would be no toll at all."
        assert clean_text(text, title="Toll ruled out").text.startswith("Not next year")
        assert not clean_text(text, title="Not next year").text.startswith("Not next year")

    def test_one_sentence_is_an_article(self) -> None:
        sentence = "Minister Ines Vardal said on Monday that she would resign."
        assert clean_text(sentence).text == sentence

    def test_seed_article_is_whole(self, shared_data: Path) -> None:
        raw = next((shared_data / "seed").glob("*.txt")).read_text(encoding="utf-8")
        article = clean_text(raw)
        assert article.title == "Ayatollah Khamenei: No direct talks with Trump"
        title, *body = [line for line in raw.split("\n") if line.strip()]
        end = next(n for n, line in enumerate(body) if line.startswith("Leave a Reply"))
        assert article.text.split("\n\n") == body[:end]
        assert title == article.title


class TestHtml:
    def test_article_without_what_surrounds_it(self) -> None:
        article = clean_html(page("share_bars.html"))
        assert article.text.startswith("Senator Dorothea Hale vowed on Tuesday")
        assert article.text.endswith("according to the clerk of the chamber.")
        for foreign in ("Share on Facebook", "laker_01", "recipes", "newsletter", "All rights"):
            assert foreign not in article.text

    def test_block_quotes_stay(self) -> None:
        assert (
            "Nobody in this state voted to sell the lake."
            in clean_html(page("share_bars.html")).text
        )

    def test_metadata(self) -> None:
        article = clean_html(
            page("share_bars.html"), "https://m.lakesidecourier.example/x?utm_id=1"
        )
        assert article.title == "Senator Hale vows to block water bill"
        assert article.authors == ("Mina Okafor", "Leo Brandt")
        assert article.outlet == "The Lakeside Courier"
        assert article.published is not None
        assert article.published.at.isoformat() == "2021-05-18T07:30:00"
        assert (article.published.precision, article.published.source) == ("second", "json-ld")
        assert article.modified_at is not None
        assert article.modified_at.isoformat() == "2021-05-18T09:05:10"

    def test_impossible_date_is_refused_and_kept_as_printed(self) -> None:
        html = page("share_bars.html").replace("2021", "2991")
        article = clean_html(html)
        assert article.published is None
        assert article.rejected_dates == (
            "2991-05-18T09:30:00+02:00",
            "1970-01-01T00:00:00Z",
            "2991-05-18T11:05:10+02:00",
        )

    def test_language_by_content_not_by_tag(self) -> None:
        article = clean_html(page("german.html"))
        assert article.language == "de"
        assert "„Wir können den Kindern nicht erklären" in article.text
        assert "Impressum" not in article.text
        assert article.title == "Landrätin fordert mehr Geld für Schulen"

    def test_fast_mode_says_so(self) -> None:
        article = clean_html(page("share_bars.html"), fast=True)
        assert "vowed on Tuesday to block the water bill" in article.text
        assert article.cleaner_version.endswith("-fast")

    @pytest.mark.parametrize(
        "html",
        [
            "",
            "\0" * 1000,
            "%PDF-1.4 \x01\x02 stream",
            "<html><body></body></html>",
            "<div>" * 100_000 + "</div>" * 100_000,
            "<p>" + "x" * 11_000_000,
        ],
        ids=["empty", "nuls", "binary", "no-text", "nesting", "huge"],
    )
    def test_hopeless_pages_give_nothing_in_bounded_time(self, html: str) -> None:
        start = time.monotonic()
        assert clean_html(html).text == ""
        assert time.monotonic() - start < 20

    def test_absurd_nesting_loses_no_text(self) -> None:
        sentence = "The minister said on Monday that there would be no toll on the bridge."
        article = clean_html("<div>" * 50_000 + f"<p>{sentence}</p>" + "</div>" * 50_000)
        assert article.text == sentence

    def test_fragment_without_html_element(self) -> None:
        sentence = "The minister said on Monday that there would be no toll on the bridge."
        assert clean_html(f"<p>{sentence}</p>").text == sentence


class TestDatesAndAddresses:
    @pytest.mark.parametrize(
        ("printed", "at", "precision"),
        [
            ("2018-08-14T10:30:15+02:00", "2018-08-14T08:30:15", "second"),
            ("2018-08-14T10:30Z", "2018-08-14T10:30:00", "minute"),
            ("2018-08-14T10:30:15", "2018-08-14T00:00:00", "day"),
            ("2018-08-14T00:00:00Z", "2018-08-14T00:00:00", "day"),
            ("20180814", "2018-08-14T00:00:00", "day"),
            ("2018-08", "2018-08-01T00:00:00", "month"),
            ("2018", "2018-01-01T00:00:00", "year"),
            ("Tue, 14 Aug 2018 10:30:15 GMT", "2018-08-14T10:30:15", "second"),
            ("August 14th, 2018", "2018-08-14T00:00:00", "day"),
            ("14 Aug. 2018", "2018-08-14T00:00:00", "day"),
            ("1534242615", "2018-08-14T10:30:15", "second"),
            ("1534242615000", "2018-08-14T10:30:15", "second"),
        ],
    )
    def test_dates(self, printed: str, at: str, precision: str) -> None:
        parsed = parse_date(printed)
        assert parsed is not None
        assert (parsed.at.isoformat(), parsed.precision) == (at, precision)

    @pytest.mark.parametrize("printed", ["", "soon", "32 August 2018", "2018-13-40", "0000"])
    def test_what_is_no_date(self, printed: str) -> None:
        assert parse_date(printed) is None

    @pytest.mark.parametrize("printed", ["1970-01-01", "2999-01-01"])
    def test_impossible_dates(self, printed: str) -> None:
        parsed = parse_date(printed)
        assert parsed is not None
        assert not parsed.is_possible()

    @pytest.mark.parametrize(
        ("url", "canonical"),
        [
            (
                "https://m.news.example/a?id=7&utm_source=x&fbclid=1#top",
                "https://news.example/a?id=7",
            ),
            ("https://News.Example/a/amp/", "https://news.example/a/"),
            ("https://news.example", "https://news.example/"),
            ("file:///tmp/a.html", None),
            ("http://[broken", None),
        ],
    )
    def test_canonical_address(self, url: str, canonical: str | None) -> None:
        assert canonical_url(url) == canonical

    def test_declared_address_must_be_of_the_same_site(self) -> None:
        own = "https://news.example.com/a?x=1"
        assert canonical_url(own, "https://news.example.com/a") == "https://news.example.com/a"
        assert canonical_url(own, "https://other.example.org/a") == own
        assert canonical_url(own, "https://news.example.com/") == own


class TestIds:
    def test_article_is_named_by_address_then_place_then_bytes(self) -> None:
        names = {
            article_id(
                canonical_url=url, outlet=outlet, title="A  title", published_on=day, raw_sha256="a"
            )
            for url, outlet, day in [("https://x.example/", "X", None), (None, "X", "2018-08-14"),
                                     (None, "X", None)]
        }  # fmt: skip
        assert len(names) == 3
        assert all(len(name) == 20 for name in names)

    def test_statement_survives_layout_and_marks(self) -> None:
        first = statement_id("a", "body", "There will be  NO war", 0)
        assert first == statement_id("a", "body", "“there will be no war”", 0)
        assert first != statement_id("a", "body", "there will be no war", 1)
        assert first != statement_id("a", "title", "there will be no war", 0)


class TestFilter:
    def test_pages_in_texts_out(self) -> None:
        pages = [
            json.dumps({"id": "a", "html": page("share_bars.html")}),
            "",
            json.dumps({"id": "b", "text": page("wordpress_dump.txt")}),
        ]
        first, second = map(json.loads, clean_lines(pages))
        assert set(first) == {
            "id", "text", "title", "authors", "published_at", "outlet", "language", "removed",
        }  # fmt: skip
        assert first["published_at"] == "2021-05-18T07:30:00Z"
        assert second["published_at"] == "2019-03-04"
        assert {"line", "reason"} == set(second["removed"][0])

    def test_bad_lines_are_named_and_the_run_goes_on(self) -> None:
        lines = ["[1", '{"text": "x"}', '{"id": 3}', "[]", '{"id": 5, "html": 5}', "null",
                 '{"id": 7, "text": "The minister said so on Monday."}']  # fmt: skip
        *bad, good = map(json.loads, clean_lines(lines))
        assert [row["id"] for row in bad] == [None, None, 3, None, 5, None]
        for number, row in enumerate(bad, 1):
            assert row["error"].startswith(f"line {number}: ")
        assert good["text"] == "The minister said so on Monday."


class TestExplain:
    def test_lines_stand_in_order_with_reasons(self) -> None:
        raw = page("wordpress_dump.txt")
        shown = explain(clean_text(raw), raw)
        assert "  [template: akismet]\n- This site uses Akismet" in shown
        assert shown.index("lifted: headline") < shown.index("ruled out a toll on the Osper")

    def test_page_shows_text_then_what_was_removed(self) -> None:
        shown = explain(clean_html(page("share_bars.html")))
        assert "title: Senator Hale vows to block water bill" in shown
        assert shown.index("  Senator Dorothea Hale") >= 0


def intake_row(content: str, kind: str, **fields: object) -> dict[str, object]:
    row = {
        "raw_file": "raw/pages.zip",
        "raw_member": "a.html",
        "raw_sha256": hashlib.sha256(content.encode()).hexdigest(),
        "kind": kind,
        "content": content,
        "url": None,
        "title": None,
        "outlet": None,
        "authors": [],
        "published_at": None,
    }
    return row | fields


INTAKE = dict.fromkeys(intake_row("", "text"), pl.String) | {"authors": pl.List(pl.String)}


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    rows = [
        intake_row(page("share_bars.html"), "html", published_at="1066-10-14"),
        intake_row(
            page("wordpress_dump.txt"), "text", raw_member="b.txt", title="Toll ruled out",
            outlet="Osper Times", authors=["R. C."], published_at="2019-03-05",
        ),
        intake_row(page("german.html"), "html", raw_member="c.html"),
        intake_row("\0\0", "html", raw_member="d.html"),
        intake_row("Home\nMenu\n", "text", raw_member="e.txt"),
        intake_row(page("german.html"), "html", raw_member="f.html"),
    ]  # fmt: skip
    pl.DataFrame(rows, schema=INTAKE).write_parquet(tmp_path / "intake.parquet")
    clean_shard(tmp_path / "intake.parquet", tmp_path / "out")
    return tmp_path / "out"


class TestShard:
    def test_tables_keep_to_the_schema(self, shard: Path) -> None:
        for table in (Articles, RemovedLines, ArticleSignatures, Rejects):
            frame = pl.read_parquet(shard / f"{table.table_name()}.parquet")
            table.schema().validate(frame.with_columns(run_id=pl.lit("r")).select(*table.columns()))
        assert not list(shard.glob("*.tmp"))

    def test_metadata_of_the_input_wins(self, shard: Path) -> None:
        row = pl.read_parquet(shard / "articles.parquet").row(
            by_predicate=pl.col("raw_member") == "b.txt", named=True
        )
        assert (row["title"], row["outlet"]) == ("Toll ruled out", "Osper Times")
        assert row["authors"] == ["R. C."]
        assert row["published_at"].isoformat() == "2019-03-05T00:00:00"
        assert row["published_source"] == "input"

    def test_languages_without_extraction_are_marked(self, shard: Path) -> None:
        status = pl.read_parquet(shard / "articles.parquet").select("language", "extraction_status")
        assert set(status.rows()) == {("en", "extracted"), ("de", "unsupported_language")}

    def test_what_does_not_pass_is_rejected_with_a_reason(self, shard: Path) -> None:
        rejects = pl.read_parquet(shard / "rejects.parquet")
        why = dict(rejects.select("raw_member", "reason").rows())
        assert set(rejects["stage"]) == {"clean"}
        assert "1990" in why["a.html"]
        assert "1066-10-14" in rejects["payload"].to_list()
        assert why["d.html"] == "page: no HTML in it"
        assert why["e.txt"].startswith("no article text")
        assert "older version" in why["c.html"]
        assert "f.html" not in why
