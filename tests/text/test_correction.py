"""Turns that say that an answer was wrong are known in every language that has words for it, and
those that only look so are not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.text.correction import asks, is_correction

CORRECTIONS = {
    "en": (
        "No, that's wrong.|That's not what I asked for|wrong!|I meant the other one|Try again"
        "|you forgot the second part|it still doesn\N{RIGHT SINGLE QUOTATION MARK}t work|Incorrect"
        "|Hmm, that isn't right|No, I want the figures of 2019|thanks, but that is not correct"
        "|I asked you for a list|You misunderstood me|No."
    ),
    "de": (
        "Nein, das ist falsch|Das stimmt leider nicht.|Ich meinte die Hauptstadt|Falsch!"
        "|Ich habe dich nach 2019 gefragt|Du hast meine Frage nicht beantwortet"
        "|noch mal, auf Deutsch"
        "|Der Code funktioniert immer noch nicht|nee, das war nicht die Frage"
    ),
    "fr": (
        "Non, c'est faux|Ce n'est pas ce que j'ai demandé|Ça ne marche toujours pas"
        "|Je voulais dire Paris au Texas|Vous n'avez pas répondu à ma question|Réessaie"
        "|Ta réponse est fausse"
    ),
    "es": (
        "No, eso no es lo que pedí|Eso está mal|Me refería a otra cosa|Inténtalo de nuevo"
        "|No entendiste la pregunta|La respuesta es incorrecta|te pedí una lista"
    ),
    "it": (
        "No, non è quello che ho chiesto|È sbagliato|Intendevo un'altra cosa|Riprova"
        "|La risposta è sbagliata|non hai risposto alla domanda"
    ),
    "pt": (
        "Não, não foi isso que eu pedi|Isso está errado|Eu quis dizer outra coisa|Tente novamente"
        "|Você não entendeu|a resposta está incorreta"
    ),
    "nl": (
        "Nee, dat klopt niet|Dat is niet wat ik vroeg|Ik bedoelde iets anders|Probeer het opnieuw"
        "|Het antwoord is fout|ik had om een lijst gevraagd"
    ),
    "pl": (
        "Nie, to nie jest poprawne|Nie o to pytałem|Chodziło mi o coś innego|To nie działa"
        "|Spróbuj jeszcze raz|Mylisz się"
    ),
    "ru": "Нет, это неправильно|Я имел в виду другое|Это не то|Ты не ответил на вопрос|неверно",
    "ja": (
        "違います。東京です|いいえ、そうではありません|その答えは間違っています|まだ動きません"
        "|私が聞きたいのは別のことです|もう一度やり直してください"
    ),
    "zh": "不对,我问的是北京|你理解错了|这不是我要的|错了|重新回答|還是不對|你的回答不正确",
    "ko": (
        "아니요, 그게 아니라 서울이요|틀렸어요|제가 물어본 건 다른 거예요|다시 해줘|안 돼요"
        "|답이 틀렸습니다"
    ),
}
NONE = {
    "en": (
        "no problem|No thanks, that's all|thanks, no more questions|No, that's fine"
        "|No, you're right"
        "|now tell me about dogs|Norway's capital?|Not only that, what about the cat?|I want a cat"
        "|What is wrong with my code?|Wrong turn: who directed it?|I asked my boss for a raise"
        "|That's right, thanks|this is not bad|Is this correct?|notes on chapter 3|No worries!"
        "|false positives: explain|I said yes to him yesterday, was I wrong?"
    ),
    "de": (
        "Nein danke, das war's|nicht schlecht!|Nenne mir ein Beispiel|Das ist nicht schlimm"
        "|Falsch parken: was kostet das?|Nein, keine Fragen mehr|Wie geht es weiter?"
    ),
    "fr": "Non merci|C'est parfait|Nommez trois pays|ce n'est pas grave|Non, c'est bon",
    "es": "No gracias, eso es todo|Nombra tres países|no hay problema|No pasa nada",
    "it": "No grazie, va bene così|Nomina tre città|nessun problema",
    "pt": "Não, obrigado|Nome três cidades|não tem problema",
    "nl": "Nee bedankt, dat is alles|Noem drie steden|geen probleem",
    "pl": "Nie, dziękuję|Niech tak będzie|nie ma sprawy",
    "ru": "Нет, спасибо|Назови три города",
    "ja": "違いは何ですか|違う方法を教えてください|いいえ、大丈夫です|ありがとう",
    "zh": "不对称加密是什么|不用了,谢谢|不客气|错误代码是什么意思",
    "ko": "아니요, 괜찮아요|아니메 추천해줘|감사합니다",
}


def table(texts: dict[str, str]) -> list[tuple[str, str]]:
    return [(name, it) for name, told in texts.items() for it in told.split("|")]


@pytest.mark.parametrize(("language", "turn"), table(CORRECTIONS))
def test_a_correction_is_known(language: str, turn: str) -> None:
    assert is_correction(turn), language
    assert is_correction(f'  "{turn.upper()}'), language
    assert not is_correction(turn, "clarification"), language
    assert not is_correction("Tell me more of it, since I said so. " + turn), language


@pytest.mark.parametrize(("language", "turn"), table(NONE))
def test_what_looks_like_one_is_none(language: str, turn: str) -> None:
    assert not is_correction(turn), language


@pytest.mark.parametrize(
    "turn", ["No, the blue one", "Nein, die blaue", "Non, la bleue", "不,蓝色的"]
)
def test_a_no_is_an_answer_where_something_was_asked(turn: str) -> None:
    assert is_correction(turn)
    assert not is_correction(turn, "offer")


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ("Paris.", None),
        ("Is it Paris? No, it is Rome.", None),
        ("Which Paris do you mean?", "clarification"),
        ("I can look it up. In which year was it? \N{SLIGHTLY SMILING FACE}", "clarification"),
        ("Done. Would you like me to go on?", "offer"),
        ("Fertig. Soll ich noch etwas ändern?", "offer"),
        ("どちらの東京ですか。", "clarification"),
        ("好的。您要哪一个吗", "clarification"),
        ("", None),
    ],
)
def test_what_an_answer_ends_in(answer: str, found: str | None) -> None:
    assert asks(answer) == found


@given(st.text(max_size=400))
def test_any_text_is_told_one_way_or_the_other(text: str) -> None:
    assert is_correction(text) in (True, False)
    assert asks(text) in (None, "clarification", "offer")
    assert not (is_correction(text, "offer") and not is_correction(text))
