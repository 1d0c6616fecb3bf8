"""Carries out the files of bindings/scenario."""
