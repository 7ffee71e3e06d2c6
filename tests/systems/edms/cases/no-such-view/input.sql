DROP VIEW visabus_scanned_document;
