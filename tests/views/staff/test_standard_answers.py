import pytest

from models import RegisterEntry, StandardAnswer
from tests.factories import make_operator, make_standard_answer

LIST = "/staff/ticket/risposte"
FILLED = {"title": "Presa in carico", "text": "Gentile {cliente},\r\nci pensiamo noi."}


@pytest.fixture
def desk(sign_in_operator):
    return sign_in_operator(make_operator())


def kinds():
    return [row.kind for row in RegisterEntry.select()]


def test_a_standard_answer_is_made_changed_and_removed(desk):
    assert "Non ci sono ancora risposte standard." in desk.get(LIST).text
    answer = desk.post(f"{LIST}/nuova", data=FILLED)
    assert (answer.status_code, answer.location) == (303, LIST)
    page = desk.get(LIST).text
    assert "Risposta standard salvata." in page
    assert "Presa in carico" in page
    made = StandardAnswer.get()
    assert made.text == "Gentile {cliente},\nci pensiamo noi."
    assert "ci pensiamo noi." in desk.get(f"{LIST}/{made.id}").text
    desk.post(f"{LIST}/{made.id}", data={**FILLED, "title": "Nuovo titolo"})
    assert "Nuovo titolo" in desk.get(LIST).text
    desk.post(f"{LIST}/{made.id}/elimina")
    assert "Risposta standard eliminata." in desk.get(LIST).text
    assert desk.post(f"{LIST}/{made.id}/elimina").status_code == 404
    assert kinds() == ["standard_answer_saved", "standard_answer_saved", "standard_answer_removed"]


def test_two_with_the_same_title_are_refused(desk):
    other = make_standard_answer("Altra")
    for _click in range(2):
        answer = desk.post(f"{LIST}/nuova", data=FILLED)
    assert answer.status_code == 422
    assert "già una risposta con questo titolo" in answer.text
    answer = desk.post(f"{LIST}/{other.id}", data=FILLED)
    assert answer.status_code == 422
    assert StandardAnswer.get_by_id(other.id).title == "Altra"
    assert StandardAnswer.select().count() == 2
    assert kinds() == ["standard_answer_saved"]


@pytest.mark.parametrize(
    "changed", [{"title": ""}, {"title": "x" * 81}, {"title": "\x00"}, {"text": " "}]
)
def test_bad_input_is_told(desk, changed):
    answer = desk.post(f"{LIST}/nuova", data={**FILLED, **changed})
    assert answer.status_code == 422
    assert "is-invalid" in answer.text
    assert StandardAnswer.select().count() == 0


@pytest.mark.parametrize("key", ["0", "999", "x", "9" * 20, "-1", "%00"])
def test_one_that_does_not_exist_is_missing(desk, key):
    assert desk.get(f"{LIST}/{key}").status_code == 404
    assert desk.post(f"{LIST}/{key}", data=FILLED).status_code == 404
    assert desk.post(f"{LIST}/{key}/elimina").status_code == 404
