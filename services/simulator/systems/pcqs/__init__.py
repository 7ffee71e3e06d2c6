"""PCQS: answers about one person at a time, which repeat what other systems hold."""
