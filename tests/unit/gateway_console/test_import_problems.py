"""Every problem that an import can find has words at the console."""

from services.gateway.console.import_problems import _SENTENCES, problem_words
from services.gateway.web import languages
from services.invoicing.formats.import_problems import PROBLEMS
from tallyport.invoicing.v1.imports_pb2 import ImportError as RowProblem


def test_all_codes_are_known_with_the_same_words() -> None:
    assert {code: text.replace("%(", "{").replace(")s", "}") for code, text in _SENTENCES.items()} == PROBLEMS


def test_a_problem_is_told_in_the_readers_language() -> None:
    problem = RowProblem(message="'x' is not a number.", code="not_number", params={"text": "'x'"})
    german = languages.language_of("de")
    assert german is not None
    with languages.speaking(german):
        assert problem_words(problem) == "'x' ist keine Zahl."
        assert problem_words(RowProblem(message="Something new.", code="of_tomorrow")) == "Something new."
        assert problem_words(RowProblem(message="Said.", code="not_number")) == "Said."
