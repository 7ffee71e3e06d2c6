"""A hundred pairs and more of each kind of mistake, made by rule out of names of many cultures: none does harm.

What an examiner would want stands beside each kind as the verdicts that are acceptable. All persons are invented.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random

import pytest
from domain.pairs import Record, groups, verdict

from services.domain import identity

Pair = tuple[Record, Record]
PEOPLE = [
    # rare enough to say who somebody is, of many cultures
    *(("GBR", name) for name in ("FETHERSTONHAUGH/IMOGEN", "HOLLINGSWORTH/BARNABY", "CHOLMONDELEY/PERPETUA")),
    *(("DEU", name) for name in ("SCHNEIDERMANN/EBERHARD", "KOENIGSBERGER/ROSWITHA", "HOLZAPFEL/LUITGARD")),
    *(("NLD", name) for name in ("VANDERSTRAETEN/LIESBETH", "HOOGENBOOM/MAARTJE", "KRUITHOF/DIEUWKE")),
    *(("ESP", name) for name in ("IZQUIERDO LARRANAGA/MARIA JOSE", "ECHEVERRIA URRUTIA/INAKI", "BELTRAN OROZCO/LEIRE")),
    *(("POL", name) for name in ("KRASZEWSKI/BOLESLAW", "SZCZEPANSKA/JADWIGA", "BRZEZICKI/ZBIGNIEW")),
    *(("NGA", name) for name in ("OKONJOWURA/CHIDERA", "OYELARAN/KEHINDE", "NWACHUKWUDI/IFEADI")),
    *(("IND", name) for name in ("RAMASUBRAMANIAM/KARTHIKEYAN", "BHATTACHARJEE/INDRANIL", "GOPALAKRISHNAN/VASUDHA")),
    *(("JPN", name) for name in ("TAKEUCHIDA/HIDEYOSHI", "KOBAYAKAWA/SHIZUKA", "MINAMIKAWA/TETSURO")),
    *(("EGY", name) for name in ("SHAZLAWY/GALAL", "MANSOURIAN/DALIDA", "ABOUZEIDAN/RANIA")),
    *(("FRA", name) for name in ("DUPONTEL/APOLLINE", "BOURGUIGNON/THIBAUD", "LARROQUE/CLOTILDE")),
    *(("TUR", name) for name in ("CAGLAYANOGLU/ISILAY", "KARAOSMANOGLU/TANJU", "DEMIRELLI/NILGUN")),
    *(("RUS", name) for name in ("TSVETAYEVSKY/YEVDOKIM", "DOLGORUKOVA/ZLATA", "PREOBRAZHENSKY/LUKYAN")),
    *(("BRA", name) for name in ("VASCONCELLOS/JUSCELINO", "CAVALCANTI ALBUQUERQUE/IRACEMA", "BITTENCOURT/MOACIR")),
]  # fmt: skip


def people(rng: Random) -> Iterator[Record]:
    """Everybody, born some day, each with a passport of their own."""
    for number, (country, name) in enumerate(PEOPLE * 3):
        family, given = name.split("/")
        born = f"{rng.randint(1945, 2004)}-{rng.randint(1, 12):02}-{rng.randint(13, 28)}"
        passport = f"passport/{country}/K{rng.randint(20, 99)}{number:03}{rng.randint(20, 99)}"
        yield Record(family, given, born, "FM"[number % 2], (country,), (passport,))


def bare(record: Record) -> Record:
    """The same without a document."""
    return replace(record, ids=())


GLUED = """VAN DER BERG/PIETER|VAN DEN HEUVEL/ANNA MARIA|VON DER HEIDE/JUTTA|VON UND ZU FALKENSTEIN/ADELHEID|
DE LA CRUZ/JOSE LUIS|DE LOS REYES/ROSA MARIA|DEL CASTILLO/ANA|DI GIOVANNI/PIETRO|DA SILVA SANTOS/JOAO PEDRO|
DOS ANJOS/BEATRIZ|MC DONALD/FIONA|MAC GREGOR/ROBERT|O BRIEN/SEAN|SAINT PIERRE/JEAN|ST JOHN/OLIVER|
LE BLANC/MARIE CLAUDE|LA FONTAINE/LUC|AL HASSAN/OMAR|AL-SHAZLY/MOSTAFA|EL SAYED/AHMED|ABDEL RAHMAN/MOHAMED|
ABD AL RAHMAN/SAMIR|BIN LADIN/SALEH|BEN AMAR/SAMI|ABU BAKR/YUSUF|KIM/MIN HO|PARK/SOO YOUNG|CHOI/JI HYUN|
OU YANG/XIAO MING|ZHU GE/LIANG WEI|CHEN/MEI LING|SI MA/QIAN YI|NGUYEN/THI THU TRANG|TRAN/VAN ANH|LE/HOANG NAM|
GARCIA LOPEZ/ANA|BELTRAN OROZCO/MARIA JOSE|MARTINEZ RUIZ/JUAN CARLOS|HERRERA VEGA/LUZ MARINA|SRI LESTARI/DEWI|
MUHAMMAD NUR/FADHIL|TER HORST/WILLEM|VAN T HOFF/KEES|ZUR LINDEN/KURT|D ANGELO/MARIO|DALL OGLIO/PIETRO|
AUNG SAN/KYAW ZAW|HTET LIN/MIN THU|SAO PEDRO/RITA|VILLA LOBOS/HEITOR"""


def glued(rng: Random) -> Iterator[Pair]:
    """One writes blanks and hyphens, the other does not; in one of the names, in both, in the other's field."""
    for name in GLUED.replace("\n", "").split("|"):
        family, given = name.split("/")
        born = f"{rng.randint(1945, 2004)}-{rng.randint(1, 12):02}-{rng.randint(13, 28)}"
        one = Record(family, given, born, "", ("CAN",))
        close = replace(one, family=family.replace(" ", "").replace("-", ""), given=given.replace(" ", ""))
        yield one, close
        yield one, replace(one, family=close.family)
        yield one, replace(one, family=family.replace(" ", "-"), given=close.given)
        yield one, replace(one, family=close.given, given=close.family)


