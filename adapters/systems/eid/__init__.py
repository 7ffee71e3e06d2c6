"""EID, the database of ENFORCE: arrests, bookings, notices to appear, detainers."""
