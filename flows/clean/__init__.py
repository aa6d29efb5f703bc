"""Clean stage: the article alone, out of an HTML page or a text dump."""
