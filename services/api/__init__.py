"""The query API: status and time line of a person, for those who may ask, with a purpose, and never without a trace."""
