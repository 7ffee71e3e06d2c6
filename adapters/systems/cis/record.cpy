000100*----------------------------------------------------------------
000200* CIS NIGHTLY EXTRACT: ONE RECORD OF 900 BYTES, EBCDIC CODE PAGE 037
000300* THE FIELDS FROM A-NUMBER TO FIN ARE THOSE OF THE CIS DISPLAY, IN
000400* ITS ORDER AND ITS LENGTHS. WHAT FOLLOWS IS THIS INTERFACE'S OWN.
000500*----------------------------------------------------------------
000600 01  CIS-RECORD.
000700     05  RECORD-TYPE                 PIC X(01).
000800         88  IS-HEADER               VALUE 'H'.
000900         88  IS-DETAIL               VALUE 'D'.
001000         88  IS-TRAILER              VALUE 'T'.
001100     05  RECORD-BODY                 PIC X(899).
001200*
001300     05  HEADER-BODY REDEFINES RECORD-BODY.
001400         10  INTERFACE-ID            PIC X(08).
001500         10  INTERFACE-VERSION       PIC 9(04).
001600         10  EXTRACT-SEQUENCE        PIC 9(09) COMP-3.
001700         10  EXTRACT-DATE            PIC 9(08).
001800         10  FILLER                  PIC X(874).
001900*
002000     05  DETAIL-BODY REDEFINES RECORD-BODY.
002100         10  A-NUMBER                PIC X(09).
002200         10  FCO                     PIC X(03).
002300         10  DATE-FILE-OPEN          PIC 9(08).
002400         10  LAST-NAME               PIC X(40).
002500         10  FIRST-NAME              PIC X(25).
002600         10  MIDDLE-NAME             PIC X(25).
002700         10  MOTHER-FIRST-NAME       PIC X(18).
002800         10  FATHER-FIRST-NAME       PIC X(18).
002900         10  ALIAS-LAST-NAME         PIC X(40).
003000         10  ALIAS-FIRST-NAME        PIC X(25).
003100         10  BIRTH-DATE              PIC 9(08).
003200         10  BIRTH-COUNTRY           PIC X(05).
003300         10  CITIZENSHIP-COUNTRY     PIC X(05).
003400         10  CLASS-OF-ADMISSION      PIC X(03).
003500         10  CLASS-DESCRIPTION       PIC X(34).
003600         10  PORT-OF-ENTRY           PIC X(03).
003700         10  DATE-OF-ENTRY           PIC 9(08).
003800         10  SEX                     PIC X(01).
003900         10  SOCIAL-SECURITY         PIC X(09).
004000         10  I94-NUMBER              PIC X(11).
004100         10  PASSPORT                PIC X(20).
004200         10  FBI-NUMBER              PIC X(12).
004300         10  DRIVERS-LICENCE         PIC X(20).
004400         10  FINGERPRINT-CODE        PIC X(20).
004500         10  TRAVEL-DOCUMENT         PIC X(20).
004600         10  FIN                     PIC X(10).
004700*
004800         10  RECORD-KIND             PIC X(01).
004900             88  IS-IMMIGRANT        VALUE 'I'.
005000             88  IS-EAD-HOLDER       VALUE 'E'.
005100             88  IS-BORDER-CROSSER   VALUE 'B'.
005200             88  IS-PETITIONER       VALUE 'P'.
005300         10  KIND-DATA               PIC X(20).
005400         10  IMMIGRANT-DATA REDEFINES KIND-DATA.
005500             15  RESIDENT-SINCE      PIC S9(08) COMP-3.
005600             15  NATURALISED-ON      PIC S9(08) COMP-3.
005700             15  FILLER              PIC X(10).
005800         10  EAD-DATA REDEFINES KIND-DATA.
005900             15  EAD-CATEGORY        PIC X(03).
006000             15  EAD-FROM            PIC S9(08) COMP-3.
006100             15  EAD-UNTIL           PIC S9(08) COMP-3.
006200             15  FILLER              PIC X(07).
006300         10  CARD-DATA REDEFINES KIND-DATA.
006400             15  CARD-NUMBER         PIC X(13).
006500             15  FILLER              PIC X(07).
006600         10  PETITION-DATA REDEFINES KIND-DATA.
006700             15  PETITION-RECEIPT    PIC X(13).
006800             15  FILLER              PIC X(07).
006900         10  SOURCE-SYSTEM           PIC X(12).
007000         10  SOURCE-RECORD           PIC X(30).
007100         10  MORE-ALIASES OCCURS 2 TIMES.
007200             15  MORE-LAST-NAME      PIC X(40).
007300             15  MORE-FIRST-NAME     PIC X(25).
007400         10  FILE-MOVES OCCURS 6 TIMES.
007500             15  MOVED-TO            PIC X(03).
007600             15  MOVED-ON            PIC S9(08) COMP-3.
007700         10  LAST-UPDATED            PIC 9(14).
007800         10  FILLER                  PIC X(244).
007900*
008000     05  TRAILER-BODY REDEFINES RECORD-BODY.
008100         10  TRAILER-SEQUENCE        PIC 9(09) COMP-3.
008200         10  DETAIL-COUNT            PIC 9(09) COMP.
008300         10  IMMIGRANT-COUNT         PIC 9(09) COMP.
008400         10  FILLER                  PIC X(886).
