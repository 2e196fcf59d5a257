"""Licences: what a package declares, which text it is, and whether it permits everything that training asks for."""
