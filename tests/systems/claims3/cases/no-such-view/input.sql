DROP VIEW visabus_benefit_action;
