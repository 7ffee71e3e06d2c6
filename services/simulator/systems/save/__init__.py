"""SAVE: verifications of status, answered to polls."""
