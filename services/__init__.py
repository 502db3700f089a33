"""The four departments as four services; none imports another, they speak only through the bus."""
