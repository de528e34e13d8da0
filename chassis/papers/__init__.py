"""Papers: what documents of all services look like, how they are worded and printed."""
