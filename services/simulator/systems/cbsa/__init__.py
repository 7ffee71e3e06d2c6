"""CBSA: entries into Canada by land, in files on an SFTP server."""