def titles(rng: Random) -> Iterator[Pair]:
    for one in map(bare, people(rng)):
        title = rng.choice("MR MRS MS MISS DR PROF MSTR".split())
        yield one, replace(one, given=f"{one.given}{title}")
        yield one, replace(one, given=f"{title} {one.given}")
        yield one, replace(one, family=f"{one.family} {rng.choice(('JR', 'SR', 'III'))}")


def one_letter(rng: Random) -> Iterator[Pair]:
    """A letter left out, twice, or two in the wrong order, in either name."""
    for one in people(rng):
        for field in ("family", "given"):
            name = getattr(one, field)
            at = rng.randint(1, len(name) - 3)
            if " " not in name[at - 1 : at + 2]:
                for wrong in (
                    name[:at] + name[at + 1 :],
                    name[:at] + name[at] + name[at:],
                    name[:at] + name[at + 1] + name[at] + name[at + 2 :],
                ):
                    yield bare(one), replace(bare(one), **{field: wrong})


def swapped_names(rng: Random) -> Iterator[Pair]:
    for one in people(rng):
        yield one, replace(one, family=one.given, given=one.family)
        yield bare(one), replace(bare(one), family=one.given, given=one.family, birth=_other_day(one.birth))


def _other_day(birth: str) -> str:
    return f"{birth[:8]}{int(birth[8:]) - 1:02}"


