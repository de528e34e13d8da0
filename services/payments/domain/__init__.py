"""Pure rules of payments: states, outcomes, failures. No I/O."""
