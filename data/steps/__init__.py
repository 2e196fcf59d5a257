"""The steps of the corpus, a module each. A step looks at one document, or, to find duplicates, at all of them."""
