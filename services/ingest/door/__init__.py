"""The door for systems that push over HTTP: signed messages in, an answer for every record once all of it is durable.

It belongs to ingest, a process and trust zone apart from the query API's: a system that may tell may not ask.
"""

from services.ingest.door.app import create_app
from services.ingest.door.push_handler import Post, PushHandler, open_push_handlers
from services.ingest.door.signatures import Keys

__all__ = ["Keys", "Post", "PushHandler", "create_app", "open_push_handlers"]