def year_digit(rng: Random) -> Iterator[Pair]:
    """The last digit of the year, or the day and month in the other order."""
    for one in people(rng):
        year = int(one.birth[:4])
        wrong = year + rng.choice([step for step in range(1, 10) if (year + step) // 10 == year // 10] or [-1])
        yield bare(one), replace(bare(one), birth=f"{wrong}{one.birth[4:]}")
        yield one, replace(one, ids=(f"{one.ids[0][:-2]}77",), birth=f"{wrong}{one.birth[4:]}")
        early = replace(bare(one), birth=f"{one.birth[:4]}-03-11")
        yield early, replace(early, birth=f"{one.birth[:4]}-11-03")


def generations(rng: Random) -> Iterator[Pair]:
    """A parent and a child of one name and one birthday, each with a passport; one of them under the other's."""
    for one in people(rng):
        child = replace(one, birth=f"{int(one.birth[:4]) + rng.choice((20, 30, 40))}{one.birth[4:]}")
        yield one, replace(child, ids=("passport/AUS/N5551237",))
        yield one, child


def single_names(rng: Random) -> Iterator[Pair]:
    for name in "RAJKUMARAN SUDARMINTO SUHARTOYO THIRUMALAI WIDODARENI PAPADOPOULLI OYUUNBOLD".split():
        for country in ("IND", "IDN", "MMR", "MNG", "AFG"):
            born = f"{rng.randint(1945, 2004)}-{rng.randint(2, 12):02}-{rng.randint(2, 28):02}"
            one = Record(name, "", born, rng.choice("FM"), (country,))
            yield one, replace(one, family="", given=name)
            yield one, replace(one, given=name)
            yield one, replace(one, given="FNU")
            yield one, replace(one, family="LNU", given=name)


def truncated(rng: Random) -> Iterator[Pair]:
    """Both names cut at ten letters, or the family name at eight."""
    for one in people(rng):
        if len(one.family) > 10:
            yield bare(one), replace(bare(one), family=one.family[:10].strip(), given=one.given[:10].strip())
            yield bare(one), replace(bare(one), family=one.family[:8].strip())


def transliterated(rng: Random) -> Iterator[Pair]:
    spellings = (
        "MUELLENBACH/GOETZ=MULLENBACH/GOTZ SOERENSEN/JOERGEN=SORENSEN/JORGEN TSVETAYEV/YURIY=TCVETAEV/IURII "
        "HRYTSENKO/OLEKSANDR=GRITSENKO/ALEKSANDR KHROUCHTCHEV/SERGUEI=KHRUSHCHEV/SERGEY "
        "ALSHAZLI/MUSTAFA=ELSHAZLY/MOSTAFA CHOWDHURY/MOHAMMED=CHAUDHARY/MUHAMMAD IBRAHIMI/HUSSEIN=EBRAHIMI/HOSSEIN "
        "OKONKWO/CHUKWU=OKONKO/CHUKU SATOH/YUUKO=SATO/YUKO BANERJEE/LAXMI=BANERJI/LAKSHMI "
        "JIMENEZ/RAPHAEL=GIMENEZ/RAFAEL WISNIEWSKI/KAROLINA=VISNIEVSKI/KAROLINA PHILIPPIDES/SOPHIE=FILIPPIDES/SOFIE "
        "KOWALCZYK/VIKTOR=KOWALCZYK/WIKTOR BOUTROS/YOUSSEF=BUTROS/YUSUF"
    )
    for line in spellings.split():
        mine, theirs = ((side.split("/")) for side in line.split("="))
        for country in ("GBR", "USA", "AUS", "CAN", "ZAF", "NZL", "IRL"):
            born = f"{rng.randint(1945, 2004)}-{rng.randint(2, 12):02}-{rng.randint(13, 28)}"
            yield Record(*mine, born, "", (country,)), Record(*theirs, born, "", (country,))


def customary_births(rng: Random) -> Iterator[Pair]:
    """Two of one common name, each with a passport, both born on 1 January where many are."""
    names = {
        "AFG": ("AHMADI RAHIMI NOORI KARIMI", "MOHAMMAD AHMAD ABDUL GHULAM"),
        "SOM": ("MOHAMED ALI HASSAN ABDI", "AHMED MOHAMED ABDULLAHI HALIMA"),
        "SDN": ("AHMED IBRAHIM OSMAN HASSAN", "MOHAMED FATIMA OMER MUSTAFA"),
        "IRQ": ("ALI HUSSEIN HASSAN MOHAMMED", "AHMED ALI MOHAMMED ZAINAB"),
        "YEM": ("ALI AHMED SALEH MOHAMMED", "ABDULLAH ALI AHMED FATIMA"),
        "ERI": ("TESFAY HAILE BERHANE TEKLE", "MUHAMMAD SARA MARIAM DANIEL"),
    }
    for country, (families, givens) in names.items():
        for family in families.split():
            for given in givens.split():
                born = f"{rng.randint(1955, 2004)}-01-01"
                one = Record(family, given, born, "M", (country,), (f"passport/{country}/P01234567",))
                yield one, replace(one, ids=(f"passport/{country}/P07654321",))
                yield one, replace(one, ids=(f"passport/{country}/P07654321",), birth=f"{int(born[:4]) + 1}-01-01")


def mistyped_numbers(rng: Random) -> Iterator[Pair]:
    """A number by which two are joined who differ in everything."""
    everybody = list(people(rng))
    schemes = ("i94/300000001A1", "sevis/N0990001178", "receipt/EAC2690001234", "a_number/A099000117")
    for place, one in enumerate(everybody):
        other = everybody[(place + 7) % len(everybody)]
        number = schemes[place % len(schemes)]
        if one.citizenship != other.citizenship and one.birth[:4] != other.birth[:4]:
            yield replace(one, ids=(number, *one.ids)), replace(other, ids=(number, *other.ids))


def mistyped_without_dates(rng: Random) -> Iterator[Pair]:
    """A number under two whose names and citizenship are others', where one has no date of birth or neither has."""
    for one, other in mistyped_numbers(rng):
        yield replace(one, birth=""), replace(other, birth="", sex="")
        yield replace(one, sex=""), replace(other, birth="", citizenship=())


def unknown_days(_: Random) -> Iterator[Pair]:
    """One passport under one name, of which one record has 1 January for a birthday that is not known."""
    for country, names in (
        ("AFG", "OMID KARIMI"),
        ("SOM", "HODAN WARSAME"),
        ("SDN", "IDRIS BAKHIT"),
        ("YEM", "NOURA SALEH"),
    ):
        given, family = names.split()
        for year in range(1960, 2000, 3):
            one = Record(family, given, f"{year}-06-17", "", (country,), (f"passport/{country}/P0{year}4567",))
            yield one, replace(one, birth=f"{year}-01-01")


def reused_documents(rng: Random) -> Iterator[Pair]:
    """One passport number under two who differ in everything, of one issuer or of two; and placeholders."""
    everybody = list(people(rng))
    for place, one in enumerate(everybody):
        other = replace(everybody[(place + 10) % len(everybody)], sex="M" if one.sex == "F" else "F")
        if one.birth[:4] == other.birth[:4]:
            continue
        for number in ("512345670", "000000000", "999999999", "XXXXXXXX", "123456789"):
            yield replace(one, ids=(f"passport/GBR/{number}",)), replace(other, ids=(f"passport/GBR/{number}",))


def scanned_for_another(rng: Random) -> Iterator[Pair]:
    """Of a couple born on one day, or of twins, one passport was scanned for both."""
    for one in people(rng):
        given = "ODALYS" if one.sex == "M" else "WENDELIN"
        partner = replace(one, given=given, sex="F" if one.sex == "M" else "M")
        yield one, partner
        yield one, replace(partner, family="QUARTERMAINE")
        yield one, replace(one, given="ODALYS")


def twins(rng: Random) -> Iterator[Pair]:
    for one in people(rng):
        number = one.ids[0]
        sister = replace(one, given="ODALYS", ids=(f"{number[:-1]}{(int(number[-1]) + 1) % 10}",))
        yield one, sister
        yield bare(one), bare(sister)
        yield replace(one, given=f"{one.given} AXEL"), replace(one, given="ODALYS AXEL", ids=sister.ids)


def namesakes(rng: Random) -> Iterator[Pair]:
    """Two of one common name and another date of birth; numbers in sequence, as families have them."""
    names = (
        "GBR SMITH/JOHN|MEX HERNANDEZ/MARIA|KOR KIM/MINJI|VNM NGUYEN/THI LAN|CHN WANG/WEI|IND SINGH/FNU|BRA SILVA/JOSE|"
        "PAK KHAN/MUHAMMAD|USA JOHNSON/JAMES|ESP GARCIA/ANTONIO"
    )
    for line in names.split("|"):
        country, name = line.split(" ", 1)
        family, given = name.split("/")
        for step in range(10):
            born = f"{1950 + step * 5}-0{rng.randint(2, 9)}-{rng.randint(13, 28)}"
            one = Record(family, given, born, "M", (country,), (f"passport/{country}/K1122{step}44",))
            born = f"{1953 + step * 4}-10-0{step % 9 + 1}"
            yield one, replace(one, birth=born, ids=(f"passport/{country}/K1122{step}45",))


def nicknames(rng: Random) -> Iterator[Pair]:
    names = (
        "ROBERT=BOB WILLIAM=BILL ELIZABETH=BETTY MARGARET=PEGGY RICHARD=DICK EDWARD=TED FRANCISCO=PACO JOSE=PEPE "
        "MIKHAIL=MISHA ALEXANDER=SASHA KATHERINE=KATE JAMES=JIM THERESA=TESS DOLORES=LOLA JOHANNES=HANS GIUSEPPE=PINO "
        "PATRICIA=TRISH HENRY=HARRY"
    )
    for pair in names.split():
        full, short = pair.split("=")
        for one in list(people(rng))[::6]:
            yield replace(one, given=full), replace(one, given=short, ids=())
            yield replace(one, given=full), replace(one, given=short, ids=("passport/AUS/N5551237",))


def renewed(rng: Random) -> Iterator[Pair]:
    for one in people(rng):
        yield one, replace(one, ids=(f"{one.ids[0][:-3]}071",))
        yield one, replace(one, citizenship=("AUS",), ids=("passport/AUS/N5551237",))
        yield one, replace(one, ids=(f"{one.ids[0]}4",))


ANY, LISTED, APART = {"join", "possible"}, {"possible", "separate"}, {"separate"}
KINDS: dict[str, tuple[Callable[[Random], Iterator[Pair]], set[str], int]] = {
    "names without blanks": (glued, ANY, 190),
    "titles and generations": (titles, ANY, 300),
    "one letter": (one_letter, ANY, 600),
    "names swapped": (swapped_names, ANY, 200),
    "a digit of the year, day and month swapped": (year_digit, ANY, 300),
    "parent and child": (generations, LISTED, 200),
    "single names": (single_names, ANY, 130),
    "cut names": (truncated, ANY, 90),
    "transliterations": (transliterated, ANY, 100),
    "1 January": (customary_births, LISTED, 190),
    "a mistyped number": (mistyped_numbers, {"possible"}, 100),
    "a mistyped number without dates": (mistyped_without_dates, {"possible"}, 200),
    "a day of birth that is not known": (unknown_days, {"join"}, 50),
    "a number used anew, or none": (reused_documents, APART, 500),
    "another's passport scanned": (scanned_for_another, LISTED, 300),
    "twins": (twins, LISTED, 300),
    "namesakes": (namesakes, APART, 90),
    "nicknames": (nicknames, ANY, 600),
    "a new passport, a second one, a check digit": (renewed, ANY, 300),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_of_pair_does_no_harm(kind: str) -> None:
    make, acceptable, least = KINDS[kind]
    pairs = list(make(Random(kind)))
    assert len(pairs) >= least
    harm = [(one, other, judged) for one, other in pairs if (judged := verdict(one, other)) not in acceptable]
    assert harm == []


def test_a_number_that_outweighs_all_names_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The planted bug: names alone do not count against a number."""
    monkeypatch.setattr(identity.Cluster, "_nothing_agrees", lambda *_: False)
    pairs = mistyped_without_dates(Random("a mistyped number without dates"))
    assert any(verdict(one, other) == "join" for one, other in pairs)


def test_records_of_nothing_but_a_number_of_two_people_are_nobodys_together() -> None:
    """A passport's number that two people are told under: which of them a bare record means, nothing says."""
    one = Record("BARAKOVSKY", "OMID", "1979-03-14", "M", ("AFG",), ("passport/GBR/512345670",))
    other = Record("ECHEVERRIA", "ITZIAR", "1991-10-30", "F", ("ESP",), ("passport/GBR/512345670",))
    bare = Record(ids=("passport/GBR/512345670",))
    assert len(groups((one, other, bare, bare))) == 4
    assert len(groups((one, bare, bare))) == 1
