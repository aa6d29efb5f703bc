"""Releases of a warehouse built from raw/, written by the command line and read by others."""

import csv
import json
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq
import pytest
import yaml

from flows.export import (
    ReleaseError,
    ReleaseOrder,
    check_release,
    compare_releases,
    write_release,
)
from flows.export.checks import write_checksums
from flows.load.warehouse import open_readonly
from schemas.operations import Tombstones
from schemas.records import ReleaseFormat
from schemas.registry import TABLES
from schemas.releases import PUBLISHERS_TEXT, released_tables
from tests.conftest import Command
from tests.test_load import Loader, article

FLAT = "speaker_statement_stance"


@pytest.fixture(scope="module")
def release(samples: Path, stancebank: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release") / "all"
    done = stancebank(samples, "export", str(folder))
    assert done.returncode == 0, done.stderr
    return folder


def warehouse_rows(samples: Path, query: str) -> list[tuple[Any, ...]]:
    with open_readonly(samples / "warehouse" / "stancebank.duckdb") as connection:
        return connection.execute(query).fetchall()


def read(folder: Path, table: str) -> pl.DataFrame:
    return pl.read_parquet(folder / table / "**/*.parquet", hive_partitioning=False)


def package_of(folder: Path) -> dict[str, Any]:
    package: dict[str, Any] = json.loads((folder / "datapackage.json").read_text())
    return package


def test_every_table_is_in_a_folder_of_its_own_with_all_its_rows(
    samples: Path, release: Path
) -> None:
    assert not (release / "tombstones").exists()
    for name in (table.table_name() for table in TABLES if table is not Tombstones):
        ((rows,),) = warehouse_rows(samples, f"SELECT count(*) FROM {name}")
        if name == "runs":
            with (release / "runs.csv").open(newline="") as file:
                assert len(list(csv.DictReader(file))) == rows
        else:
            assert read(release, name).height == rows
    assert read(release, FLAT).height > 100


def test_texts_of_publishers_stay_out_unless_asked_for(
    samples: Path, release: Path, stancebank: Command, tmp_path: Path
) -> None:
    for table, columns in PUBLISHERS_TEXT.items():
        assert not set(columns) & set(read(release, table).columns)
    assert stancebank(samples, "export", str(tmp_path / "t"), "--with-text").returncode == 0
    released = read(tmp_path / "t", "articles").select("article_id", "text").sort("article_id")
    stored = warehouse_rows(samples, "SELECT article_id, text FROM articles ORDER BY 1")
    assert released.rows() == stored


def test_a_statement_has_its_context_and_nothing_more(samples: Path, release: Path) -> None:
    texts = {
        (name, part): text
        for name, title, body in warehouse_rows(
            samples, "SELECT article_id, title, text FROM articles"
        )
        for part, text in (("title", title), ("body", body))
    }
    rows = read(release, "statements").rows(named=True)
    assert rows
    for row in rows:
        text = texts[row["article_id"], row["part"]]
        start = min(span["start"] for span in row["content_spans"])
        end = max(span["end"] for span in row["content_spans"])
        assert row["context_before"] == text[max(start - 100, 0) : start]
        assert row["context_after"] == text[end : end + 100]


def test_parts_are_by_year_sorted_and_described(samples: Path, release: Path) -> None:
    dated = dict(
        warehouse_rows(
            samples, "SELECT article_id, (published_at, outlet) FROM articles ORDER BY ALL"
        )
    )
    parts = sorted((release / "statements").rglob("*.parquet"))
    assert [part.parent.name for part in parts] == ["year=0", "year=2025", "year=2026"]
    for part in parts:
        file = pq.ParquetFile(part)
        assert file.metadata.row_group(0).column(0).compression == "ZSTD"
        names = file.read(columns=["article_id"])["article_id"].to_pylist()
        places = [dated[name] for name in names]
        year = int(part.parent.name.removeprefix("year="))
        assert {date.year if date else 0 for date, _ in places} <= {year}
        keys = [(date or datetime.max, outlet or "\U0010ffff") for date, outlet in places]
        assert keys == sorted(keys)
    for table in released_tables():
        schema = pq.read_schema(next((release / table.table_name()).rglob("*.parquet")))
        for field in schema:
            column = table.columns()[field.name]
            assert field.metadata[b"description"].decode() == column.description


def test_a_release_repeats_itself_byte_for_byte_and_never_overwrites(
    samples: Path, release: Path, stancebank: Command, tmp_path: Path
) -> None:
    assert stancebank(samples, "export", str(tmp_path / "again")).returncode == 0
    assert (tmp_path / "again" / "SHA256SUMS").read_text() == (release / "SHA256SUMS").read_text()
    refused = stancebank(samples, "export", str(release))
    assert refused.returncode == 1
    assert "exists already" in refused.stderr


def test_equal_inputs_loaded_at_other_times_give_equal_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sums = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        monkeypatch.chdir(folder)
        loader = Loader(folder)
        loader.load("a.jsonl", [article(1), article(2, published_at=None)])
        with open_readonly(loader.warehouse) as connection:
            write_release(connection, folder / "release", ReleaseOrder())
        lines = (folder / "release" / "SHA256SUMS").read_text().splitlines()
        sums.append([line for line in lines if line.endswith(".parquet")])
    assert len(sums[0]) > 10
    assert sums[0] == sums[1]


def break_part(folder: Path, table: str) -> str:
    """Damage the last part of a table so that its footer still reads; its path."""
    part = max((folder / table).rglob("*.parquet"))
    content = bytearray(part.read_bytes())
    content[40:80] = bytes(40)
    part.write_bytes(content)
    return part.relative_to(folder).as_posix()


def test_a_broken_second_part_is_caught(release: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(release, tmp_path / "copy"))
    check_release(folder)
    broken = break_part(folder, "statements")
    with pytest.raises(ReleaseError, match=broken):
        check_release(folder)
    write_checksums(folder)
    with pytest.raises(ReleaseError, match=f"{broken} cannot be read"):
        check_release(folder)


def test_a_lost_row_or_file_is_caught(release: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(release, tmp_path / "copy"))
    part = max((folder / "stances").rglob("*.parquet"))
    pq.write_table(pq.ParquetFile(part).read().slice(1), part)
    write_checksums(folder)
    with pytest.raises(ReleaseError, match="stances has"):
        check_release(folder)
    part.unlink()
    with pytest.raises(ReleaseError, match="is missing"):
        check_release(folder)


def test_polars_duckdb_and_pyarrow_agree_on_rows_and_types(release: Path) -> None:
    for resource in package_of(release)["resources"]:
        folder = release / resource["name"]
        names = [field["name"] for field in resource["schema"]["fields"]]
        arrow = pa.dataset.dataset(folder, partitioning="hive").to_table().select(names)
        frame = pl.read_parquet(folder / "**/*.parquet").select(names)
        rows = duckdb.sql(f"FROM '{folder}/**/*.parquet'").select(*names)
        types = duckdb.from_arrow(arrow).types
        assert arrow.num_rows == frame.height == len(rows) == resource["totalRows"]
        assert frame.schema == pl.DataFrame(arrow.slice(0, 0)).schema
        assert rows.types == types


def test_pandas_reads_the_same(release: Path) -> None:
    pandas = pytest.importorskip("pandas", reason="needs the extra release-tests")
    for resource in package_of(release)["resources"]:
        frame = pandas.read_parquet(release / resource["name"])
        assert len(frame) == resource["totalRows"]
    flat = pandas.read_parquet(release / FLAT)
    assert str(flat["published_at"].dtype).startswith("datetime64")
    assert flat["confidence"].dtype == "float64"
    assert set(flat["year"].astype(int)) == {0, 2025, 2026}


def test_hugging_face_datasets_loads_the_folder(
    release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets", reason="needs the extra release-tests")
    head = yaml.safe_load((release / "README.md").read_text().split("---")[1])
    names = [config["config_name"] for config in head["configs"]]
    totals = {r["name"]: r["totalRows"] for r in package_of(release)["resources"]}
    assert names == [name for name, rows in totals.items() if rows]
    for name in (FLAT, "statements"):
        loaded = datasets.load_dataset(str(release), name, cache_dir=str(tmp_path))["train"]
        assert loaded.num_rows == totals[name]
        schema = pq.read_schema(next((release / name).rglob("*.parquet")))
        assert loaded.features.arrow_schema.types == schema.types


@pytest.mark.parametrize("release_format", list(ReleaseFormat))
def test_croissant_and_frictionless_find_every_row_and_no_fault(
    samples: Path, stancebank: Command, tmp_path: Path, release_format: ReleaseFormat
) -> None:
    croissant = pytest.importorskip("mlcroissant", reason="needs the extra release-tests")
    frictionless = pytest.importorskip("frictionless", reason="needs the extra release-tests")
    folder = tmp_path / "release"
    assert stancebank(samples, "export", str(folder), "-f", release_format).returncode == 0
    report = frictionless.validate(str(folder / "datapackage.json"))
    assert report.valid, report.flatten(["type", "note"])[:5]
    dataset = croissant.Dataset(jsonld=folder / "croissant.json")
    assert not dataset.metadata.ctx.issues.errors
    for resource in package_of(folder)["resources"]:
        found = sum(1 for _ in dataset.records(record_set=resource["name"]))
        assert found == resource["totalRows"]
    spans = next(iter(dataset.records(record_set="statements")))["statements/content_spans"]
    assert spans


def test_a_selection_holds_what_was_asked_for_and_what_belongs_to_it(
    samples: Path, stancebank: Command, tmp_path: Path
) -> None:
    arguments = ["--where", "stance <> 'neutral'", "--since", "2026-03-01"]
    arguments += ["--outlet", "marovia today", "--outlet", "Northern Wire"]
    done = stancebank(samples, "export", str(tmp_path / "part"), *arguments)
    assert done.returncode == 0, done.stderr
    articles = read(tmp_path / "part", "articles")
    assert set(articles["outlet"]) == {"Marovia Today", "Northern Wire"}
    assert articles["published_at"].min() >= datetime(2026, 3, 1)
    statements = read(tmp_path / "part", "statements")
    stances = read(tmp_path / "part", "stances")
    assert set(stances["statement_id"]) == set(statements["statement_id"])
    assert set(articles["article_id"]) == set(statements["article_id"])
    assert set(read(tmp_path / "part", "targets")["target_id"]) == set(stances["target_id"])
    sheet = (tmp_path / "part" / "datasheet.md").read_text()
    assert "published on or after 2026-03-01" in sheet
    refused = stancebank(samples, "export", str(tmp_path / "bad"), "--where", "nowhere = 1")
    assert refused.returncode == 1
    assert "nowhere" in refused.stderr
    assert list(tmp_path.iterdir()) == [tmp_path / "part"]


def test_what_a_takedown_names_is_left_out_everywhere_and_recorded(
    samples: Path, release: Path, stancebank: Command, tmp_path: Path
) -> None:
    page = read(release, "articles").filter(outlet="The Deccan Ledger")
    assert page.height == 1
    listed = tmp_path / "takedown.txt"
    listed.write_text(
        f"# asked for in May\nurl: {page['url'][0]}?utm_source=feed\n\n"
        "outlet: marovia today\nspeaker: dragan toma\n"
    )
    folder = tmp_path / "less"
    done = stancebank(samples, "export", str(folder), "--with-text", "--exclude", str(listed))
    assert done.returncode == 0, done.stderr
    assert not {"Marovia Today", "The Deccan Ledger"} & set(read(folder, "articles")["outlet"])
    assert "Dragan Toma" not in set(read(folder, "speakers")["name"])
    said = read(release, FLAT).filter(pl.col("speaker") == "Dragan Toma")
    assert said.height
    assert not set(said["statement_id"]) & set(read(folder, "statements")["statement_id"])
    texts = read(folder, "articles").join(said, on="article_id", how="semi")["text"]
    assert texts.null_count() == len(texts) > 0
    assert "1 outlets, 1 speakers" in (folder / "datasheet.md").read_text()
    listed.write_text("person: Dragan Toma\n")
    refused = stancebank(samples, "export", str(tmp_path / "bad"), "--exclude", str(listed))
    assert refused.returncode == 1
    assert "line 1" in refused.stderr


def test_a_difference_is_told_by_reason(
    samples: Path, release: Path, stancebank: Command, tmp_path: Path
) -> None:
    less = tmp_path / "less"
    assert stancebank(samples, "export", str(less), "--outlet", "RIN").returncode == 0
    told = stancebank(samples, "diff", str(release), str(less))
    assert told.returncode == 0, told.stderr
    gone = read(release, "articles").height - read(less, "articles").height
    assert f"{gone:,}  articles removed: article is gone" in told.stdout
    assert compare_releases(release, release).changes == []
    assert "No row differs" in stancebank(samples, "diff", str(release), str(release)).stdout
    nothing = stancebank(samples, "diff", str(release), str(tmp_path))
    assert nothing.returncode == 1
    assert "no release" in nothing.stderr


def test_a_changed_article_and_another_extractor_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    loader = Loader(tmp_path)
    loader.load("a.jsonl", [article(1), article(2)])
    with open_readonly(loader.warehouse) as connection:
        write_release(connection, tmp_path / "old", ReleaseOrder())
    later = article(1, text=article(1)["text"] + " Premier Lena Ott said the levy was a mistake.")
    loader.load("a.jsonl", [later, article(2)])
    with duckdb.connect(str(loader.warehouse)) as connection:
        connection.execute("UPDATE articles SET extractor_version = 'x' WHERE title LIKE '%2'")
        connection.execute(
            "DELETE FROM stances WHERE statement_id IN (SELECT statement_id FROM statements "
            "JOIN articles USING (article_id) WHERE title LIKE '%2')"
        )
    with open_readonly(loader.warehouse) as connection:
        write_release(connection, tmp_path / "new", ReleaseOrder())
    found = {
        (change.table, change.outcome, change.reason)
        for change in compare_releases(tmp_path / "old", tmp_path / "new").changes
    }
    assert ("statements", "added", "text of the article changed") in found
    assert ("stances", "removed", "another extractor") in found
    assert ("articles", "changed", "extractor_version") in found


def test_the_pages_for_people_are_complete_and_their_queries_run(
    samples: Path, release: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sheet = (release / "datasheet.md").read_text()
    for number, section in enumerate(
        (
            "Motivation",
            "Composition",
            "Collection process",
            "Preprocessing, cleaning, labeling",
            "Uses",
            "Distribution",
            "Maintenance",
        ),
        1,
    ):
        assert f"## {number}. {section}" in sheet
    assert sheet.count("FILL IN") >= 7
    assert "ingest: is empty" in sheet
    cited = yaml.safe_load((release / "CITATION.cff").read_text())
    ((changed_at,),) = warehouse_rows(samples, "SELECT max(finished_at) FROM runs")
    assert cited["version"] == f"{changed_at:%Y.%m.%d}"
    dictionary = (release / "dictionary.md").read_text()
    for resource in package_of(release)["resources"]:
        assert f"## {resource['name']}" in dictionary
    card = (release / "README.md").read_text()
    monkeypatch.chdir(release)
    queries = card.split("```sql")[1].split("```")[0].replace("WORD", "treaty")
    for query in queries.replace("NAME", "Dragan Toma").strip().rstrip(";").split(";"):
        assert duckdb.sql(query).fetchall(), query
