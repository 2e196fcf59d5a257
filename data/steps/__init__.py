"""What is done to the corpus, a module a step. A step looks at one document, or, to find duplicates, at all of them."""
