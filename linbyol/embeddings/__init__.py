"""Embeddings of any network: read from files without trust, written, and analysed."""
