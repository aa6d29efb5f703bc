"""Who speaks: every way that an article refers to its people and bodies."""

import time

import pytest

from flows.extract.records import Attribution, Speaker
from flows.extract.speakers import SpeakerResolver


def speakers(text: str, *sources: str, title: str | None = None) -> list[Speaker | None]:
    """Speakers of sources marked in a text by `<…>`, in order; `sources` must be those marks."""
    spans, plain, rest = [], "", text
    while "<" in rest:
        before, _, rest = rest.partition("<")
        inside, _, rest = rest.partition(">")
        plain += before
        spans.append((len(plain), len(plain) + len(inside)))
        plain += inside
    plain += rest
    assert [plain[start:end] for start, end in spans] == list(sources)
    attributions = [Attribution("body", (span,), (), ((0, 1),), 1.0) for span in spans]
    return SpeakerResolver(plain, title).resolve(attributions)


def names(text: str, *sources: str, title: str | None = None) -> list[str | None]:
    return [speaker and speaker.name for speaker in speakers(text, *sources, title=title)]


def only(text: str, source: str) -> Speaker:
    (found,) = speakers(text, source)
    assert found is not None
    return found


def test_titles_surnames_and_pronouns_are_one_person() -> None:
    text = (
        "<Governor Marta Lindqvist> opened the bridge. <Ms. Lindqvist> praised the workers. "
        "<She> thanked the town, and <Lindqvist> left."
    )
    sources = "Governor Marta Lindqvist", "Ms. Lindqvist", "She", "Lindqvist"
    found = speakers(text, *sources)
    assert {speaker.name for speaker in found if speaker} == {"Marta Lindqvist"}
    assert [speaker.resolution for speaker in found if speaker] == [
        "full_name",
        "short_name",
        "pronoun",
        "short_name",
    ]


def test_an_office_given_in_apposition_or_before_the_name_stands_for_its_holder() -> None:
    text = (
        "The Supreme Leader of the Republic, Ayatollah Darius Khorsandi, met Foreign Minister "
        "Leon Abadi. <The Supreme Leader> refused. <The foreign minister> agreed."
    )
    assert names(text, "The Supreme Leader", "The foreign minister") == [
        "Darius Khorsandi",
        "Leon Abadi",
    ]


def test_the_fullest_form_counts_wherever_it_stands() -> None:
    text = "<Okafor> said no. Later the crowd cheered Senator Adaeze N. Okafor, who waved."
    assert names(text, "Okafor") == ["Adaeze N. Okafor"]


def test_the_title_of_the_article_names_people_too() -> None:
    assert names("<Brandt> said no.", "Brandt", title="Mayor Helga Brandt rules out a toll") == [
        "Helga Brandt"
    ]


def test_people_of_one_surname_stay_apart() -> None:
    text = (
        "Peter Halloran and his wife, Nora Halloran, sold the farm. <Mr. Halloran> was pleased. "
        "<Mrs. Halloran> was not."
    )
    assert names(text, "Mr. Halloran", "Mrs. Halloran") == ["Peter Halloran", "Nora Halloran"]


def test_he_and_she_follow_the_people_they_can_mean() -> None:
    text = (
        "Sarah Pell met Thomas Grau on Friday. <She> called the deal fair. <He> called it a trap."
    )
    assert names(text, "She", "He") == ["Sarah Pell", "Thomas Grau"]


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("Finnish prime minister Aino Salonen", "Aino Salonen"),
        ("Tom Ferris of the Institute for Rural Policy", "Tom Ferris"),
        ("Florida’s attorney general, Paula Bondarenko,", "Paula Bondarenko"),
        ("Sen. Ruth Delgado (R-Ariz.)", "Ruth Delgado"),
        ("opposition leader in the Senate Clara Farias", "Clara Farias"),
        ("Daniel Voss himself", "Daniel Voss"),
        ("Judge Omar Haddad Jr.", "Omar Haddad Jr."),
    ],
)
def test_a_person_is_named_without_office_or_addition(source: str, name: str) -> None:
    found = only(f"<{source}> rejected the plan on Monday.", source)
    assert (found.name, found.speaker_type) == (name, "person")


