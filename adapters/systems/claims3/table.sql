-- The tables behind the two views of the CLAIMS 3 interface, and the views. README.md says what the columns mean.
-- The real tables belong to the owner and look different; these stand in for them in test and demo.

-- dialect: postgresql

CREATE TABLE benefit_action (
    action_id bigint PRIMARY KEY,
    row_version integer NOT NULL,
    receipt_number varchar(13) NOT NULL,
    form_type varchar(8) NOT NULL,
    action_code varchar(10) NOT NULL,
    action_date date NOT NULL,
    filed_date date,
    a_number varchar(10),
    i94_number varchar(11),
    family_name varchar(120),
    given_name varchar(120),
    date_of_birth varchar(10),
    sex varchar(1),
    country_of_citizenship varchar(5),
    passport_number varchar(20),
    passport_country varchar(5),
    current_class varchar(6),
    requested_class varchar(6),
    requested_until varchar(10),
    granted_class varchar(6),
    granted_until varchar(10),
    valid_from date,
    new_i94_number varchar(11),
    void_flag varchar(1) NOT NULL,
    last_update_ts timestamptz NOT NULL,
    requested_action varchar(1),
    t_u_vawa_flag varchar(1),
    service_center varchar(3),
    examiner_id varchar(8)
);
CREATE INDEX benefit_action_updated ON benefit_action (last_update_ts, action_id);
CREATE TABLE benefit_clock (complete_through timestamptz NOT NULL);
CREATE VIEW visabus_benefit_action AS SELECT * FROM benefit_action;
CREATE VIEW visabus_benefit_clock AS SELECT complete_through FROM benefit_clock;

-- dialect: sqlite

CREATE TABLE benefit_action (
    action_id INTEGER PRIMARY KEY,
    row_version INTEGER NOT NULL,
    receipt_number TEXT NOT NULL,
    form_type TEXT NOT NULL,
    action_code TEXT NOT NULL,
    action_date TEXT NOT NULL,
    filed_date TEXT,
    a_number TEXT,
    i94_number TEXT,
    family_name TEXT,
    given_name TEXT,
    date_of_birth TEXT,
    sex TEXT,
    country_of_citizenship TEXT,
    passport_number TEXT,
    passport_country TEXT,
    current_class TEXT,
    requested_class TEXT,
    requested_until TEXT,
    granted_class TEXT,
    granted_until TEXT,
    valid_from TEXT,
    new_i94_number TEXT,
    void_flag TEXT NOT NULL,
    last_update_ts TEXT NOT NULL,
    requested_action TEXT,
    t_u_vawa_flag TEXT,
    service_center TEXT,
    examiner_id TEXT
);
CREATE INDEX benefit_action_updated ON benefit_action (last_update_ts, action_id);
CREATE TABLE benefit_clock (complete_through TEXT NOT NULL);
CREATE VIEW visabus_benefit_action AS SELECT * FROM benefit_action;
CREATE VIEW visabus_benefit_clock AS SELECT complete_through FROM benefit_clock;
