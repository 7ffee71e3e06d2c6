"""BCI: crossings of the land borders, in batches of XML on an SFTP server."""
