"""Codes of issuing states and nationalities: ICAO Doc 9303 part 3, section 5.

ISO 3166-1 alpha-3 with the document's own additions: D (Germany), the GB* classes of British nationals, UN*, XX*
(stateless, refugees), X** organisations, and codes of states gone by that old documents still show.
"""

from functools import lru_cache

STATES: frozenset[str] = frozenset(
    """
    ABW AFG AGO AIA ALA ALB AND ANT ARE ARG ARM ASM ATA ATF ATG AUS AUT AZE BDI BEL BEN BES BFA BGD BGR
    BHR BHS BIH BLM BLR BLZ BMU BOL BRA BRB BRN BTN BVT BWA CAF CAN CCK CHE CHL CHN CIV CMR COD COG COK
    COL COM CPV CRI CUB CUW CXR CYM CYP CZE D DEU DJI DMA DNK DOM DZA ECU EGY ERI ESH ESP EST ETH EUE
    FIN FJI FLK FRA FRO FSM GAB GBD GBN GBO GBP GBR GBS GEO GGY GHA GIB GIN GLP GMB GNB GNQ GRC GRD GRL
    GTM GUF GUM GUY HKG HMD HND HRV HTI HUN IAO IDN IMN IND IOT IRL IRN IRQ ISL ISR ITA JAM JEY JOR JPN
    KAZ KEN KGZ KHM KIR KNA KOR KWT LAO LBN LBR LBY LCA LIE LKA LSO LTU LUX LVA MAC MAF MAR MCO MDA MDG
    MDV MEX MHL MKD MLI MLT MMR MNE MNG MNP MOZ MRT MSR MTQ MUS MWI MYS MYT NAM NCL NER NFK NGA NIC NIU
    NLD NOR NPL NRU NZL OMN PAK PAN PCN PER PHL PLW PNG POL PRI PRK PRT PRY PSE PYF QAT REU RKS ROM ROU
    RUS RWA SAU SDN SEN SGP SGS SHN SJM SLB SLE SLV SMR SOM SOV SPM SRB SSD STP SUR SVK SVN SWE SWZ SXM
    SYC SYR TCA TCD TGO THA TJK TKL TKM TLS TON TTO TUN TUR TUV TWN TZA UGA UKR UMI UNA UNK UNO URY USA
    UZB VAT VCT VEN VGB VIR VNM VUT WLF WSA WSM XAA XBA XCC XCE XCO XCT XDC XEC XES XIM XMP XOM XPO XXA
    XXB XXC XXX YEM YUG ZAF ZAR ZMB ZWE
    """.split()
)


@lru_cache(maxsize=1024)
def citizenship(code: str) -> str:
    """The code under which a nationality is compared: German documents say D, lists say DEU. Raises ValueError."""
    code = code.strip().upper().rstrip("<")
    if code not in STATES:
        raise ValueError(f"{code!r} is no ICAO 9303 code of a state or nationality")
    return "DEU" if code == "D" else code
