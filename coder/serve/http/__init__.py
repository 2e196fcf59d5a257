"""HTTP for every API of the server: operations, guards, errors, documentation."""
