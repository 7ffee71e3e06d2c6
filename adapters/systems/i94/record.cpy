000100*----------------------------------------------------------------
000200* I-94 NIGHTLY FILE: ONE RECORD OF 250 BYTES, EBCDIC CODE PAGE 037
000300*----------------------------------------------------------------
000400 01  I94-RECORD.
000500     05  RECORD-TYPE                 PIC X(01).
000600         88  IS-HEADER               VALUE 'H'.
000700         88  IS-DETAIL               VALUE 'D'.
000800         88  IS-TRAILER              VALUE 'T'.
000900     05  RECORD-BODY                 PIC X(249).
001000*
001100     05  HEADER-BODY REDEFINES RECORD-BODY.
001200         10  INTERFACE-ID            PIC X(08).
001300         10  INTERFACE-VERSION       PIC 9(04).
001400         10  FILE-DATE               PIC 9(08).
001500         10  FILE-SEQUENCE           PIC 9(06).
001600         10  CREATED-AT              PIC 9(14).
001700         10  PREVIOUS-SEQUENCE       PIC 9(06).
001800         10  COVERAGE-COUNT          PIC 9(02).
001900         10  COVERAGE OCCURS 6 TIMES.
002000             15  COVERAGE-SCOPE      PIC X(02).
002100             15  COVERAGE-SINCE      PIC 9(14).
002200             15  COVERAGE-THROUGH    PIC 9(14).
002300         10  FILLER                  PIC X(21).
002400*
002500     05  DETAIL-BODY REDEFINES RECORD-BODY.
002600         10  TXN-TYPE                PIC X(01).
002700             88  IS-ARRIVAL          VALUE 'A'.
002800             88  IS-DEPARTURE        VALUE 'D'.
002900             88  IS-EXTENSION        VALUE 'X'.
003000         10  TXN-ACTION              PIC X(01).
003100             88  IS-NEW              VALUE 'N'.
003200             88  IS-CORRECTION       VALUE 'C'.
003300             88  IS-DELETION         VALUE 'D'.
003400         10  TXN-NUMBER              PIC 9(11) COMP-3.
003500         10  LAST-UPDATED            PIC 9(14).
003600         10  I94-NUMBER              PIC X(11).
003700         10  FAMILY-NAME             PIC X(39).
003800         10  GIVEN-NAME              PIC X(39).
003900         10  BIRTH-DATE              PIC 9(08).
004000         10  SEX-CODE                PIC X(01).
004100         10  CITIZENSHIP             PIC X(03).
004200         10  PASSPORT-STATE          PIC X(03).
004300         10  PASSPORT-NUMBER         PIC X(15).
004400         10  VISA-FOIL               PIC X(08).
004500         10  PORT-CODE               PIC X(03).
004600         10  MODE-CODE               PIC X(01).
004700         10  CARRIER-CODE            PIC X(03).
004800         10  CONVEYANCE              PIC X(10).
004900         10  EVENT-DATE              PIC 9(08).
005000         10  EVENT-TIME              PIC 9(06).
005100             88  TIME-UNKNOWN        VALUE 999999.
005200         10  EVENT-FOLD              PIC X(01).
005300         10  TYPE-DATA               PIC X(30).
005400         10  ARRIVAL-DATA REDEFINES TYPE-DATA.
005500             15  ADMISSION-CLASS     PIC X(04).
005600             15  INSPECTION-CODE     PIC X(01).
005700             15  ADMITTED-KIND       PIC X(01).
005800             15  ADMITTED-UNTIL      PIC S9(08) COMP-3.
005900             15  FILLER              PIC X(19).
006000         10  DEPARTURE-DATA REDEFINES TYPE-DATA.
006100             15  EVIDENCE-CODE       PIC X(01).
006200             15  FILLER              PIC X(29).
006300         10  EXTENSION-DATA REDEFINES TYPE-DATA.
006400             15  GRANTED-CLASS       PIC X(04).
006500             15  GRANTED-KIND        PIC X(01).
006600             15  GRANTED-UNTIL       PIC S9(08) COMP-3.
006700             15  VALID-FROM          PIC S9(08) COMP-3.
006800             15  FILLER              PIC X(15).
006900         10  OFFICER-ID              PIC X(08).
007000         10  TERMINAL-ID             PIC X(04).
007100         10  FILLER                  PIC X(26).
007200*
007300     05  TRAILER-BODY REDEFINES RECORD-BODY.
007400         10  TRAILER-SEQUENCE        PIC 9(06).
007500         10  DETAIL-COUNT            PIC 9(09) COMP.
007600         10  ARRIVAL-COUNT           PIC 9(09) COMP.
007700         10  DEPARTURE-COUNT         PIC 9(09) COMP.
007800         10  EXTENSION-COUNT         PIC 9(09) COMP.
007900         10  HASH-TOTAL              PIC S9(17) COMP-3.
008000         10  FILLER                  PIC X(218).
