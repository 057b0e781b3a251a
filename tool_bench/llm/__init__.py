"""What methods that ask a hosted model are made of."""
