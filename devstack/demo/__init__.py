"""Demo data: one business with the real payment histories of 100 customers, moved to today."""

from devstack.demo.load import load as load
