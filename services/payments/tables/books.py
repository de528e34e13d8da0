"""Period locks, freezes and checks of the books."""
