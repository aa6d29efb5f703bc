"""Templates of the pages of a release."""
