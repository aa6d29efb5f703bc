"""Ingest stage: articles out of files of every usual format."""
