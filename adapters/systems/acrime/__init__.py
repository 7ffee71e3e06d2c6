"""ACRIMe: queries of law enforcement on a person's immigration status, and the answers."""
