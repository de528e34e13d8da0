"""Servicers: translate, call one operation, translate back."""
