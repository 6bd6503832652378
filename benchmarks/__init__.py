"""How fast the service is: `peers` (others), `stages` (where a request's time goes), `gpu`, `load` (many clients).

Nothing here is imported by the service. docs/performance.md says how to run them and holds the last results.
"""
