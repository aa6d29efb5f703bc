"""Stances by rule: the sign, the target, the words that carry it."""

import pytest

from flows.extract.lexicon import inflections, stance_verbs
from flows.extract.records import Attribution, Speaker, Stance
from flows.extract.stance import MOST_ROWS, find_stances

SPEAKER = Speaker("Anna Weber", "person", "full_name", ("Anna Weber",), 1.0)


def stances(cue: str, content: str, speaker: Speaker | None = SPEAKER) -> tuple[Stance, ...]:
    """Stances of a statement that stands after its cue in one sentence."""
    text = f"Anna Weber {cue} {content}."
    start = len("Anna Weber ")
    middle = start + len(cue)
    attribution = Attribution(
        "body",
        ((0, start - 1),),
        ((start, middle),),
        ((middle + 1, middle + 1 + len(content)),),
        1.0,
    )
    found = find_stances(text, attribution, speaker, lambda span: None)
    for stance in found:
        assert all(0 <= a < b <= len(text) for a, b in (*stance.target, *stance.basis))
    return found


def rows(cue: str, content: str) -> list[tuple[str, str]]:
    return [(stance.target_name, stance.stance) for stance in stances(cue, content)]


@pytest.mark.parametrize(
    ("cue", "content", "expected"),
    [
        ("rejected", "any talks with the rebels", [("any talks with the rebels", "against")]),
        ("supports", "the fishing treaty", [("fishing treaty", "favor")]),
        ("does not support", "the bill", [("bill", "against")]),
        ("blamed", "West for supplying arms", [("West", "against"), ("supplying arms", "against")]),
        ("praised", "the nurses for their work", [("nurses", "favor"), ("their work", "favor")]),
        ("warned against", "a second strike", [("second strike", "against")]),
        ("urged", "lawmakers to leave the pact", [("leave the pact", "favor")]),
        ("refused", "to sign the accord", [("sign the accord", "against")]),
        ("called for", "new elections", [("new elections", "favor")]),
        ("denied", "bribery", [("bribery", "against")]),
        (
            "vowed",
            "to repeal the carbon tax",
            [("repeal the carbon tax", "favor"), ("carbon tax", "against")],
        ),
        ("voiced", "her strong opposition to the merger", [("merger", "against")]),
        ("expressed", "his willingness to meet them", [("meet them", "favor")]),
    ],
)
def test_the_verb_says_for_or_against_what(
    cue: str, content: str, expected: list[tuple[str, str]]
) -> None:
    assert rows(cue, content) == expected


@pytest.mark.parametrize(
    ("cue", "content"),
    [
        ("did not rule out", "sanctions"),
        ("refused to condemn", "the attack"),
        ("never denied", "the report"),
        ("declined", "to comment on the case"),
        ("said", "the talks start on Monday"),
        ("was criticized", "in the press"),
        ("asked", "whether the road was open"),
    ],
)
def test_what_takes_no_side_gives_no_row(cue: str, content: str) -> None:
    assert rows(cue, content) == []


def test_a_stance_needs_a_holder() -> None:
    assert stances("rejected", "any talks", speaker=None) == ()


def test_what_the_speaker_says_in_the_first_person_counts() -> None:
    assert rows("said", "“we strongly oppose the new airport”") == [("new airport", "against")]


def test_a_verb_of_somebody_else_in_the_statement_does_not() -> None:
    assert rows("said", "“the unions oppose the new airport”") == []


def test_a_denied_proposition_is_a_claim() -> None:
    (stance,) = stances("rejected", "the idea that the vote was bought")
    assert (stance.target_name, stance.target_type) == ("vote was bought", "claim")


@pytest.mark.parametrize(
    ("cue", "content", "intensity"),
    [
        ("hopes for", "peace", None),
        ("would support", "the bill", 1),
        ("backs", "the bill", 2),
        ("condemned", "the raid", 3),
        ("vowed", "to fight the ban", 3),
    ],
)
def test_intensity_is_hedged_plain_or_categorical(
    cue: str, content: str, intensity: int | None
) -> None:
    found = stances(cue, content)
    assert (found[0].intensity if found else None) == intensity


def test_a_row_says_which_words_carry_it_and_by_which_rule() -> None:
    (stance,) = stances("has long spoken out against", "the dam")
    text = "Anna Weber has long spoken out against the dam."
    assert [text[a:b] for a, b in stance.basis] == ["spoken out against"]
    assert stance.method == "rule:speak out against"
    assert 0 < stance.confidence <= 1


def test_pronouns_in_targets_take_the_name_that_the_article_gives() -> None:
    text = "Anna Weber praised him."
    attribution = Attribution("body", ((0, 10),), ((11, 18),), ((19, 22),), 1.0)
    (stance,) = find_stances(text, attribution, SPEAKER, lambda span: "Karl Lenz")
    assert (stance.target_name, text[slice(*stance.target[0])]) == ("Karl Lenz", "him")


def test_there_are_never_more_rows_than_a_reader_would_name() -> None:
    assert len(stances("vowed", "to end, block, repeal and abolish the tax, the ban")) <= MOST_ROWS


@pytest.mark.parametrize(
    ("verb", "forms"),
    [
        ("deny", {"deny", "denies", "denied", "denying"}),
        ("urge", {"urge", "urges", "urged", "urging"}),
        ("slam", {"slam", "slams", "slammed", "slamming"}),
        ("oppose", {"oppose", "opposes", "opposed", "opposing"}),
        ("attack", {"attack", "attacks", "attacked", "attacking"}),
        ("swear", {"swear", "swears", "swore", "sworn", "swearing"}),
        ("push", {"push", "pushes", "pushed", "pushing"}),
    ],
)
def test_verbs_are_known_in_all_their_forms(verb: str, forms: set[str]) -> None:
    assert inflections(verb) == forms


def test_the_lexicon_is_sound() -> None:
    for verbs in stance_verbs().values():
        for verb in verbs:
            assert verb.intensity in {1, 2, 3}
            assert 0 <= verb.precision <= 1
            assert verb.negation in {"flip", "flip_weak", "cancel", "none"}
            assert verb.target.partition(":")[0] in {"obj", "obl", "xcomp", "ccomp"}
