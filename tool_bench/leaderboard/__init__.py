"""From stored results to a page: pure, light, and without a network."""
