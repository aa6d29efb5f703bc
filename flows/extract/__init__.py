"""Extract stage: who said what, about what, and whether for or against it."""
