"""The mailbox of the dev stack: takes every mail by SMTP, delivers none, and shows them on a page."""
