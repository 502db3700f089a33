"""What all four services stand on: the bus, the clock, money, states, errors, access and wiring."""
