-- The table behind the view of the CCD interface, and the view. README.md says what the columns mean.
-- The real tables belong to the owner and look different; these stand in for them in test and demo.

-- dialect: postgresql

CREATE TABLE visa (
    visa_case_id bigint PRIMARY KEY,
    row_version integer NOT NULL,
    application_id varchar(10) NOT NULL,
    foil_number varchar(8),
    visa_class varchar(8),
    post_code varchar(3),
    status_code varchar(9) NOT NULL,
    status_date date NOT NULL,
    issued_date date,
    expires_date date,
    entries varchar(1),
    refusal_section varchar(20),
    family_name varchar(80),
    given_name varchar(80),
    date_of_birth varchar(10),
    sex varchar(1),
    nationality varchar(3),
    passport_number varchar(20),
    passport_country varchar(3),
    annotation varchar(200),
    void_flag varchar(1) NOT NULL,
    last_update_ts timestamptz NOT NULL
);
CREATE INDEX visa_updated ON visa (last_update_ts, visa_case_id);
CREATE VIEW visabus_visa AS SELECT * FROM visa;

-- dialect: sqlite

CREATE TABLE visa (
    visa_case_id INTEGER PRIMARY KEY,
    row_version INTEGER NOT NULL,
    application_id TEXT NOT NULL,
    foil_number TEXT,
    visa_class TEXT,
    post_code TEXT,
    status_code TEXT NOT NULL,
    status_date TEXT NOT NULL,
    issued_date TEXT,
    expires_date TEXT,
    entries TEXT,
    refusal_section TEXT,
    family_name TEXT,
    given_name TEXT,
    date_of_birth TEXT,
    sex TEXT,
    nationality TEXT,
    passport_number TEXT,
    passport_country TEXT,
    annotation TEXT,
    void_flag TEXT NOT NULL,
    last_update_ts TEXT NOT NULL
);
CREATE INDEX visa_updated ON visa (last_update_ts, visa_case_id);
CREATE VIEW visabus_visa AS SELECT * FROM visa;
