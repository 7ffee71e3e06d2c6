DROP VIEW visabus_travel_history;
