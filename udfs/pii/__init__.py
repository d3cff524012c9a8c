"""Personal data in texts: e-mail and IP addresses, telephone, identity and bank card numbers.

Texts go in; spans (kind, start, length in code points) come out, and texts with placeholders in
their place where they are masked. Numbers of e-mail and web addresses are counted here too. The
room may import base.
"""