def test_a_spokesperson_who_is_named_is_the_speaker_and_one_who_is_not_stays_described() -> None:
    text = (
        "<A spokesman for the Harbor Authority, Luis Prado,> denied it. "
        "<A spokeswoman for the airline> did too."
    )
    named, unnamed = speakers(
        text,
        "A spokesman for the Harbor Authority, Luis Prado,",
        "A spokeswoman for the airline",
    )
    assert named is not None
    assert unnamed is not None
    assert named.name == "Luis Prado"
    assert (unnamed.name, unnamed.speaker_type) == ("spokeswoman for the airline", "unnamed")


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("A senior administration official", "senior administration official"),
        ("Residents", "residents"),
        ("the police", "police"),
        ("two diplomats who asked not to be named", "two diplomats who asked not to be named"),
    ],
)
def test_who_is_not_named_stays_as_described(source: str, name: str) -> None:
    assert only(f"<{source}> feared the worst.", source).name == name


def test_people_who_speak_together_are_each_found() -> None:
    text = "<Chancellor Jana Roth and President Emil Duval> signed it. <They> praised the treaty."
    together, they = speakers(text, "Chancellor Jana Roth and President Emil Duval", "They")
    assert together is not None
    assert they is not None
    assert together.name == they.name == "Jana Roth and Emil Duval"
    assert together.members == ("Jana Roth", "Emil Duval")
    assert together.speaker_type == "person"


def test_bodies_have_their_types_and_short_forms() -> None:
    text = (
        "The Joint Rivers Commission (JRC) met in May. <The JRC> warned of floods. "
        "<The Finance Ministry> disagreed. <The Larsen campaign> kept silent. "
        "<The Fishermen’s Union> protested."
    )
    found = speakers(
        text, "The JRC", "The Finance Ministry", "The Larsen campaign", "The Fishermen’s Union"
    )
    assert [(one.name, one.speaker_type) for one in found if one] == [
        ("Joint Rivers Commission", "government"),
        ("Finance Ministry", "government"),
        ("Larsen campaign", "group"),
        ("Fishermen’s Union", "organization"),
    ]


def test_documents_speak_for_whoever_issued_them() -> None:
    text = (
        "<A survey by the Polar Institute> found support. <The survey> also showed doubts. "
        "<A leaked memo> said otherwise."
    )
    by, again, leaked = speakers(
        text, "A survey by the Polar Institute", "The survey", "A leaked memo"
    )
    assert by is not None
    assert again is not None
    assert leaked is not None
    assert by.name == again.name == "Polar Institute"
    assert (leaked.name, leaked.speaker_type) == ("leaked memo", "unnamed")


def test_who_refers_to_the_name_before_it() -> None:
    text = "The prize went to Irene Castellano, a chemist from Turin, <who> thanked her team."
    assert names(text, "who") == ["Irene Castellano"]


def test_nobody_in_particular_is_no_speaker() -> None:
    text = "<We> all know that. <You> would say so. <Nobody> denied it."
    assert names(text, "We", "You", "Nobody") == [None, None, None]


def test_the_answer_has_the_order_of_the_question() -> None:
    text = "Anna Weber spoke. She said yes. Karl Lenz spoke. He said no."
    sources = [text.index("He said"), text.index("She said")]
    asked = [
        Attribution("body", ((at, text.index(" ", at)),), (), ((0, 1),), 1.0) for at in sources
    ]
    found = SpeakerResolver(text).resolve(asked)
    assert [speaker and speaker.name for speaker in found] == ["Karl Lenz", "Anna Weber"]


def test_a_statement_that_goes_on_without_a_source_is_the_same_speakers() -> None:
    text = "Karl Lenz welcomed the offer but criticized its terms."
    first = Attribution("body", ((0, 9),), ((10, 18),), ((19, 28),), 1.0)
    cue = text.index("criticized")
    second = Attribution("body", (), ((cue, cue + 10),), ((cue + 11, len(text) - 1),), 1.0)
    found = SpeakerResolver(text).resolve([first, second])
    assert [speaker and speaker.name for speaker in found] == ["Karl Lenz", "Karl Lenz"]


def test_long_articles_take_time_in_proportion() -> None:
    sentence = "Senator Ruth Delgado said that she met Tom Ferris of the Union. He agreed. "

    def seconds(copies: int) -> float:
        text = sentence * copies
        starts = [at * len(sentence) for at in range(copies)]
        he = sentence.index("He")
        asked = [
            Attribution("body", ((at + he, at + he + 2),), (), ((at, at + 5),), 1.0)
            for at in starts
        ]
        began = time.process_time()
        SpeakerResolver(text).resolve(asked)
        return time.process_time() - began

    assert seconds(1600) < 12 * seconds(400) + 0.5
