"""ATS: travel records and vetted overstays by UPAX, and carriers' reservations."""
