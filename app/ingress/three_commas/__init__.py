"""The 3Commas dialect over HTTP (docs/three-commas.md)."""
