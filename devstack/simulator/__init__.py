"""A payment provider in a process of its own: API, hosted pages on its own origin, signed webhooks, faults, time.

Card and account numbers are typed here and nowhere else; only brand and last four digits are kept.
"""
