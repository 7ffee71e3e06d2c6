000100*----------------------------------------------------------------
000200* TECS INSPECTIONS: RECORDS OF 80 BYTES, EBCDIC CODE PAGE 037
000300*----------------------------------------------------------------
000400 01  TH0.
000500     05  RECORD-ID                   PIC X(03).
000600     05  INTERFACE-VERSION           PIC 9(04).
000700     05  SITE-CODE                   PIC X(03).
000800     05  MESSAGE-SEQUENCE            PIC 9(09).
000900     05  CREATED-AT                  PIC 9(14).
001000     05  FILLER                      PIC X(47).
001100*
001200 01  TI1.
001300     05  RECORD-ID                   PIC X(03).
001400     05  SEQUENCE-NUMBER             PIC 9(05).
001500     05  ACTION-CODE                 PIC X(01).
001600     05  INSPECTION-NUMBER           PIC 9(12).
001700     05  PORT-CODE                   PIC X(03).
001800     05  MODE-CODE                   PIC X(01).
001900     05  LANE-NUMBER                 PIC X(03).
002000     05  LANE-DATE                   PIC 9(08).
002100     05  LANE-TIME                   PIC 9(06).
002200     05  LANE-FOLD                   PIC X(01).
002300     05  OUTCOME-CODE                PIC X(01).
002400     05  ADMISSION-CLASS             PIC X(04).
002500     05  CARRIER-CODE                PIC X(03).
002600     05  CONVEYANCE                  PIC X(10).
002700     05  RECORDED-AT                 PIC 9(14).
002800     05  FILLER                      PIC X(05).
002900*
003000 01  TI2.
003100     05  RECORD-ID                   PIC X(03).
003200     05  SEQUENCE-NUMBER             PIC 9(05).
003300     05  FAMILY-NAME                 PIC X(30).
003400     05  GIVEN-NAME                  PIC X(25).
003500     05  BIRTH-DATE                  PIC 9(08).
003600     05  SEX-CODE                    PIC X(01).
003700     05  NATIONALITY                 PIC X(03).
003800     05  FILLER                      PIC X(05).
003900*
004000 01  TI3.
004100     05  RECORD-ID                   PIC X(03).
004200     05  SEQUENCE-NUMBER             PIC 9(05).
004300     05  DOCUMENT-TYPE               PIC X(01).
004400     05  DOCUMENT-NUMBER             PIC X(20).
004500     05  DOCUMENT-COUNTRY            PIC X(03).
004600     05  DOCUMENT-EXPIRES            PIC 9(08).
004700     05  FILLER                      PIC X(40).
004800*
004900 01  TI4.
005000     05  RECORD-ID                   PIC X(03).
005100     05  SEQUENCE-NUMBER             PIC 9(05).
005200     05  FIELD-OFFICE                PIC X(12).
005300     05  CHARGE-CODE                 PIC X(12).
005400     05  OFO-DISPOSITION             PIC X(06).
005500     05  ENTRY-STATUS                PIC X(04).
005600     05  NORTH-SOUTH-INDICATOR       PIC X(01).
005700     05  CRED-FEAR-INDICATOR         PIC X(01).
005800     05  SIGMA-EVENT-ID              PIC 9(10).
005900     05  SIGMA-PERSON-ID             PIC 9(10).
006000     05  ALIEN-FILE-NUMBER           PIC X(09).
006100     05  DUPLICATE-INDICATOR         PIC X(01).
006200     05  FILLER                      PIC X(06).
006300*
006400 01  TZ9.
006500     05  RECORD-ID                   PIC X(03).
006600     05  SEQUENCE-AGAIN              PIC 9(09).
006700     05  INSPECTION-COUNT            PIC 9(05).
006800     05  RECORD-COUNT                PIC 9(06).
006900     05  FILLER                      PIC X(57).
