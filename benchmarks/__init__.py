"""How fast the service is: `peers` (against others), `stages` (where a request's time goes), `load` (many clients).

Nothing here is imported by the service. docs/performance.md says how to run them and holds the last results.
"""
