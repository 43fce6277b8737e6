"""The installation's secret keys (newest first), and what is sealed, signed or looked up with keys made from them."""
