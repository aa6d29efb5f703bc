"""Every table and every field, once; all else is generated from here."""
