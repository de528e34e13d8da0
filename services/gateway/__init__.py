"""The edge: customer portal, staff console and JSON API over the four services. It keeps no data."""
