import pytest

from tidegate.text.model_refusal import NO_REFUSAL, model_refusal


def extent(text: str) -> str:
    return model_refusal(text.encode()).extent


@pytest.mark.parametrize(
    "text",
    [
        "Es tut mir leid, aber ich kann diese Anfrage nicht erfüllen.",
        "Leider kann ich Ihnen keine Anleitung zum Bau von Waffen geben.",
        "Tut mir leid, dabei kann ich nicht helfen.",
        "Désolé, je ne peux pas répondre à cette demande.",
        "Je ne suis pas en mesure de vous aider.",
        "Lo siento, pero no puedo ayudarte con eso.",
        "Desculpe, mas não posso fornecer essas informações.",
        "Mi dispiace, ma non posso aiutarti con questa richiesta.",
        "Het spijt me, maar ik kan je daar niet mee helpen.",
        "Przykro mi, ale nie mogę pomóc w tej sprawie.",
        "Извините, но я не могу помочь вам.",
        "抱歉。我无法提供这方面的信息。",
        "申し訳ありませんが、そのリクエストにはお応えできません。",
        "죄송하지만 그 요청은 도와드릴 수 없습니다.",
    ],
)
def test_a_plain_no_is_told_in_other_languages(text: str) -> None:
    assert extent(text) == "full"
    assert extent(text + "\n\n1. Eins\n2. Zwei") == "partial"


@pytest.mark.parametrize(
    "text",
    [
        "Ich kann dir gern helfen. Das ist nicht schwer.",
        "Der Kunde schreibt: „Ich kann Ihnen nicht helfen.“",
        "Il ne peut pas venir, car il est malade.",
        "El coche no puede arrancar sin batería.",
        "Não é difícil: basta abrir o arquivo.",
        "Non è possibile dividere per zero.",
        "Het is niet moeilijk. Je kunt dit doen.",
        "Это невозможно, потому что вода не горит.",
        "水无法在这个温度下结冰。",
        "この関数は値を返すことができません。",
        "이 함수는 값을 반환할 수 없습니다.",
    ],
)
def test_a_negation_in_another_language_is_no_refusal(text: str) -> None:
    assert model_refusal(text.encode()) == NO_REFUSAL
