"""The published diffusion language models that can be run, a file for each family.

A family says how to tell it apart, what its parameters are called, what its tokens see and how it is decoded
(`family.Family`). A new one is such a file and its place in `catalog.FAMILIES`.
"""
