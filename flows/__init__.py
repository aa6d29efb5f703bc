"""The Prefect flows, the command line, and one package for each stage."""
