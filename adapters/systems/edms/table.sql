-- The table behind the view of the EDMS interface, and the view, for SQLite: they stand in for the owner's in test and demo.
-- README.md says what the columns mean.

CREATE TABLE scanned_document (
    document_id TEXT,
    a_number TEXT,
    file_part TEXT,
    form_number TEXT,
    pages INTEGER,
    scanned_at TEXT,
    office TEXT
);
CREATE VIEW visabus_scanned_document AS SELECT * FROM scanned_document;
