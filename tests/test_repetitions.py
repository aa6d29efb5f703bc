"""The same statement in several articles."""

from pathlib import Path

import pytest

from tests.test_load import OTHER, Loader, article

VOW = (
    "Premier Lena Ott said on {day}: “We will never sell the northern railway line to any "
    "foreign company, whatever they offer.” The debate goes on."
)
SHORT = (
    "On {day} Premier Lena Ott said: “We will never sell the northern railway line to any "
    "foreign company.” Unions cheered."
)


@pytest.fixture
def loader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Loader:
    monkeypatch.chdir(tmp_path)
    return Loader(tmp_path)


def clusters(loader: Loader) -> list[tuple[str, str, int, bool]]:
    """Title, title of the cluster's first, position and whether it represents the cluster."""
    return loader.ask("""
        SELECT a.title, f.title, c.position, c.is_representative
        FROM statement_clusters AS c
        JOIN statements USING (statement_id) JOIN articles AS a USING (article_id)
        JOIN statements AS s ON s.statement_id = c.statement_cluster_id
        JOIN articles AS f ON f.article_id = s.article_id
        WHERE a.title <> 'Levy stays, part 3' ORDER BY f.published_at, c.position
    """)


def vow(number: int, text: str = VOW, **fields: str) -> dict[str, object]:
    """An article of its own around the vow: nothing else in it is in another one."""
    rest = " ".join(f"Ferry {number * 100 + boat} leaves pier {number}." for boat in range(30))
    words = f"{text.format(day=f'day {number}')}\n\n{rest}"
    return article(number, text=words, title=f"Vow {number}", **fields)


def test_a_quotation_cut_short_meets_its_full_form_in_a_later_load(loader: Loader) -> None:
    loader.load("a.jsonl", [vow(2, SHORT), article(3, text=OTHER)])
    assert clusters(loader) == []
    loader.load("b.jsonl", [vow(4)])
    assert clusters(loader) == [("Vow 2", "Vow 2", 0, False), ("Vow 4", "Vow 2", 1, True)]
    loader.load("c.jsonl", [vow(1, SHORT)])
    assert clusters(loader) == [
        ("Vow 1", "Vow 1", 0, False),
        ("Vow 2", "Vow 1", 1, False),
        ("Vow 4", "Vow 1", 2, True),
    ]
    assert loader.ask("SELECT count(*) FROM statement_clusters_history") == [(2,)]


def test_the_same_words_much_later_or_by_another_are_apart(loader: Loader) -> None:
    other = VOW.replace("Lena Ott", "Karl Brenner")
    loader.load(
        "a.jsonl",
        [vow(1), vow(2, published_at="2026-09-01"), vow(3, other)],
    )
    assert clusters(loader) == []


def test_a_cluster_that_loses_its_first_article_is_made_anew(loader: Loader) -> None:
    loader.load("a.jsonl", [vow(1)])
    loader.load("b.jsonl", [vow(2), vow(3)])
    assert [row[1] for row in clusters(loader)] == ["Vow 1"] * 3
    loader.load("a.jsonl", [article(5, text=OTHER)])
    assert [row[:3] for row in clusters(loader)] == [("Vow 2", "Vow 2", 0), ("Vow 3", "Vow 2", 1)]


def test_clusters_do_not_depend_on_the_order_of_loads(
    loader: Loader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = [vow(1), vow(2, SHORT), vow(8), article(3, text=OTHER)]
    loader.load("all.jsonl", pages)
    folder = tmp_path / "other"
    folder.mkdir()
    monkeypatch.chdir(folder)
    stepwise = Loader(folder)
    for number, page in enumerate(reversed(pages)):
        stepwise.load(f"{number}.jsonl", [page])
    assert clusters(stepwise) == clusters(loader)
    assert len(clusters(loader)) == 3
