"""Languages told by script and by small words, over sentences as models write them."""

# ruff: noqa: RUF001, E501

import pytest

from tidegate.text.language import language_of
from tidegate.text.language_profiles import LANGUAGES

# Two of each, written for this test; the profile was made without them.
SENTENCES = {
    "ar": ("يمكنك إعادة المنتج خلال ثلاثين يوما من تاريخ الشراء.", "هذا هو الجواب الذي كنت تبحث عنه في الملف."),
    "bg": ("Можете да върнете продукта до тридесет дни след покупката.", "Това е отговорът, който търсите във файла."),
    "bn": ("আপনি ত্রিশ দিনের মধ্যে পণ্যটি ফেরত দিতে পারেন।", "ফাইলে আপনার উত্তরটি আছে।"),
    "ca": ("Podeu tornar el producte en un termini de trenta dies, però amb el tiquet.", "Aquesta és la resposta que buscàveu al fitxer, i no n'hi ha cap més."),
    "hr": ("Proizvod možete vratiti u roku od trideset dana, ali samo ako nije korišten.", "Ovo je odgovor koji ste tražili, a nije ga bilo kako bi trebalo."),
    "sk": ("Tovar môžete vrátiť do tridsiatich dní, ale len ak nie je použitý.", "Toto je odpoveď, ktorú ste hľadali, a bola tiež v súbore podľa mena."),
    "cs": ("Zboží můžete vrátit do třiceti dnů od nákupu.", "To je odpověď, kterou jste hledali, a je v souboru."),
    "da": ("Du kan returnere varen inden for tredive dage efter købet.", "Det er svaret, som du har ledt efter i filen, hvis det ikke blev slettet."),
    "de": ("Sie können die Ware innerhalb von dreißig Tagen zurückgeben.", "Das ist die Antwort, nach der Sie in der Datei gesucht haben."),
    "el": ("Μπορείτε να επιστρέψετε το προϊόν εντός τριάντα ημερών.", "Αυτή είναι η απάντηση που ψάχνατε."),
    "en": ("You can return the product within thirty days of purchase.", "This is the answer that you were looking for in the file."),
    "es": ("Puede devolver el producto en un plazo de treinta días desde la compra.", "Esta es la respuesta que buscaba en el archivo, y no hay otra."),
    "fa": ("شما می‌توانید کالا را تا سی روز پس از خرید بازگردانید.", "این پاسخی است که در پرونده به دنبال آن بودید."),
    "fi": ("Voit palauttaa tuotteen kolmenkymmenen päivän kuluessa, jos se on ehjä.", "Tämä on se vastaus, jota etsit, mutta se ei ole tiedostossa."),
    "fr": ("Vous pouvez retourner le produit dans les trente jours suivant l'achat.", "C'est la réponse que vous cherchiez dans le fichier."),
    "he": ("אפשר להחזיר את המוצר בתוך שלושים יום.", "זו התשובה שחיפשת בקובץ."),
    "hi": ("आप तीस दिनों के भीतर उत्पाद लौटा सकते हैं।", "यह वह उत्तर है जिसे आप खोज रहे थे।"),
    "hu": ("A terméket a vásárlástól számított harminc napon belül vissza lehet küldeni.", "Ez az a válasz, amelyet a fájlban keresett, és nem volt más."),
    "id": ("Anda dapat mengembalikan produk dalam waktu tiga puluh hari dan uang akan kembali.", "Ini adalah jawaban yang Anda cari di dalam berkas itu."),
    "it": ("È possibile restituire il prodotto entro trenta giorni dall'acquisto, con lo scontrino e la scatola.", "Questa è la risposta che cercavi nel file, ma non è completa."),
    "ja": ("購入から三十日以内であれば返品できます。", "これがお探しの答えです。"),
    "ka": ("პროდუქტის დაბრუნება შესაძლებელია ოცდაათ დღეში.", "ეს არის პასუხი."),
    "ko": ("구매 후 삼십 일 이내에 제품을 반품할 수 있습니다.", "이것이 찾으시던 답입니다."),
    "nl": ("U kunt het product binnen dertig dagen na aankoop terugsturen.", "Dit is het antwoord dat je in het bestand zocht, en het is niet lang."),
    "no": ("Du kan returnere varen innen tretti dager etter kjøpet, og pengene blir betalt tilbake.", "Dette er svaret som du har lett etter, og hva mer kan jeg gjøre nå?"),
    "pl": ("Produkt można zwrócić w ciągu trzydziestu dni od zakupu.", "To jest odpowiedź, której szukasz w pliku, ale nie jest pełna."),
    "pt": ("Você pode devolver o produto em até trinta dias após a compra.", "Esta é a resposta que você procurava no arquivo, e não há outra."),
    "ro": ("Puteți returna produsul în termen de treizeci de zile de la cumpărare.", "Acesta este răspunsul pe care îl căutați în fișier, dar nu este complet."),
    "ru": ("Вы можете вернуть товар в течение тридцати дней после покупки.", "Это ответ, который вы искали в файле, и он был там."),
    "sv": ("Du kan lämna tillbaka varan inom trettio dagar efter köpet.", "Det här är svaret som du letade efter, men det finns inte i filen."),
    "ta": ("முப்பது நாட்களுக்குள் பொருளைத் திருப்பித் தரலாம்.", "இதுதான் பதில்."),
    "th": ("คุณสามารถคืนสินค้าได้ภายในสามสิบวัน", "นี่คือคำตอบที่คุณกำลังมองหา"),
    "tr": ("Ürünü satın aldıktan sonra otuz gün içinde iade edebilirsiniz, ama kutu ile.", "Bu, dosyada aradığınız cevap ve daha iyi bir cevap yok."),
    "uk": ("Ви можете повернути товар протягом тридцяти днів після покупки.", "Це відповідь, яку ви шукали у файлі, і вона була там."),
    "vi": ("Bạn có thể trả lại sản phẩm trong vòng ba mươi ngày.", "Đây là câu trả lời mà bạn đang tìm trong tệp."),
    "zh": ("您可以在购买后三十天内退货。", "这就是您在文件中寻找的答案。"),
    "hy": ("Դուք կարող եք վերադարձնել ապրանքը երեսուն օրվա ընթացքում։", "Սա պատասխանն է։"),
}  # fmt: skip


def test_every_language_that_is_told_is_tried() -> None:
    assert sorted(SENTENCES) == list(LANGUAGES)


def test_single_sentences_are_told_and_never_taken_for_another_language() -> None:
    found = [
        (language, language_of(text)) for language in SENTENCES for text in SENTENCES[language]
    ]
    wrong = [pair for pair in found if pair[1] not in (None, pair[0])]
    right = sum(language == told for language, told in found)
    print(f"{right} of {len(found)} sentences told, {len(wrong)} taken for another: {wrong}")
    assert wrong == []
    assert right >= 0.9 * len(found)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "42",
        "OK!",
        "3.14 + x",
        "Lorem Ipsum",
        "print(x)",
        "これ",
        "Zoltar Xylqq Brunt Maalp Uzr",
    ],
)
def test_what_is_too_short_or_no_language_is_not_guessed(text: str) -> None:
    assert language_of(text) in (None, "ja")


def test_code_and_addresses_are_not_read() -> None:
    text = "Das ist der Weg, und er ist gut:\n```\nif the and of to in is that it for\n```\n"
    assert language_of(text + "https://the.and.of/to/in") == "de"
