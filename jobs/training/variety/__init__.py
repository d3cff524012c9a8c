"""Training of the linear model of varieties: lines of known variety go in, a file of hashed n-grams
comes out.
"""
