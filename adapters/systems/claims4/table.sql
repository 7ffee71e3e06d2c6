-- The table behind the view of the CLAIMS 4 interface, and the view, for SQLite: they stand in for the owner's in test and demo.
-- README.md says what the columns mean.

CREATE TABLE naturalization_case (
    receipt_number TEXT,
    form_type TEXT,
    a_number TEXT,
    i94_number TEXT,
    last_name TEXT,
    first_name TEXT,
    middle_name TEXT,
    new_last_name TEXT,
    new_first_name TEXT,
    ben_date_of_birth TEXT,
    ben_gender TEXT,
    country_of_nationality TEXT,
    ben_country_of_birth TEXT,
    rec_date TEXT,
    intv_date TEXT,
    natz_test_date TEXT,
    lpr_date TEXT,
    decision TEXT,
    decision_date TEXT,
    natz_date TEXT,
    district_office TEXT,
    as_of TEXT
);
CREATE VIEW visabus_naturalization_case AS SELECT * FROM naturalization_case;
