"""Pure rules: no I/O, no clock, no randomness; time and keys are passed in."""
