"""Which hosts are this machine itself: what goes to them leaves no wire to listen on."""

from __future__ import annotations

from ipaddress import ip_address


def is_local(host: str | None) -> bool:
    """Whether a host is the loopback or a socket in the file system; no host is the driver's own default, both."""
    if not host or host.startswith(("/", "@")) or host.lower().rstrip(".") in ("localhost", "ip6-localhost"):
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
