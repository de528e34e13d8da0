"""A card provider in a process of its own: API, hosted card page on its own origin, signed webhooks, faults.

Card numbers are typed here and nowhere else; only brand and last four digits are kept.
"""
