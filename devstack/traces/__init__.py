"""The trace page of the dev stack: takes spans by OTLP/HTTP and draws each trace as a waterfall."""
