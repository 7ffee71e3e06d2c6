"""How other servers are reached: TLS, what an address may say, and why a connection failed."""
