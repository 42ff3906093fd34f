"""The words by which languages of one script are told apart: those that every text is full of."""

# ruff: noqa: RUF001 - letters of one script look like another's
from collections.abc import Mapping
from typing import Final

# By ISO 639-1. Words that several have say little, and count for each of them.
STOP_WORDS: Final[Mapping[str, frozenset[str]]] = {
    language: frozenset(words.split())
    for language, words in {
        "en": "the of and to in is that it for was on are as with his they be at this have"
        " from or had by but not what all were we when your can said there an which do"
        " their if will how about out then she you i a he her has would been who more no"
        " my its our",
        "de": "der die und in den von zu das mit sich des auf für ist im dem nicht ein eine"
        " als auch es an werden aus er hat dass sie nach wird bei einer um am sind noch"
        " wie einem über einen so zum war haben nur oder aber vor zur bis mehr durch man"
        " ich wir kann ihr wenn ihre",
        "fr": "de la le et les des en un du une que est pour qui dans a par plus pas au sur"
        " ne se ce il sont avec son elle mais comme ou si leur y dont aux ses cette être"
        " ont sa été fait nous vous je tout même bien sans peut ces très",
        "es": "de la que el en y a los se del las un por con no una su para es al lo como más"
        " pero sus le ya o fue este ha sí porque esta son entre está cuando muy sin"
        " sobre ser también me hasta hay donde han quien están desde todo nos durante"
        " uno ni",
        "pt": "de a o que e do da em um para é com não uma os no se na por mais as dos como"
        " mas foi ao ele das tem à seu sua ou ser quando muito há nos já está eu também"
        " só pelo pela até isso ela entre era depois sem mesmo aos ter seus quem nas me"
        " esse eles estão você",
        "it": "di e il la che in un a per è una sono con non del si da le della i dei come ma"
        " al nel alla più anche gli lo delle se ha o dal ci questo nella dalla cui suo"
        " essere stato suoi ho hanno quando mi tra questa tutto molto dopo perché ed era"
        " degli",
        "ca": "de la i el que a en els les un una és amb per del no es al més com però són"
        " va ser aquest aquesta també quan on si hi ha tot pot seu seva fer molt o us ho",
        "sk": "a sa v na je že s z do o i to ako za by ale k sú pre jeho po ktoré vo tak"
        " alebo len tiež bol podľa od ktorý byť ktorá už nie môže pri až než čo zo si bolo",
        "hr": "i u je na se da za od s su ne ali kao što koji koja koje to ili biti bio bila"
        " već može samo nije iz o po kako sve ako te će sam ovo tako kada ga do još",
        "nl": "de van het een en in is dat op te zijn met voor niet aan er om ook als dan"
        " maar bij of uit nog worden door naar heeft tot ze wordt over hij deze kan al"
        " meer die ik je hebben wat was wel zo geen haar zich we onder moet veel hun",
        "sv": "och i att det som en på är av för med till den har de inte om ett han men var"
        " jag sig från vi så kan när år under också efter eller nu sin där vid mot ska"
        " skulle kommer ut får hade mycket detta finns vara blir alla",
        "da": "og i at det er en til på af for med den de der som ikke et har om han jeg var"
        " men sig fra vi så kan når efter også eller nu hvor ved mod skal skulle kommer"
        " ud får havde meget dette være bliver alle blev hun mig dem hvad",
        "no": "og i å det som en på er av for med til den har de ikke om et han men var jeg"
        " seg fra vi så kan når år under også etter eller nå sin der ved mot skal skulle"
        " kommer ut får hadde mye dette være blir alle ble hun meg hva bare",
        "fi": "ja on ei se että hän oli en mutta ovat joka kun niin myös jos sen ole kuin"
        " mitä ne vain tai olla minä nyt voi ollut siitä hänen mukaan jo sitä jotka sekä"
        " kanssa olen tämä me te mikä sitten mukana koko",
        "pl": "i w na z się nie do to że jest o jak po a za co ale od są przez dla czy tak"
        " tym już ich jego tylko być może przed jako był także które która który ma oraz"
        " jej lub można ja",
        "cs": "a se v na je že s z do o i to jako za by ale k jsou pro jeho po které ve tak"
        " jak nebo jen také byl podle od který být která už jsem není může při až než co"
        " ze si bylo",
        "hu": "a az és hogy nem is egy ez meg van de mint már csak azt vagy volt kell lehet"
        " még ki el ezt ha fel minden akkor mert be amely nagyon aki itt szerint után"
        " között több",
        "ro": "de și în a la cu pe nu un o că din care este să se pentru mai ce sunt au fost"
        " ca prin dar sau fi lui al după am lor ale când dintre foarte poate acest"
        " această",
        "tr": "ve bir bu için de da ile çok daha olarak en gibi sonra kadar ne var olan o ama"
        " ben değil mi her olduğu ya ki şey biz siz göre yok diye iki ise bunu olduğunu",
        "id": "yang dan di dengan untuk dari ini itu pada tidak dalam akan ke adalah juga"
        " saya oleh ada atau sebagai bisa kami karena telah anda mereka lebih tersebut"
        " dapat kita sudah",
        "vi": "và của là có được cho không trong một các người này với những đã để từ khi tôi"
        " đến về như ra cũng sẽ vào nhiều tại bị nó chúng ở rằng thì",
        "ru": "и в не на что с я он по это как но к из у за а от так же бы все для его то был"
        " о она было до мы если уже или еще ее их при быть только когда может они",
        "uk": "і в не на що з я він по це як але до із у за а від так же би все для його та"
        " був про вона було ми якщо вже або ще її їх при бути тільки коли може вони є й",
        "bg": "и в на не се да за от с че по е са като до но си това или ще към който ни му"
        " във беше при има само както още може би които най",
        "ar": "في من على أن إلى هذا التي عن مع هذه ما لا كان كما الذي بين هو وقد قد أو ذلك"
        " بعد كل لم هي عند غير حتى",
        "fa": "و در به از که این را با است برای آن یک خود تا بر می شود کرد هم شد او های ما"
        " اما یا باید دارد نیز",
    }.items()
}
# Scripts by the first and last code points of what is written in them, and their languages.
SCRIPTS: Final[tuple[tuple[int, int, str], ...]] = (
    (0x0041, 0x024F, "latin"),
    (0x1E00, 0x1EFF, "latin"),
    (0x0370, 0x03FF, "greek"),
    (0x0400, 0x052F, "cyrillic"),
    (0x0530, 0x058F, "armenian"),
    (0x0590, 0x05FF, "hebrew"),
    (0x0600, 0x077F, "arabic"),
    (0x0900, 0x097F, "devanagari"),
    (0x0980, 0x09FF, "bengali"),
    (0x0B80, 0x0BFF, "tamil"),
    (0x0E00, 0x0E7F, "thai"),
    (0x10A0, 0x10FF, "georgian"),
    (0x3040, 0x30FF, "kana"),
    (0x3400, 0x4DBF, "han"),
    (0x4E00, 0x9FFF, "han"),
    (0xAC00, 0xD7AF, "hangul"),
)
# Those that one script alone decides; devanagari and arabic are of more languages than are told.
BY_SCRIPT: Final[Mapping[str, str]] = {
    "greek": "el",
    "armenian": "hy",
    "hebrew": "he",
    "devanagari": "hi",
    "bengali": "bn",
    "tamil": "ta",
    "thai": "th",
    "georgian": "ka",
    "hangul": "ko",
}
BY_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "latin": tuple(it for it in STOP_WORDS if it not in ("ru", "uk", "bg", "ar", "fa")),
    "cyrillic": ("ru", "uk", "bg"),
    "arabic": ("ar", "fa"),
}
# Letters that one language of a script has and the others of it have not.
LETTERS: Final[Mapping[str, str]] = {
    "ru": "ыэё",
    "uk": "іїєґ",
    "bg": "",
    "fa": "پچژگیک",
    "ar": "ةىيك",
    "de": "ß",
    "pl": "łżźśń",
    "cs": "řůě",
    "hu": "őű",
    "ro": "șțăţş",
    "tr": "ğıİ",
    "vi": "ơưđạảấầẩậắằặẹẻếềểệịọỏốồổộớờởợụủứừửữựỳỵỷ",
    "pt": "ãõ",
    "es": "ñ¿¡",
    "sv": "",
    "da": "",
    "no": "",
}
LANGUAGES: Final = tuple(sorted({*STOP_WORDS, *BY_SCRIPT.values(), "ja", "zh"}))
