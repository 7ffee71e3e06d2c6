INSERT INTO scanned_document (document_id, a_number, file_part, form_number, pages, scanned_at, office) VALUES ('D0001', 'A099123456', 'L', 'I-485', 12, '2025-06-02T14:03:11.250000Z', 'NRC');
INSERT INTO scanned_document (document_id, a_number, file_part, form_number, pages, scanned_at, office) VALUES ('D0002', 'A099123456', 'W', NULL, 12, '2025-06-02T14:03:11.250000Z', 'NRC');
INSERT INTO scanned_document (document_id, a_number, file_part, form_number, pages, scanned_at, office) VALUES ('D0003', 'A099123456', 'R', 'I-485', 12, '2025-06-02T14:03:11.250000Z', 'NRC');
